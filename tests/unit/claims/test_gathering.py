"""Evidence from any run: even with missing, damaged or untrue parts, every claim has a state and a reason."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qsl

import numpy as np
import pytest

import lamplighter
from lamplighter.claims.board import CLAIMS, list_board_questions, make_board
from lamplighter.claims.claim import ClaimState
from lamplighter.claims.english import reason_text
from lamplighter.claims.gathering import read_moment
from lamplighter.claims.questions_asked import choose_sentences
from lamplighter.contract.questions import QuestionError, parse_question, question_id
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_store import RunStore
from tests.support.evidences import find, gather, microscope, said, store_answer, whole_answer
from tests.support.folders import FakeTrainer, finished_run, make_run
from tests.unit.claims.town import readings

ROOT = Path(__file__).parents[3]


def has_all(run: RunFolder) -> None:
    """Check that each claim on a run has a state, a reason and both buttons."""
    rows = make_board(gather(run))
    assert [row.number for row in rows] == list(range(1, 29))
    for row in rows:
        assert reason_text(row).endswith("."), row
        assert (row.state == ClaimState.UNMEASURED) <= (row.waits_for is not None), row
        assert row.view.startswith("?"), row
        assert row.break_by.view.startswith("?"), row
        for question in (row.break_by.question, row.show_question):
            if question is not None:
                parse_question(question)
        values = [part.values for part in (*row.reason, *row.figures)]
        json.dumps([*(figure.value for figure in row.figures), *values], allow_nan=False)


def test_a_run_that_has_just_begun(tmp_path: Path) -> None:
    has_all(make_run(RunStore(tmp_path)))


def test_a_run_without_measures_or_maps(tmp_path: Path) -> None:
    has_all(finished_run(tmp_path))


def test_a_run_recorded_from_a_client(tmp_path: Path) -> None:
    weights = np.arange(48, dtype=np.float32).reshape(12, 4)
    with lamplighter.record(tmp_path / "mine", [f"w{n}" for n in range(12)], embedding=weights) as recorder:
        for step in range(1, 4):
            weights[step] += 1
            recorder.step(weights, [step, step], 1.0)
    run = RunFolder(tmp_path / "mine")
    has_all(run)
    evidence = gather(run)
    assert evidence.recorded_elsewhere
    assert list_board_questions(evidence, read_moment(run).lineage) == []
    assert "recorded_elsewhere" in said(find(5, evidence))


def test_the_way_from_the_start_is_that_of_the_matrix_and_the_walk_that_of_the_steps(tmp_path: Path) -> None:
    draw = np.random.default_rng(0)
    weights = draw.normal(size=(12, 4)).astype(np.float32)
    start, squares = weights.copy(), np.zeros(12)
    words = [f"w{number}" for number in range(12)]
    with lamplighter.record(tmp_path / "mine", words, embedding=weights) as recorder:
        for step in range(1, 31):
            moved = draw.choice(12, size=3, replace=False)
            before = weights[moved].copy()
            weights[moved] += draw.normal(size=(3, 4)).astype(np.float32) / step
            squares[moved] += np.square(weights[moved] - before).sum(axis=1)
            recorder.step(weights, moved.tolist(), 1.0)
    evidence = gather(RunFolder(tmp_path / "mine"))
    walk = evidence.pulses and evidence.pulses.walk
    assert walk is not None
    assert evidence.shifted == pytest.approx(np.sqrt(np.square(weights - start).sum() / 12), rel=1e-5)
    assert walk.mean == pytest.approx(np.sqrt(squares.mean()), rel=1e-5)
    deviation = np.sqrt(2 / 4 * np.square(squares).sum()) / 12
    assert walk.deviation == pytest.approx(deviation / (2 * walk.mean), rel=1e-5)


@pytest.mark.parametrize("gone", ["corpus.npy", "measures.sqlite", "layouts.sqlite", "examinations.sqlite"])
def test_a_missing_or_damaged_file(tmp_path: Path, gone: str) -> None:
    run = finished_run(tmp_path)
    (run.path / gone).unlink(missing_ok=True)
    has_all(run)
    (run.path / gone).write_bytes(b"no such thing" * 100)
    has_all(run)


ANYTHING: list[object] = [None, [], {}, "text", 1e308, True, [[None]], {"before": "x"}, -1, "9" * 400]


def _spoil(value: object, make: Callable[[], object]) -> object:
    if isinstance(value, dict):
        return {name: _spoil(part, make) for name, part in value.items()}  # pyright: ignore[reportUnknownVariableType]
    return make()


@pytest.mark.parametrize("lie", ANYTHING, ids=str)
def test_an_imported_answer_may_contain_anything(tmp_path: Path, lie: object) -> None:
    run = finished_run(tmp_path)
    step = read_moment(run).step
    for depth in (
        {"whole": lie, "text": lie, "row": lie, "operations": lie},
        _spoil(microscope(), lambda: lie),
        _spoil(whole_answer("microscope", step, microscope()), lambda: lie),
    ):
        assert isinstance(depth, dict)
        shutil.rmtree(run.examinations_path, ignore_errors=True)
        run.examinations_path.unlink(missing_ok=True)
        answer = {"kind": "microscope", "step": step, "imported": True, **depth}  # pyright: ignore[reportUnknownVariableType]
        store_answer(run, {"kind": "microscope", "step": step}, answer)
        probe = {"kind": "probe", "step": step, "readings": lie, "change": [lie, [lie]]}
        sentences = {"sentence": "a", "other_sentence": "b", "other_step": 0}
        store_answer(run, {"kind": "probe", "step": step, **sentences}, probe)
        has_all(run)


def test_a_stored_answer_is_evidence_and_is_not_asked_again(tmp_path: Path) -> None:
    run = finished_run(tmp_path)
    moment = read_moment(run)
    before = gather(run)
    assert find(5, before).state == ClaimState.UNMEASURED
    open_kinds = [
        one.question.kind for one in list_board_questions(before, moment.lineage) if not one.answered
    ]
    assert open_kinds[0] == "microscope"
    store_answer(
        run,
        {"kind": "microscope", "step": moment.step},
        whole_answer("microscope", moment.step, microscope()),
    )
    after = gather(run)
    assert read_moment(run) != moment
    # One step is known, but not how many behave the same.
    assert find(5, after).state == ClaimState.CONDITIONAL
    asked = {one.question.kind: one for one in list_board_questions(after, moment.lineage)}
    assert asked["microscope"].answered
    assert 5 in asked["microscope"].claims
    # An answer of a superseded attempt does not count.
    other = finished_run(tmp_path / "other")
    question = {"kind": "microscope", "step": moment.step}
    store_answer(other, question, whole_answer("microscope", moment.step, microscope()), attempt=7)
    assert find(5, gather(other)).state == ClaimState.UNMEASURED


def test_only_the_boards_own_questions_change_the_board(tmp_path: Path) -> None:
    run = finished_run(tmp_path)
    step, sentences = read_moment(run).step, choose_sentences(run.vocabulary)
    assert sentences is not None
    one, other = sentences
    probe = {"kind": "probe", "step": step, "sentence": one, "other_sentence": other, "other_step": 0}
    own = {"readings": readings((0.99, 0.6), 0.95, step), "change": [[0.3]]}
    store_answer(run, probe, whole_answer("probe", step, own))
    board = make_board(gather(run))
    assert find(14, gather(run)).figures[-3].value == 0.6
    moment = read_moment(run)

    # Similar questions from a course or a person: another sentence, one sentence twice, an earlier step
    # beside it, a random peer, fewer steps or a longer look.
    asked = [
        {**probe, "other_sentence": f"{other} {one}"},
        {**probe, "other_sentence": one},
        {**probe, "other_step": 5},
        {"kind": "probe", "step": step, "sentence": one},
        {"kind": "microscope", "step": step, "token": 3},
        {"kind": "bench", "step": step, "steps": 1},
        {"kind": "better", "step": step, "steps": 1},
        {"kind": "environment", "step": step, "steps": 10, "back": 10},
        {"kind": "substitution", "step": step, "seed": 1},
        {"kind": "transplant", "step": step, "prompt": one, "source_step": step - 1},
    ]
    for question in asked:
        fields = own | {"readings": readings((1.0, 1.0), 1.0, step)} if question["kind"] == "probe" else {}
        store_answer(run, question, whole_answer(str(question["kind"]), step, fields))
    assert read_moment(run) == moment
    assert make_board(gather(run)) == board
    # The board's answer about an earlier step gives way to a later one.
    store_answer(
        run, {**probe, "step": step - 5}, whole_answer("probe", step - 5, {**own, "change": [[0.9]]})
    )
    assert make_board(gather(run)) == board


def test_a_row_names_the_answer_that_its_view_shows(tmp_path: Path) -> None:
    run = finished_run(tmp_path)
    moment = read_moment(run)
    for steps in (40, 1):
        question = {"kind": "bench", "step": moment.step, "steps": steps}
        store_answer(run, question, whole_answer("bench", moment.step, {}))
    serving = parse_question({"kind": "bench", "step": moment.step, "steps": 40})
    rows = {row.number: row for row in make_board(gather(run))}
    assert rows[9].answer_id == question_id(moment.lineage.attempt_at(moment.step), serving)
    # A microscope view has a step, and the board computes the rotation itself.
    assert rows[5].answer_id is None
    assert rows[25].answer_id is None
    assert rows[25].show_question == {"kind": "rotation", "step": moment.step}
    assert [number for number, row in rows.items() if row.show_question] == [25]


def test_a_run_without_a_kept_state_says_so_and_has_no_energy(tmp_path: Path) -> None:
    found = gather(finished_run(tmp_path))
    assert found.cities is None
    assert found.no_output_matrix == "output_matrix_not_kept"
    assert found.energy is None


def test_sentences_never_come_from_the_text(tmp_path: Path) -> None:
    run = finished_run(tmp_path)
    found = choose_sentences(run.vocabulary)
    words = set(run.vocabulary.tokens)
    assert found is None or all(word in words for text in found for word in text.split())


def test_views_use_only_keys_known_to_the_page(tmp_path: Path) -> None:
    source = (ROOT / "frontend/src/model/view/view-state.ts").read_text(encoding="utf-8")
    fields = source.split("const FIELDS = {", 1)[1].split("\n};", 1)[0]
    known = set(re.findall(r"^  (\w+):", fields, re.MULTILINE)) | set(
        re.findall(r'Tokens?\("(\w+)"\)', fields)
    )
    # The geometry lab's keys.
    used = {
        key
        for row in make_board(gather(finished_run(tmp_path)))
        for query in (row.view, row.break_by.view)
        for key, _ in parse_qsl(query.removeprefix("?"), strict_parsing=True)
    }
    assert used <= known


def test_the_examined_step_stays_the_same_for_a_while(tmp_path: Path) -> None:
    run = finished_run(tmp_path)
    with pytest.raises(QuestionError):
        parse_question({"kind": "microscope", "step": 0})
    assert all(claim.kinds == tuple(dict.fromkeys(claim.kinds)) for claim in CLAIMS)
    assert gather(run).examined_step == read_moment(run).step


def test_the_button_opens_the_step_of_the_number(tmp_path: Path) -> None:
    trainer = FakeTrainer(make_run(RunStore(tmp_path))).begin().train(60)
    run, show = trainer.run, CLAIMS[26].show
    assert show(gather(run)).endswith(f"&at={gather(run).examined_step}")
    store_answer(run, {"kind": "microscope", "step": 20}, whole_answer("microscope", 20, microscope()))
    assert find(27, gather(run)).figures[0].step == 20 < gather(run).examined_step
    assert show(gather(run)).endswith("&at=20")
    trainer.crash()
