"""The examiner in this process: its requests, their order, and what it says when it cannot answer."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lamplighter.contract.answers import Answer, RotationAnswer
from lamplighter.contract.answers.parts import LossChange
from lamplighter.contract.answers.reading import RotatedWord, RotationExample
from lamplighter.contract.questions import (
    KINDS,
    DecilesQuestion,
    EnvironmentQuestion,
    Question,
    QuestionError,
    SubstitutionQuestion,
    WhatIfQuestion,
    parse_question,
)
from lamplighter.contract.reason import Reason, give_reason
from lamplighter.examination import examined_model
from lamplighter.examination.examined_model import CancelledError, ExaminedModel, ReportProgress
from lamplighter.examination.examiner import Examiner
from lamplighter.examination.kinds import bench, deciles, environment, substitution, what_if
from lamplighter.examination.kinds import rotation as turning
from lamplighter.processes.asked_question import (
    AskedQuestion,
    ask_question,
    ask_to_cancel,
    check_question,
    read_examination,
)
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_store import RunStore
from lamplighter.runfolder.tables.examinations import (
    MAX_WAITING,
    ExaminationEntry,
    ExaminationsReader,
    ExaminationsWriter,
)
from lamplighter.runfolder.tables.requests import EXAMINE, RequestsWriter
from lamplighter.training.worker import train
from tests.support.runs import make_run
from tests.support.village import STEPS as VILLAGE_STEPS
from tests.support.village import Village

STEPS = 12


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    run = make_run(tmp_path_factory.mktemp("runs"), steps=STEPS, cadence={"checkpoint_every": 10})
    train(run)
    return run


@pytest.fixture
def run(trained: RunFolder, tmp_path: Path) -> RunFolder:
    return RunFolder(Path(shutil.copytree(trained.path, tmp_path / trained.id)))


def speak(run: RunFolder, step: int = 3, **more: Any) -> AskedQuestion:
    word = run.vocabulary.tokens[5]
    fields = {"kind": "speak", "step": step, "prompt": word, "words": 4} | more
    return check_question(run, parse_question(fields))


def ask(run: RunFolder, asked: AskedQuestion) -> str:
    ask_question(run, "test", asked)
    return asked.id


@contextmanager
def examiner(run: RunFolder, stop: threading.Event | None = None) -> Iterator[Examiner]:
    opened = Examiner(run, 0.0, stop or threading.Event())
    yield opened
    opened.close()


def answer_all(run: RunFolder) -> None:
    with examiner(run) as working:
        working.answer_until_idle()


def entry(run: RunFolder, asked_id: str) -> ExaminationEntry:
    found = read_examination(run, asked_id)
    assert found is not None
    return found


def answer(run: RunFolder, asked_id: str) -> dict[str, Any]:
    with ExaminationsReader(run.examinations_path) as reader:
        text = reader.answer(asked_id)
    assert text is not None, entry(run, asked_id)
    return json.loads(text)


def add_kind(monkeypatch: pytest.MonkeyPatch, function: Any) -> None:
    """Make a function answer the questions of the kind `rotation`."""
    monkeypatch.setattr(turning, "examine", function)


def turned(model: ExaminedModel, question: Question, kept: float = 1.0, numbers: int = 1) -> RotationAnswer:
    word = RotatedWord(numbers=[0.5] * numbers, neighbours=[])
    return RotationAnswer(
        kind="rotation",
        **model.facts(question),
        coordinates=1,
        changed=1.0,
        lists=1,
        kept=kept,
        cosine_error=0.0,
        purity=None,
        example=RotationExample(id=1, before=word, after=word),
        loss=LossChange(before=1.0, after=2.0),
        text="training",
    )


def rotation(run: RunFolder, seed: int = 0) -> AskedQuestion:
    return check_question(run, parse_question({"kind": "rotation", "step": 1, "seed": seed}))


def test_the_model_speaks_at_any_step(run: RunFolder):
    assert read_examination(run, speak(run).id) is None
    early, late, other = speak(run, 0), speak(run, STEPS), speak(run, STEPS, seed=1)
    for asked in (early, late, other, late):
        ask(run, asked)
    answer_all(run)
    found = answer(run, late.id)
    assert (found["kind"], found["step"], found["attempt"]) == ("speak", STEPS, 1)
    assert found["replayed"] == {"from": STEPS, "steps": 0, "equal": None, "difference": None}
    assert found["prompt"] == [5]
    for spoken in (found["greedy"], found["sampled"]):
        assert len(spoken) == 4
        for word in spoken:
            assert len(word["candidates"]) == 8
            assert all(0 <= p <= 1 for _, p in word["candidates"])
    assert [word["id"] for word in found["greedy"]] == [word["candidates"][0][0] for word in found["greedy"]]
    assert answer(run, other.id)["greedy"] == found["greedy"]
    assert answer(run, other.id)["sampled"] != found["sampled"]
    assert answer(run, early.id)["greedy"] != found["greedy"]
    assert entry(run, late.id).tries == 1
    # The file is sealed: it opens read-only anywhere.
    assert run.examinations_path.read_bytes()[18:20] == b"\x01\x01"


def test_every_kind_is_answered(run: RunFolder, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(bench, "ROWS", 400)
    word = run.vocabulary.tokens[5]
    asked = [
        check_question(run, parse_question({"step": 3} | fields))
        for fields in (
            {"kind": "speak", "prompt": word},
            {"kind": "microscope"},
            {"kind": "what_if", "sentence": f"{word} {word}", "steps": 2},
            {"kind": "transplant", "prompt": word, "into": word, "source_step": 1},
            {"kind": "rotation"},
            {"kind": "probe", "sentence": f"{word} {word}", "other_step": 2},
            {"kind": "heads", "readings": 2},
            {"kind": "acquisition"},
            {"kind": "bench", "steps": 1},
            {"kind": "batch_sizes"},
            {"kind": "environment", "steps": 10, "back": 0},
            {"kind": "deciles", "steps": 1},
            {"kind": "better", "steps": 1},
            {"kind": "substitution", "words": 20},
        )
    ]
    # Two more processes with torch have a separate test.
    assert [one.question.kind for one in asked] == [kind for kind in KINDS if kind != "devices"]
    for one in asked:
        ask(run, one)
    answer_all(run)
    for one in asked:
        found = answer(run, one.id)
        assert (found["kind"], found["step"]) == (one.question.kind, 3)
        assert found["replayed"]["equal"] is not False


def test_the_next_examiner_answers_everything_acknowledged(run: RunFolder):
    first, second = speak(run), speak(run, 4)
    ask(run, first)
    with ExaminationsWriter(run.examinations_path) as writer:
        # As left by an examiner killed over its answer.
        writer.add_question(second.id, **second.as_fields())
        writer.begin(second.id)
    answer_all(run)
    assert (entry(run, first.id).state, entry(run, second.id).state, entry(run, second.id).tries) == (
        "done",
        "done",
        2,
    )


def test_a_question_that_kills_examiners_is_given_up(run: RunFolder):
    asked = speak(run)
    with ExaminationsWriter(run.examinations_path) as writer:
        writer.add_question(asked.id, **asked.as_fields())
        for _ in range(3):
            writer.begin(asked.id)
    answer_all(run)
    found = entry(run, asked.id)
    assert (found.state, "ended 3 times" in (found.problem or "")) == ("failed", True)
    ask(run, asked)
    answer_all(run)
    assert entry(run, asked.id).state == "done"


def test_the_seventeenth_question_is_refused(run: RunFolder, monkeypatch: pytest.MonkeyPatch):
    add_kind(monkeypatch, lambda model, question, _: turned(model, question))
    asked = [rotation(run, seed) for seed in range(MAX_WAITING + 1)]
    for one in [*asked, asked[0]]:
        ask(run, one)
    answer_all(run)
    states = [entry(run, one.id).state for one in asked]
    assert states == ["done"] * MAX_WAITING + ["failed"]
    assert "too many questions wait" in (entry(run, asked[-1].id).problem or "")


def test_a_waiting_or_running_question_can_be_cancelled(run: RunFolder, monkeypatch: pytest.MonkeyPatch):
    running, waiting, later = (rotation(run, seed) for seed in range(3))

    def cancel_both(model: ExaminedModel, question: Question, report: ReportProgress) -> Answer:
        if question == later.question:
            return turned(model, question)
        for one in (waiting, running):
            ask_to_cancel(run, "test", one.id)
        while True:
            report(0.5, "working until it is cancelled")

    add_kind(monkeypatch, cancel_both)
    for one in (running, waiting, later):
        ask(run, one)
    answer_all(run)
    assert [entry(run, one.id).state for one in (running, waiting, later)] == [
        "cancelled",
        "cancelled",
        "done",
    ]


def test_a_persons_question_comes_before_prepared_ones_and_interrupts_them(
    run: RunFolder, monkeypatch: pytest.MonkeyPatch
):
    running, waiting, persons, adopted = (rotation(run, seed) for seed in range(4))
    order: list[AskedQuestion] = []

    def examine(model: ExaminedModel, question: Question, report: ReportProgress) -> Answer:
        (asked,) = [one for one in (running, waiting, persons, adopted) if one.question == question]
        if asked is running and asked not in order:
            for one in (persons, adopted):
                ask(run, one)
            # A program that asks the same does not take it away from the person.
            ask(run, prepared(persons))
        order.append(asked)
        report(0.5, "working")
        return turned(model, question)

    add_kind(monkeypatch, examine)
    for one in (running, adopted, waiting):
        ask(run, prepared(one))
    answer_all(run)
    assert order == [running, adopted, persons, running, waiting]
    assert [entry(run, one.id).state for one in order] == ["done"] * 5
    assert entry(run, running.id).tries == 1


def prepared(asked: AskedQuestion) -> AskedQuestion:
    """Return a question as a program asks it that prepares answers."""
    return replace(asked, question=asked.question.model_copy(update={"background": True}))


def test_a_question_at_a_kept_state_recomputes_nothing(run: RunFolder):
    kept = {step: speak(run, step, kept=True) for step in (0, 3, 4, 9, 11, STEPS)}
    assert {step: asked.question.step for step, asked in kept.items()} == {
        0: 0, 3: 2, 4: 2, 9: 5, 11: 10, STEPS: STEPS,
    }  # fmt: skip
    assert kept[11].id == speak(run, 10).id
    ask(run, kept[11])
    answer_all(run)
    assert answer(run, kept[11].id)["replayed"]["steps"] == 0
    # The microscope needs the state before its step.
    looked = check_question(run, parse_question({"kind": "microscope", "step": 9, "kept": True}))
    assert looked.question.step == 6


def test_an_examiner_opens_its_run_ahead_of_a_question_which_says_what_failed(
    run: RunFolder, monkeypatch: pytest.MonkeyPatch
):
    opened: list[str] = []

    def refuse(found: RunFolder) -> None:
        opened.append(found.id)
        raise ValueError("an odd recipe")

    monkeypatch.setattr(examined_model, "Replayer", refuse)
    working = Examiner(run, 0.1, threading.Event())
    working.answer_until_idle()
    assert opened == [run.id]
    asked = rotation(run)
    ask(run, asked)
    working.answer_until_idle()
    working.close()
    assert opened == [run.id] * 2
    assert entry(run, asked.id).problem == "it cannot be answered: an odd recipe"


def test_a_stopped_examiner_leaves_the_question_to_the_next(run: RunFolder, monkeypatch: pytest.MonkeyPatch):
    stop = threading.Event()

    def stop_it(model: ExaminedModel, question: Question, report: ReportProgress) -> Answer:
        stop.set()
        report(0.5, "working")
        raise AssertionError("it was not stopped")

    add_kind(monkeypatch, stop_it)
    asked = rotation(run)
    ask(run, asked)
    with examiner(run, stop) as working:
        working.answer_until_idle()
    found = entry(run, asked.id)
    assert (found.state, found.tries) == ("waiting", 0)
    add_kind(monkeypatch, lambda model, question, _: turned(model, question))
    answer_all(run)
    assert answer(run, asked.id)["kept"] == 1


def test_an_examiner_ends_when_its_run_is_moved_away(run: RunFolder, monkeypatch: pytest.MonkeyPatch):
    def trash(model: ExaminedModel, question: Question, report: ReportProgress) -> Answer:
        store.trash(run)
        while True:
            report(0.5, "working until cancelled")

    store = RunStore(run.path.parent)
    add_kind(monkeypatch, trash)
    ask(run, rotation(run))
    with examiner(run) as working:
        working.answer_until_idle()
    assert not run.path.exists()
    (trashed,) = store.trashed()
    assert (trashed.path / "examinations.sqlite").exists()


@pytest.mark.parametrize(
    ("found", "said", "reason"),
    [
        ({"kept": float("nan")}, "not finite", Reason("answer_not_finite")),
        ({"numbers": 150_000}, "1.3 MB", Reason("answer_too_large")),
        (RuntimeError("odd"), "it cannot be answered: odd", None),
        (MemoryError(), "needs more memory", Reason("too_little_memory")),
        (FloatingPointError("no longer finite"), "no longer finite", None),
        (
            QuestionError("odd", give_reason("out_of_range", most=3)),
            "odd",
            give_reason("out_of_range", most=3),
        ),
    ],
)
def test_an_unanswerable_question_says_why_and_the_next_is_answered(
    run: RunFolder, monkeypatch: pytest.MonkeyPatch, found: Any, said: str, reason: Reason | None
):
    def examine(model: ExaminedModel, question: Any, report: ReportProgress) -> Answer:
        if question.seed == 1:
            return turned(model, question)
        if isinstance(found, Exception):
            raise found
        return turned(model, question, **found)

    add_kind(monkeypatch, examine)
    bad, good = rotation(run, 0), rotation(run, 1)
    ask(run, bad)
    ask(run, good)
    answer_all(run)
    failed = entry(run, bad.id)
    assert said in (failed.problem or "")
    assert json.loads(failed.reason or "null") == (reason and vars(reason))
    assert (failed.state, entry(run, good.id).state, entry(run, good.id).reason) == ("failed", "done", None)


def test_a_handwritten_request_is_acknowledged_and_harmless(run: RunFolder):
    for body in (
        {},
        {"kind": "speak"},
        {"kind": "speak", "step": 10**6, "prompt": "x"},
        {"kind": [], "step": "x"},
    ):
        RequestsWriter(run.path, "hand").add(EXAMINE, body)
    ask_to_cancel(run, "hand", "none")
    ask(run, speak(run))
    answer_all(run)
    with ExaminationsReader(run.examinations_path) as reader:
        assert len(reader.entries()) == 1
        assert reader.last_applied() == {"hand": 5, "test": 1}


@pytest.mark.parametrize(
    ("kind", "at", "question", "reported"),
    [
        (deciles, 2, DecilesQuestion(step=2, steps=10), [0, 0, 1 / 60, 2 / 60]),
        # Twenty steps away, and as many at home.
        (environment, 2, EnvironmentQuestion(step=2, steps=20, back=0), [0, 1 / 40, 2 / 40]),
        (substitution, VILLAGE_STEPS, SubstitutionQuestion(step=VILLAGE_STEPS), None),
        (what_if, 2, WhatIfQuestion(step=VILLAGE_STEPS, sentence="the cat barked", steps=20), [0, 0.05, 0.1]),
    ],
)
def test_a_cancelled_question_ends_between_two_steps(
    village: Village, kind: Any, at: int, question: Any, reported: list[float] | None
) -> None:
    heard: list[float] = []

    def cancel(share: float, activity: str) -> None:
        heard.append(share)
        if len(heard) == len(reported or range(4)):
            raise CancelledError

    with pytest.raises(CancelledError):
        kind.examine(village.examined(at), question, cancel)
    assert heard == (sorted(heard) if reported is None else pytest.approx(reported))
