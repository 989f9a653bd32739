"""Questions to the class: asked in words, predicted once each, and answered only by the record."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_store import RunStore
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.serving.classroom.questions.question import Measured, Question, bin_edges
from lamplighter.serving.schemas.classroom import PredictionMessage
from lamplighter.wire.frames import decode_as
from lamplighter.wire.pulse_frames import Pulse
from tests.support.classroom.class_apps import ClassApps, make_class_apps
from tests.support.folders import FakeTrainer, make_run
from tests.unit.serving.routes.api_calls import send

DOG, CAT, DOGS = 1, 5, 3


class Lesson:
    """A run at step 20 with its presenter, who asks, and the trainer, which continues."""

    def __init__(self, folder: Path, loss_of: Callable[[int], float] = lambda step: 5 / (1 + step)) -> None:
        run = make_run(RunStore(folder), steps=200)
        self.trainer = FakeTrainer(run, loss_of=loss_of).begin().train(20)
        self.apps: ClassApps = make_class_apps(folder)
        token = self.apps.services.gate.credentials.token
        self._headers = {"host": "127.0.0.1:8600", "authorization": f"Bearer {token}"}

    @property
    def run(self) -> RunFolder:
        return self.trainer.run

    async def ask(self, method: str, path: str, body: object = None) -> tuple[int, bytes]:
        answer = await send(self.apps.presenting, method, path, self._headers, body)
        return answer.status, answer.body

    async def question(self, about: str, **body: object) -> tuple[int, dict[str, Any]]:
        status, found = await self.ask(
            "POST", "/api/class/question", {"run": self.run.id, "about": about, **body}
        )
        return status, json.loads(found)

    async def reveal(self) -> tuple[int, dict[str, Any]]:
        status, found = await self.ask("PATCH", "/api/class/question", {"state": "revealed"})
        return status, json.loads(found)

    def pulse(self, step: int) -> Pulse:
        with StepsReader(self.run.steps_path) as reader:
            return decode_as(reader.pulses(step, step)[0][1], Pulse)


@pytest.fixture
def lesson(tmp_path: Path) -> Lesson:
    return Lesson(tmp_path)


async def test_the_record_answers_each_kind_of_question(lesson: Lesson) -> None:
    trainer = lesson.trainer

    async def answer(about: str, **body: object) -> float:
        status, asked = await lesson.question(about, **body)
        assert status == 201, asked
        assert asked["outcome"] == {"value": None, "step": None, "median": None, "edges": [],
                                    "counts": [0] * len(asked["choices"])}  # fmt: skip
        early, problem = await lesson.reveal()
        assert (early, f"comes at step {asked['at_step']}" in problem["detail"]) == (409, True)
        trainer.train(asked["at_step"] - trainer.step)
        status, shown = await lesson.reveal()
        assert status == 200, shown
        outcome = shown["outcome"]
        assert outcome["step"] <= asked["at_step"]
        return float(outcome["value"])

    at = trainer.step
    assert await answer("lit_next") == len(lesson.pulse(at + 1).batch_ids)
    at = trainer.step
    lit = await answer("lit_word", token=DOG)
    assert lit == (0.0 if DOG in lesson.pulse(at + 1).batch_ids else 1.0)
    at = trainer.step
    times = await answer("read_later", token=DOG, steps=7)
    assert times == sum(
        int(pulse.batch_counts[pulse.batch_ids == DOG].sum())
        for pulse in (lesson.pulse(step) for step in range(at + 1, at + 8))
    )
    at = trainer.step
    later = await answer("loss_later", steps=5)
    assert later == pytest.approx(np.mean([lesson.pulse(s).loss for s in range(at - 4, at + 6)]))
    at = trainer.step
    before_it = np.mean([lesson.pulse(s).loss for s in range(at - 9, at + 1)])
    falls = await answer("falls_later", steps=5)
    after = np.mean([lesson.pulse(s).loss for s in range(at - 4, at + 6)])
    assert after < before_it
    assert falls == 0.0
    at = trainer.step
    before = trainer.matrix[DOG].astype(np.float64).copy()
    moved = await answer("moved_later", token=DOG, steps=10)
    way = np.linalg.norm(trainer.matrices[trainer.step][DOG].astype(np.float64) - before)
    assert moved == pytest.approx(100 * way / np.linalg.norm(before), rel=1e-5)
    nearest = await answer("nearest", token=DOG, words=[CAT, DOGS, 8], steps=10)
    rows = trainer.matrices[trainer.step][[DOG, CAT, DOGS, 8]].astype(np.float64)
    units = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    assert nearest == np.argmax(units[1:] @ units[0])


def jumps_up_and_falls(step: int) -> float:
    """Return a loss whose mean over ten steps is lower at step 30 than at step 20, though that of the single
    step is higher.
    """
    return 9.0 if step == 30 else 3.0 if step <= 20 else 2.0


def dips_and_rises(step: int) -> float:
    return 0.5 if step == 30 else 3.0 if step <= 20 else 4.0


@pytest.mark.parametrize(
    ("loss_of", "choice"),
    [
        (lambda step: 3 - step / 100, "lower"),
        (lambda step: 3 + step / 100, "higher"),
        (jumps_up_and_falls, "lower"),
        (dips_and_rises, "higher"),
    ],
)
async def test_lower_or_higher_is_answered_by_the_mean_loss(
    tmp_path: Path, loss_of: Callable[[int], float], choice: str
) -> None:
    lesson = Lesson(tmp_path, loss_of)
    _, asked = await lesson.question("falls_later", steps=10)
    lesson.trainer.train(10)
    status, shown = await lesson.reveal()
    assert status == 200, shown
    right = asked["choices"][int(shown["outcome"]["value"])]
    assert choice in right.lower()


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"about": "lit_word"}, 422),
        ({"about": "lit_word", "token": 40}, 422),
        ({"about": "lit_word", "token": -1}, 422),
        ({"about": "nearest", "token": 1, "words": [2]}, 422),
        ({"about": "nearest", "token": 1, "words": [2, 2]}, 422),
        ({"about": "nearest", "token": 1, "words": [2, 1]}, 422),
        ({"about": "nearest", "token": 1, "words": [2, 99]}, 422),
        ({"about": "nearest", "token": 1, "words": [2, 3, 4, 5, 6, 7, 8]}, 422),
        ({"about": "guess"}, 422),
        ({"about": "loss_later", "steps": 0}, 422),
        ({"about": "loss_later", "steps": 181}, 409),
        ({"about": "lit_next", "run": "none"}, 404),
    ],
)
async def test_an_unanswerable_question_is_not_asked(
    lesson: Lesson, body: dict[str, object], status: int
) -> None:
    found, problem = await lesson.ask("POST", "/api/class/question", {"run": lesson.run.id, **body})
    assert found == status, problem
    assert lesson.apps.classroom.questions.current is None
    assert (await lesson.reveal())[0] == 404


async def test_a_finished_run_cannot_be_predicted(lesson: Lesson) -> None:
    lesson.trainer.end()
    status, problem = await lesson.question("lit_next")
    assert status == 409
    assert "nothing is left to predict" in problem["detail"]


async def test_viewers_predict_anonymously_until_it_is_closed(lesson: Lesson) -> None:
    classroom = lesson.apps.classroom
    viewers = [lesson.apps.join()[0] for _ in range(4)]
    _, asked = await lesson.question("lit_next")
    number = asked["id"]

    def predict(viewer: str, answer: float, question: int = number) -> bool:
        return classroom.predict(viewer, PredictionMessage(question=question, answer=answer))

    assert all(predict(viewer, 10.0 + place) for place, viewer in enumerate(viewers))
    assert predict(viewers[0], 20)
    assert not predict(viewers[0], -1)
    assert not predict(viewers[0], 41)
    assert not predict("unknown", 3)
    assert not predict(viewers[0], 3, number + 1)
    message = classroom.message_for(viewers[0], text=True)
    assert message is not None
    assert message.question is not None
    assert (message.answer, message.question.answered, message.question.outcome) == (20, 4, None)
    await lesson.ask("PATCH", "/api/class/question", {"state": "closed"})
    assert not predict(viewers[1], 5)
    lesson.trainer.train(1)
    _, shown = await lesson.reveal()
    outcome = shown["outcome"]
    assert sum(outcome["counts"]) == 4
    assert outcome["median"] == 12.5
    message = classroom.message_for(viewers[1], text=True)
    assert message is not None
    assert message.question is not None
    assert message.question.outcome is not None
    assert message.question.outcome.value == outcome["value"]
    status, body = await lesson.ask("GET", "/api/class/answers.csv")
    rows = list(csv.reader(body.decode().splitlines()))
    assert status == 200
    assert [row[1] for row in rows[1:]] == ["11", "12", "13", "20"]
    assert not any(viewer in body.decode() for viewer in viewers)
    classroom.end_class()
    assert (await lesson.ask("GET", "/api/class/answers.csv"))[0] == 404


async def test_answers_of_ended_sessions_are_dropped_until_the_question_is_closed(lesson: Lesson) -> None:
    classroom = lesson.apps.classroom
    first, second, third = (lesson.apps.join()[0] for _ in range(3))
    _, asked = await lesson.question("lit_next")

    def predict(viewer: str) -> bool:
        return classroom.predict(viewer, PredictionMessage(question=asked["id"], answer=7))

    async def answered() -> int:
        return json.loads((await lesson.ask("GET", "/api/class"))[1])["question"]["answered"]

    assert all(predict(viewer) for viewer in (first, second, third))
    assert (await lesson.ask("DELETE", f"/api/class/members/{first}"))[0] == 204
    assert await answered() == 2
    # A viewer who joins repeatedly counts once, and answers once.
    for _ in range(60):
        again, _ = lesson.apps.join()
        assert predict(again)
        classroom.end_session(again)
    assert await answered() == 2
    await lesson.ask("PATCH", "/api/class/question", {"state": "closed"})
    classroom.end_session(second)
    assert await answered() == 2, "what was said is said"
    assert [member.id for member in classroom.members()] == [third]


def test_a_choice_must_be_an_integer_index() -> None:
    question = Question("lit_word", "?", "run", 0, 1, choices=("Yes", "No"), high=1.0)
    assert [question.take("a", answer) for answer in (0, 1, 0.5, 2, -1, float("nan"))] == [True, True] + [
        False
    ] * 4
    question.reveal(Measured(0, 1))
    shown = question.shown_to_class().outcome
    assert shown is not None
    assert (shown.counts, shown.edges, shown.median) == ([0, 1], [], None)


def test_bins_hold_every_value_and_have_round_edges() -> None:
    random = np.random.default_rng(3)
    for values in (
        [5.0],
        [0.0],
        [1e6, 0.0],
        [0.3, 0.31],
        *(list(random.lognormal(0, 3, 20)) for _ in range(50)),
    ):
        edges = bin_edges([float(value) for value in values])
        assert 2 <= len(edges) <= 14
        assert int(np.histogram(values, edges)[0].sum()) == len(values), values
        assert all(len(f"{edge:g}") <= 8 for edge in edges)
    assert bin_edges([]) == []


async def test_two_questions_are_asked_before_and_after_and_saved_together(lesson: Lesson) -> None:
    lesson.trainer.end()
    classroom = lesson.apps.classroom
    viewers = [lesson.apps.join()[0] for _ in range(2)]

    async def ask_written(about: str, when: str, *texts: str) -> None:
        status, asked = await lesson.question(about, when=when)
        assert (status, asked["outcome"]) == (201, None)
        for viewer, text in zip(viewers, texts, strict=False):
            assert classroom.predict(viewer, PredictionMessage(question=asked["id"], written=text))

    await ask_written("how", "before", "it is\r\nbroken\u202e", "=1+1")
    assert not classroom.predict(
        viewers[0], PredictionMessage(question=classroom.questions.written()[0].id, written=" \n")
    )
    message = classroom.message_for(viewers[1], text=True)
    assert message is not None
    assert (message.answer, message.written) == (0.0, "=1+1")
    assert (await lesson.reveal())[0] == 409
    await ask_written("change", "before", "the text")
    await ask_written("how", "after", "guesses")
    # Asked again, it has its answers, and takes others.
    await ask_written("how", "before", "it is broken")
    assert (await lesson.ask("DELETE", "/api/class/question"))[0] == 204
    known = json.loads((await lesson.ask("GET", "/api/class"))[1])["written"]
    assert [(one["about"], one["when"], one["answered"], one["outcome"], one["state"]) for one in known] == [
        ("how", "before", 2, None, "closed"),
        ("change", "before", 1, None, "closed"),
        ("how", "after", 1, None, "closed"),
    ]
    table = list(csv.DictReader((await lesson.ask("GET", "/api/class/answers.csv"))[1].decode().splitlines()))
    assert [(row["question"][:2], row["when"], row["answer"], row["level"]) for row in table] == [
        ("A.", "before", "'=1+1", ""),
        ("A.", "after", "guesses", ""),
        ("A.", "before", "it is broken", ""),
        ("B.", "before", "the text", ""),
    ]
    state = classroom.questions.export_state()
    assert type(state).model_validate_json(state.model_dump_json()).written == state.written
    classroom.end_class()
    assert classroom.questions.written() == []
    for body in ({"about": "how"}, {"about": "lit_next", "when": "after"}, {"about": "how", "when": "soon"}):
        assert (await lesson.question(**body))[0] == 422  # pyright: ignore[reportArgumentType]
