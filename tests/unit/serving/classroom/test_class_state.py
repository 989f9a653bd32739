"""The state of a class in the broker: it comes back whole, and a forged one is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import zstandard

from lamplighter.lessons.number_name import parse_number_name
from lamplighter.lessons.part import Prediction
from lamplighter.serving.classroom import join_code
from lamplighter.serving.classroom.classroom import Classroom
from lamplighter.serving.classroom.join_code import JoinCode
from lamplighter.serving.classroom.questions.lesson_question import LessonQuestion
from lamplighter.serving.classroom.questions.question import Question
from lamplighter.serving.classroom.sharing import class_state
from lamplighter.serving.classroom.sharing.class_asks import JoinAsk, PredictAsk
from lamplighter.serving.classroom.sharing.class_state import StateError, decode_state, encode_state
from lamplighter.serving.schemas.classroom import PointedWord, PredictionMessage
from tests.support.classroom.class_apps import PHONE, PUPIL, Clock

CHOICES = {"choices": ("yes", "no"), "low": 0.0, "high": 1.0}


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
    classroom.point(PointedWord(run="run", token=4))
    classroom.note_new_run("run")
    return classroom


def test_a_class_comes_back_whole(full: Classroom, tmp_path: Path):
    state = decode_state(encode_state(full.export_state()))
    other = Classroom(tmp_path / "other", 500)
    other.restore_state(state, kept=False)
    assert other.code_and_secret() == full.code_and_secret()
    assert [(one.id, one.number, one.role) for one in other.members()] == [
        (one.id, one.number, one.role) for one in full.members()
    ]
    for one in full.members():
        assert other.message_for(one.id, text=True) == full.message_for(one.id, text=True)
    question, before = other.questions.current, full.questions.current
    assert isinstance(question, LessonQuestion)
    assert question == before
    assert question is other.questions.lessons()[0]
    assert other.door is False
    # What is asked next has another number, and who joins too.
    other.questions.ask(asked())
    assert other.questions.current is not None
    assert other.questions.current.id == question.id + 1
    other.door = True
    assert other.join(other.code_and_secret()[1], PUPIL, PHONE)[0].number == 4


def test_what_is_asked_again_changes_nothing(full: Classroom):
    full.door = True
    ask = JoinAsk(code=full.code_and_secret()[1], address=PUPIL, user_agent=PHONE, cookie_digest="0" * 64)
    first, again = full.decide(ask), full.decide(ask)
    assert first == again
    assert len(full.members()) == 4
    question = full.questions.current
    assert question is not None
    session = full.members()[1].id

    def predict(answer: float, number: int) -> int:
        prediction = PredictionMessage(question=question.id, answer=answer, id=number)
        return full.decide(PredictAsk(session=session, prediction=prediction)).status

    assert predict(50.0, 8) == 200
    assert predict(50.0, 8) == 200
    # An earlier one that was underway for longer.
    assert predict(10.0, 7) == 409
    assert question.answer_of(session) == 50
    assert len(question.answers()) == 3


FORGED: dict[str, Callable[[Any], object]] = {
    "door": lambda state: state.update(door="perhaps"),
    "fence": lambda state: state.update(fence=-1),
    "more": lambda state: state.update(extra=1),
    "without a code": lambda state: state.pop("code"),
    "code": lambda state: state["code"].update(typed="<b>"),
    "id": lambda state: state["sessions"][0].update(id="../../etc"),
    "role": lambda state: state["sessions"][0].update(role="presenter"),
    "browser": lambda state: state["sessions"][0].update(browser="x" * 101),
    "view": lambda state: state.update(view="a view with spaces"),
    "shown lesson": lambda state: state["questions"].update(shown_lesson=1),
    "question": lambda state: state["questions"]["lessons"][0].update(state="won"),
    "number": lambda state: state["questions"]["lessons"][0]["measured_by"].update(number="os.system"),
    "answer": lambda state: next(iter(state["questions"]["lessons"][0]["given"].values())).update(answer=101),
    "not a number": lambda state: next(iter(state["questions"]["lessons"][0]["given"].values())).update(
        answer="nan"
    ),
}


@pytest.mark.parametrize("forged", list(FORGED))
def test_a_forged_state_is_refused(full: Classroom, forged: str):
    state = json.loads(zstandard.decompress(encode_state(full.export_state())))
    FORGED[forged](state)
    with pytest.raises(StateError) as refused:
        decode_state(zstandard.compress(json.dumps(state).encode()))
    # It goes into a log.
    assert full.code_and_secret()[1] not in str(refused.value)


@pytest.mark.parametrize(
    "data",
    [b"", b"{}", b"\x28\xb5\x2f\xfd", zstandard.compress(b"[" * 100_000)],
    ids=["empty", "bare", "cut", "deep"],
)
def test_what_is_no_state_is_refused(data: bytes):
    with pytest.raises(StateError):
        decode_state(data)


def test_a_state_that_grows_without_end_is_refused():
    bomb = zstandard.compress(bytes(class_state.MAX_BYTES + 1))
    assert len(bomb) < 10_000
    with pytest.raises(StateError, match="too large"):
        decode_state(bomb)


def test_an_answer_that_is_no_choice_is_refused(full: Classroom):
    question = asked(**CHOICES)
    full.questions.ask(question)
    session = full.members()[0].id
    assert question.take(session, 1.0)
    decode_state(encode_state(full.export_state()))
    question.high = 5.0
    assert not question.take(session, 5.0)
    state = json.loads(zstandard.decompress(encode_state(full.export_state())))
    state["questions"]["current"]["given"][session]["answer"] = 5
    with pytest.raises(StateError):
        decode_state(zstandard.compress(json.dumps(state).encode()))


def test_only_the_owner_changes_the_code():
    clock = Clock()
    owner, other = JoinCode(clock), JoinCode(clock)
    other.restore_codes(*owner.states(), kept=True)
    clock.now = 2 * join_code.LIFETIME
    assert other.secret != owner.secret
    assert other.is_secret(other.secret)
    other.restore_codes(*owner.states(), kept=False)
    secret = owner.secret
    assert other.secret == owner.secret
    clock.now += join_code.LIFETIME - 1
    assert other.secret == owner.secret
    clock.now += 2
    assert other.secret not in (secret, owner.secret)
