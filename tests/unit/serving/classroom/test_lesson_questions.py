"""The course with a class: predictions from the presenter's place, bounded by the server's text, shown beside
the numbers.
"""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path
from typing import Any

import pytest

from lamplighter.lessons.class_answers import COLUMNS
from lamplighter.lessons.numbers import NumberValue
from lamplighter.lessons.part import Prediction, parse_number_name
from lamplighter.runfolder.run_store import RunStore
from lamplighter.serving.classroom.questions.asked_questions import MAX_LESSONS
from lamplighter.serving.classroom.questions.lesson_question import LessonQuestion
from lamplighter.serving.schemas.classroom import PredictionMessage
from tests.support.asgi import call
from tests.support.classroom.class_apps import CLASS_HOST, ClassApps, make_class_apps
from tests.support.folders import FakeTrainer, make_run

PART = """title: A part
minutes: 5

# question: Who?

# prediction: Kin
predict: =How many of the ten are animals?
number: word.kin.dog@0|count
from: 0
to: 10

# prediction: Share
predict: What share?
number: run.random_cosine|percent
choice: 10 = few
choice: 40 = some
choice: 90 = -most

# look: Nothing yet

# number: There

{word.kin.dog@0|count}

# prediction: Later
predict: How many later?
number: word.kin.dog@90|count
from: 0
to: 10

# own-words: Say it
"""
ODD = """title: Odd
minutes: 5

# prediction: Narrow
predict: A line with no room?
number: run.rows|count
from: 0
to: 5e-324

# prediction: Wide
predict: A wide one?
number: run.rows|percent
from: -1e9
to: 1e9

# prediction: At the end
predict: And here?
number: run.rows|count
choice: -1e9 = least
choice: 1e9 = most

# own-words: Say it
"""


class Course:
    """A class with a run at step 20, and a presenter who walks the course."""

    def __init__(self, folder: Path) -> None:
        lessons = folder / "lessons"
        lessons.mkdir()
        self.text = lessons / "20-a.md"
        self.text.write_text(PART)
        (lessons / "21-odd.md").write_text(ODD)
        (folder / "runs").mkdir()
        self.trainer = FakeTrainer(make_run(RunStore(folder / "runs"), steps=200)).begin().train(20)
        self.run = self.trainer.run
        self.apps: ClassApps = make_class_apps(folder / "runs", lessons=lessons)
        self.apps.services.class_listening.available = True
        token = self.apps.services.gate.credentials.token
        self._headers = {"host": "127.0.0.1:8600", "authorization": f"Bearer {token}"}
        self.viewers = [self.apps.join() for _ in range(4)]

    async def present(self, method: str, path: str, body: object = None) -> tuple[int, bytes]:
        given = {**self._headers, "content-type": "application/json"}
        answer = await call(self.apps.presenting, method, path, given, json.dumps(body).encode())
        return answer.status, answer.body

    async def go_to(self, stage: int, part: int = 20, **more: object) -> int:
        place = {"run": self.run.id, "part": part, "stage": stage, **more}
        return (await self.present("POST", "/api/class/lesson", place))[0]

    def told(self, viewer: int = 0) -> dict[str, Any]:
        """Return the message of the class to a viewer."""
        message = self.apps.classroom.message_for(self.viewers[viewer][0], text=True)
        assert message is not None
        return message.model_dump(mode="json")

    def answer(self, viewer: int, answer: float, question: int | None = None) -> bool:
        """Let a viewer predict, as the socket would."""
        asked = self.told(viewer)["question"]
        number = asked["id"] if question is None else question
        prediction = PredictionMessage(question=number, answer=answer)
        return self.apps.classroom.predict(self.viewers[viewer][0], prediction)

    async def shown(self) -> list[dict[str, Any]]:
        """Return what a viewer sees of the course's predictions."""
        given = {"host": CLASS_HOST, "cookie": self.viewers[0][1]}
        answer = await call(self.apps.watching, "GET", "/api/class/lessons", given)
        assert answer.status == 200
        return answer.json["items"]


@pytest.fixture
def course(tmp_path: Path) -> Course:
    return Course(tmp_path)


async def test_a_stage_asks_the_class_and_its_predictions_appear_with_the_number(course: Course) -> None:
    assert await course.go_to(1) == 204
    assert course.told()["question"] is None
    await course.go_to(2)
    asked = course.told()["question"]
    assert (asked["about"], asked["part"], asked["stage"], asked["state"]) == ("lesson", 20, 2, "open")
    assert (asked["low"], asked["high"], asked["choices"]) == (0, 10, [])
    for viewer, value in enumerate((0, 2, 4, 10)):
        assert course.answer(viewer, value)
    assert course.told(1)["answer"] == 2
    await course.go_to(3)
    choice = course.told()["question"]
    assert (choice["choices"], choice["low"], choice["high"]) == (["few", "some", "-most"], 0, 2)
    assert not course.answer(0, 5, asked["id"]), "what was before is over"
    assert course.answer(0, 2)
    await course.go_to(4)
    assert course.told()["question"]["state"] == "closed"
    assert not course.answer(1, 1)
    assert (await course.shown(), course.told()["question"]["outcome"]) == ([], None), (
        "an early answer would bias the class"
    )
    before = course.told()["lessons"]
    await course.go_to(5)
    assert course.told()["lessons"] > before
    kin, share = await course.shown()
    path = f"/api/runs/{course.run.id}/lessons/20"
    numbers = json.loads((await course.present("GET", path))[1])["numbers"]
    assert kin["measured"] == numbers["word.kin.dog@0"]["value"] == kin["question"]["outcome"]["value"]
    assert (kin["least"], kin["most"], kin["quartiles"]) == (0, 10, [1.5, 3, 5.5])
    assert kin["question"]["outcome"]["edges"] == [place - 0.5 for place in range(12)]
    assert kin["question"]["outcome"]["counts"] == [1, 0, 1, 0, 1, 0, 0, 0, 0, 0, 1]
    assert share["measured"] == pytest.approx(100 * numbers["run.random_cosine"]["value"])
    nearest = min(range(3), key=lambda place: abs((10, 40, 90)[place] - share["measured"]))
    assert share["question"]["outcome"]["value"] == nearest
    assert (share["least"], share["most"], share["quartiles"]) == (0, 2, [2, 2, 2])
    # Reporting the same place again changes nothing.
    told = course.told()["lessons"]
    await course.go_to(5)
    assert course.told()["lessons"] == told


async def test_the_class_is_asked_in_the_presenters_language(course: Course) -> None:
    german = course.text.parent / "de"
    german.mkdir()
    (german / course.text.name).write_text(PART.replace("=How many of the ten are animals?", "Wie viele?"))
    assert await course.go_to(2, lang="de") == 204
    assert course.told()["question"]["text"] == "Wie viele?"
    # A language without a translation falls back to English.
    assert await course.go_to(3, lang="fr") == 204
    assert course.told()["question"]["text"] == "What share?"
    assert await course.go_to(3, lang="../") == 422


async def test_a_closed_question_stays_closed_and_a_changed_text_is_not_compared(
    course: Course,
) -> None:
    assert await course.go_to(2) == 204
    assert course.answer(0, 4)
    assert (await course.present("PATCH", "/api/class/question", {"state": "closed"}))[0] in (200, 204)
    # The page reports its place again after every measurement.
    assert await course.go_to(2) == 204
    assert course.told()["question"]["state"] == "closed"
    # Another number at the same place is not the one this class was asked for.
    course.text.write_text(PART.replace("number: word.kin.dog@0|count", "number: run.rows|count"))
    assert await course.go_to(5) == 204
    (shown, *_) = [one for one in await course.shown() if one["question"]["stage"] == 2]
    assert shown["measured"] != len(course.run.vocabulary)


async def test_an_unknown_number_is_shown_once_known(course: Course) -> None:
    await course.go_to(6)
    course.answer(0, 3)
    await course.go_to(7)
    (later,) = await course.shown()
    assert (later["measured"], later["question"]["outcome"]["value"]) == (None, None)
    assert later["quartiles"] == [3, 3, 3]
    course.trainer.train(100)
    await course.go_to(7)
    (later,) = await course.shown()
    assert later["measured"] is not None


async def test_a_prediction_can_be_reopened_until_it_was_shown(course: Course) -> None:
    await course.go_to(2)
    first = course.told()["question"]["id"]
    assert course.answer(0, 3)
    await course.go_to(3)
    await course.go_to(2)
    again = course.told()
    assert (again["question"]["id"], again["question"]["state"], again["answer"]) == (first, "open", 3)
    assert course.answer(0, 4)
    await course.go_to(5)
    await course.go_to(2)
    assert course.told()["question"]["state"] == "revealed"
    assert not course.answer(0, 9)
    # A text that has changed asks another question.
    course.text.write_text(PART.replace("to: 10", "to: 11", 1))
    await course.go_to(2)
    asked = course.told()["question"]
    assert (asked["id"] != first, asked["high"], asked["answered"]) == (True, 11, 0)


async def test_a_hostile_viewer_changes_nothing(course: Course) -> None:
    await course.go_to(2)
    asked = course.told()["question"]
    for odd in (-0.001, 10.001, 1e308, -1e308, math.nan, math.inf):
        number = asked["id"]
        prediction = PredictionMessage.model_construct(question=number, answer=odd)
        assert not course.apps.classroom.predict(course.viewers[0][0], prediction), odd
    assert not course.answer(0, 3, asked["id"] + 1)
    assert course.answer(0, 3)
    assert course.answer(0, 7), "the last one counts, once"
    assert course.told()["question"]["answered"] == 1
    await course.go_to(3)
    for odd in (0.5, -1, 3):
        assert not course.answer(0, odd)
    # A viewer can neither move the course nor ask in it.
    given = {"host": CLASS_HOST, "cookie": course.viewers[0][1], "content-type": "application/json"}
    moved = await call(course.apps.watching, "POST", "/api/class/lesson", given, b"{}")
    assert moved.status in (403, 404)


async def test_a_reopened_prediction_counts_the_viewers_present(course: Course) -> None:
    await course.go_to(2)
    assert all(course.answer(viewer, viewer + 1) for viewer in range(4))
    await course.go_to(3)
    for viewer in (1, 2):
        assert course.apps.classroom.end_session(course.viewers[viewer][0])
    (kept,) = [one for one in course.apps.classroom.questions.lessons() if one.stage == 2]
    assert kept.answers() == [1, 2, 3, 4], "it is closed"
    await course.go_to(2)
    assert course.told()["question"]["answered"] == 2
    assert kept.answers() == [1, 4]


async def test_odd_bounds_of_a_text_are_shown_as_they_are(course: Course) -> None:
    for stage in (1, 2, 3):
        assert await course.go_to(stage, part=21) == 204
        high = course.told()["question"]["high"]
        assert course.answer(0, high)
    assert await course.go_to(4, part=21) == 204
    narrow, wide, _ = await course.shown()
    assert len(wide["question"]["outcome"]["edges"]) == 11
    for one in (narrow, wide):
        outcome = one["question"]["outcome"]
        assert sum(outcome["counts"]) == 1
        assert (outcome["edges"][0], outcome["edges"][-1]) == (one["least"], one["most"])
        assert outcome["edges"] == sorted(outcome["edges"])
    assert narrow["measured"] == len(course.run.vocabulary)


def test_a_number_too_large_to_show_is_unknown() -> None:
    measured = Prediction("?", parse_number_name("run.random_cosine"), "percent", 0, 100, "%")
    question = LessonQuestion("lesson", "?", "run", 0, 0, part=1, stage=1, high=100, measured_by=measured)
    assert question.reveal_number(NumberValue(1e308, 3))
    assert (question.number, question.measured) == (None, None)
    assert "Infinity" not in question.answers_shown().model_dump_json()


async def test_rejects_invalid_place(course: Course) -> None:
    places: tuple[tuple[dict[str, Any], int], ...] = (
        ({"part": 99}, 404),
        ({"stage": 8}, 404),
        ({"stage": 0}, 422),
        ({"stage": 10**9}, 422),
        ({"part": -1}, 422),
        ({"run": "none"}, 404),
        ({"run": "../../etc"}, 404),
        ({"low": 0}, 422),
    )
    for place, status in places:
        assert await course.go_to(**{"stage": 2, **place}) == status, place
    course.apps.services.class_listening.available = False
    assert await course.go_to(2) == 409, "without a class nothing is asked"
    assert course.told()["question"] is None


async def test_the_answer_file_has_the_course_and_the_class_ends_with_it(course: Course) -> None:
    await course.go_to(2)
    course.answer(0, 4)
    await course.go_to(3)
    course.answer(0, 2)
    await course.go_to(5)
    # Leaving the course closes its question; another question keeps the answers of the course.
    await course.go_to(1, part=0)
    assert course.told()["question"] is None
    asked = {"run": course.run.id, "about": "lit_next"}
    assert (await course.present("POST", "/api/class/question", asked))[0] == 201
    course.answer(0, 6)
    rows = list(csv.reader((await course.present("GET", "/api/class/answers.csv"))[1].decode().splitlines()))
    assert rows[0] == list(COLUMNS)
    assert [(row[1], *row[5:7]) for row in rows[1:]] == [
        ("4", "20", "2"),
        ("'-most", "20", "3"),
        ("6", "", ""),
    ]
    assert rows[1][0].startswith("'="), "no spreadsheet takes it for a formula"
    assert rows[1][3] != ""
    course.apps.classroom.end_class()
    assert (await course.present("GET", "/api/class/answers.csv"))[0] == 404
    assert course.apps.classroom.questions.lessons() == []


def test_at_most_one_course_of_predictions_is_kept(course: Course) -> None:
    questions = course.apps.classroom.questions
    for part in range(MAX_LESSONS + 10):
        questions.ask_lesson(LessonQuestion("lesson", "?", "run", 0, 0, part=part, stage=1))
    assert [one.part for one in questions.lessons()] == list(range(10, MAX_LESSONS + 10))
