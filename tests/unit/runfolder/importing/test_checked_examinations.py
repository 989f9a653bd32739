"""Imported answers: only valid answers to their questions are kept, and they are marked.

Facts about an untrusted run's loop are bounded and valid, or rejected.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import apsw
import pytest

from lamplighter.contract.questions import canonical_question, parse_question, question_id
from lamplighter.runfolder.errors import FormatError
from lamplighter.runfolder.importing.checked_copy import copy_examinations
from lamplighter.runfolder.importing.run_checks import RunChecks
from lamplighter.runfolder.loop_facts import check_loop_facts
from lamplighter.runfolder.tables import examinations
from lamplighter.runfolder.tables.examinations import ExaminationsReader, ExaminationsWriter

QUESTION = parse_question({"kind": "rotation", "step": 5})
ASKED = question_id(1, QUESTION)
ANSWER: dict[str, Any] = {"kind": "rotation", "step": 5, "attempt": 1, "turned": [0.5, None, True, "ü"]}


def checks() -> RunChecks:
    found = RunChecks(40, 4, None, lambda: None)
    found.set_last_step(35)
    return found


def write(path: Path, *, asked_id: str = ASKED, answer: Any = ANSWER, **changes: Any) -> Path:
    fields: dict[str, Any] = {
        "attempt": 1, "step": 5, "kind": "rotation", "question": canonical_question(QUESTION),
    } | changes  # fmt: skip
    with ExaminationsWriter(path) as writer:
        writer.add_question(asked_id, **fields)
        writer.finish(asked_id, answer if isinstance(answer, str) else json.dumps(answer))
        assert writer.close(sealed=True)
    return path


def test_imports_answers_marked_and_drops_open_questions(tmp_path: Path) -> None:
    source = write(tmp_path / "source.sqlite")
    with ExaminationsWriter(source) as writer:
        waits = parse_question({"kind": "rotation", "step": 6})
        writer.add_question(
            question_id(1, waits), attempt=1, step=6, kind="rotation", question=canonical_question(waits)
        )
        assert writer.close(sealed=True)
    assert copy_examinations(source, tmp_path / "copy.sqlite", checks()) == 1
    with ExaminationsReader(tmp_path / "copy.sqlite") as reader:
        (entry,) = reader.entries()
        assert (entry.id, entry.state, entry.question) == (ASKED, "done", canonical_question(QUESTION))
        assert json.loads(reader.answer(ASKED) or "") == ANSWER | {"imported": True}
        # Acknowledged requests of another machine do not count here.
        assert reader.last_applied() == {}


@pytest.mark.parametrize(
    "question",
    [
        '{"kind":"tarot","step":5}',
        '{"kind":"rotation","step":5,"deck":1}',
        # Asked before it had a seed: its answer is of another rotation.
        '{"kind":"rotation","step":5}',
    ],
)
def test_drops_questions_that_this_version_does_not_ask(tmp_path: Path, question: str) -> None:
    source = write(tmp_path / "source.sqlite", question=question)
    assert copy_examinations(source, tmp_path / "copy.sqlite", checks()) == 0


def nested(depth: int) -> Any:
    return [] if depth == 0 else [nested(depth - 1)]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"asked_id": "0" * 16}, "differs from its row"),
        ({"step": 6}, "differs from its row"),
        ({"kind": "speak"}, "differs from its row"),
        ({"attempt": -1}, "number of steps or attempts"),
        ({"attempt": 2}, "differs from its row"),
        ({"question": "{"}, "not JSON"),
        ({"question": '{"kind":"rotation","step":4000000}'}, "far beyond"),
        ({"question": " " * 30_000}, "more than 20,000 characters"),
        ({"answer": "[" * 100_000}, "not JSON|lists"),
        ({"answer": "[" + "[]," * 300_000 + "0]"}, "lists"),
        ({"answer": ANSWER | {"x": nested(20)}}, "nested too deeply"),
        ({"answer": json.dumps(ANSWER | {"x": float("nan")})}, "not finite"),
        ({"answer": '{"kind":"rotation","step":5,"x":1e999}'}, "not finite"),
        ({"answer": '{"kind":"rotation","step":5,"x":' + "9" * 400 + "}"}, "not finite"),
        ({"answer": ANSWER | {"x": "y" * 20_000}}, "more than 10,000 characters"),
        ({"answer": ANSWER | {"x" * 300: 0}}, "more than 200 characters"),
        ({"answer": ANSWER | {"step": 6}}, "to another question"),
        ({"answer": []}, "to another question"),
        ({"answer": " " * 1_000_001}, "more than 1,000,000 characters"),
        ({"answer": json.dumps(ANSWER | {"x": ["ü" * 9_000] * 60}, ensure_ascii=False)}, "more than 1 MB"),
        ({"answer": '{"kind":"rotation","step":5,"x":"\\ud800"}'}, "not Unicode"),
    ],
    ids=range(21),
)
def test_rejects_invalid_answers(tmp_path: Path, changes: dict[str, Any], said: str) -> None:
    source = write(tmp_path / "source.sqlite", **changes)
    with pytest.raises(FormatError, match=said):
        copy_examinations(source, tmp_path / "copy.sqlite", checks())


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("UPDATE answers SET state='dun'", "an unknown state"),
        ("UPDATE answers SET answer=x'00'", "not a text"),
        ("UPDATE answers SET made=NULL", "not finite"),
        ("CREATE TABLE more(x)", "other tables"),
        ("CREATE TRIGGER t AFTER INSERT ON answers BEGIN DELETE FROM answers; END", "other tables"),
    ],
)
def test_rejects_tampered_files(tmp_path: Path, sql: str, said: str) -> None:
    source = write(tmp_path / "source.sqlite")
    connection = apsw.Connection(str(source))
    connection.execute(sql)
    connection.close()
    with pytest.raises(FormatError, match=said):
        copy_examinations(source, tmp_path / "copy.sqlite", checks())


def test_rejects_too_many_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = write(tmp_path / "source.sqlite")
    monkeypatch.setattr(examinations, "MAX_ANSWERS_BYTES", 10)
    with pytest.raises(FormatError, match="too many answers"):
        copy_examinations(source, tmp_path / "copy.sqlite", checks())


FINDING: dict[str, Any] = {"code": "still", "severity": "note", "steps": [0, 1], "sentence": {"en": "So"}}


def history(*findings: object, **more: object) -> dict[str, Any]:
    return {"history": {"checkpoints": 5, "problems": 1, "findings": list(findings)} | more}


def test_accepts_valid_facts() -> None:
    facts: dict[str, Any] = {"config": {"lr": 0.1, "nested": {"a": [1]}}, "numbers": [[0, 5, 1], [3, 10, 0]]}
    facts |= history(FINDING, FINDING | {"severity": "problem", "of": 7})
    assert check_loop_facts(facts | {"phase": "finished"}, 100) == facts
    assert check_loop_facts({"phase": "finished"}, 100) == {}


@pytest.mark.parametrize(
    "facts",
    [
        {"config": [1]},
        {"config": {"a": "x" * 32_000}},
        {"numbers": []},
        {"numbers": {"0": 1}},
        {"numbers": [[0, 0]]},
        {"numbers": [[0, 0, True]]},
        {"numbers": [[0, 0, 1.0]]},
        {"numbers": [[0, -1, 1]]},
        {"numbers": [[0, 2**53, 1]]},
        {"numbers": [[1, 0, 1], [1, 5, 1]]},
        {"numbers": [[step, step, 2] for step in range(1_002)]},
        {"history": []},
        history(problems="1"),
        history(more=1),
        history(7),
        history(FINDING | {"severity": "worse"}),
        history(FINDING | {"steps": [True]}),
        history(FINDING | {"steps": [1 << 60]}),
        history(FINDING | {"of": None}),
        history(FINDING | {"more": 1}),
        history(FINDING | {"sentence": "So"}),
        history(FINDING | {"sentence": {"en": 7}}),
        history(FINDING | {"sentence": {"en": "x" * 32_000}}),
    ],
)
def test_rejects_invalid_facts(facts: dict[str, Any]) -> None:
    with pytest.raises(FormatError):
        check_loop_facts(facts, 100)
