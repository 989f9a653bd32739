"""The class in the folder of runs: it comes back whole, and a forged or an old one is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lamplighter.lessons.part import Prediction, parse_number_name
from lamplighter.platform.steady_clock import SteadyClock
from lamplighter.serving.classroom.class_file import CLASS_FILE, read_class
from lamplighter.serving.classroom.classroom import Classroom
from lamplighter.serving.classroom.questions.lesson_question import LessonQuestion
from lamplighter.serving.classroom.questions.question import Question
from lamplighter.serving.classroom.viewer_sessions import LIFETIME
from lamplighter.serving.schemas.classroom import PredictionMessage
from tests.support.classroom.class_apps import PHONE, PUPIL, Clock


def asked(**fields: Any) -> Question:
    return Question("lit_next", "How many?", "run", 1, 2, **fields)


def lesson() -> LessonQuestion:
    measured = Prediction("How pure?", parse_number_name("purity_10nn@0"), "percent", 0, 100, "%")
    return LessonQuestion(
        "lesson", "How pure?", "run", 1, 1, high=100.0, part=2, stage=3, measured_by=measured
    )


@pytest.fixture
def full(tmp_path: Path) -> Classroom:
    """A class with viewers, an assistant, a question of the course, and all that can be set."""
    classroom = Classroom(tmp_path, 500)
    code, _ = classroom.code_and_secret()
    members = [classroom.join(code, PUPIL, PHONE)[0] for _ in range(3)]
    classroom.set_role(members[0].id, "assistant")
    classroom.questions.ask_lesson(lesson())
    question = classroom.questions.current
    assert question is not None
    for number, one in enumerate(members):
        classroom.predict(one.id, PredictionMessage(question=question.id, answer=10.0 * number, id=7))
    classroom.following, classroom.door = True, False
    classroom.show_view("run=run&step=5")
    classroom.save()
    return classroom


def restored(folder: Path) -> Classroom:
    other = Classroom(folder, 500)
    other.restore()
    return other


def test_a_class_comes_back_whole_with_a_new_code(full: Classroom, tmp_path: Path):
    other = restored(tmp_path)
    assert other.code_and_secret() != full.code_and_secret()
    assert [(one.id, one.number, one.role) for one in other.members()] == [
        (one.id, one.number, one.role) for one in full.members()
    ]
    for one in full.members():
        assert other.message_for(one.id, text=True) == full.message_for(one.id, text=True)
    question = other.questions.current
    assert isinstance(question, LessonQuestion)
    assert question == full.questions.current
    assert question is other.questions.lessons()[0]
    assert other.door is False
    # What is asked next has another number, and who joins too.
    other.questions.ask(asked())
    assert other.questions.current is not None
    assert other.questions.current.id == question.id + 1
    other.door = True
    assert other.join(other.code_and_secret()[1], PUPIL, PHONE)[0].number == 4


def test_nobody_is_told_of_an_answer_before_it_is_saved(full: Classroom, tmp_path: Path):
    asked_to_save, told = list[int](), list[int]()
    full.on_change(lambda: told.append(answers(restored(tmp_path))))
    full.save_before_telling(lambda: asked_to_save.append(1))
    question = full.questions.current
    assert question is not None
    full.door = True
    session = full.join(full.code_and_secret()[1], PUPIL, PHONE)[0].id
    full.predict(session, PredictionMessage(question=question.id, answer=5.0, id=1))
    assert asked_to_save
    assert told == []
    full.save()
    assert told == [4]


def answers(classroom: Classroom) -> int:
    question = classroom.questions.current
    return 0 if question is None else len(question.answers())


FORGED: dict[str, Callable[[Any], object]] = {
    "door": lambda state: state.update(door="perhaps"),
    "id": lambda state: state["sessions"][0].update(id="../../etc"),
    "role": lambda state: state["sessions"][0].update(role="presenter"),
    "browser": lambda state: state["sessions"][0].update(browser="x" * 101),
    "view": lambda state: state.update(view="a view with spaces"),
    "question": lambda state: state["questions"]["lessons"][0].update(state="won"),
    "number": lambda state: state["questions"]["lessons"][0]["measured_by"].update(number="os.system"),
    "not a number": lambda state: given(state).update(answer="nan"),
}
UNSOUND: dict[str, Callable[[Any], object]] = {
    "shown lesson": lambda state: state["questions"].update(shown_lesson=1),
    "answer": lambda state: given(state).update(answer=101.0),
}
"""Files of which the questions alone are refused."""


def given(state: Any) -> Any:
    return next(iter(state["questions"]["lessons"][0]["given"].values()))


@pytest.mark.parametrize("forged", [*FORGED, *UNSOUND])
def test_what_is_forged_is_not_taken_over(full: Classroom, tmp_path: Path, forged: str):
    path = tmp_path / CLASS_FILE
    state = json.loads(path.read_text())
    (FORGED | UNSOUND)[forged](state)
    path.write_text(json.dumps(state))
    other = restored(tmp_path)
    assert len(other.members()) == (3 if forged in UNSOUND else 0)
    assert other.questions.current is None


def test_a_class_of_yesterday_is_over(full: Classroom, tmp_path: Path):
    clock = Clock()
    state = json.loads((tmp_path / CLASS_FILE).read_text())
    now = SteadyClock(lambda: state["saved"], clock, None)
    assert read_class(tmp_path, now) is not None
    clock.now += LIFETIME
    assert read_class(tmp_path, now) is None
