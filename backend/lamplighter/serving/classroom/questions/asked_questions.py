"""The questions of a class: one at a time. The course's predictions, and the questions with written answers before and
after the lesson, are kept with their answers until the class ends, and given to the presenter as CSV."""

from __future__ import annotations

import csv
import io
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from lamplighter.lessons.class_answers import COLUMNS
from lamplighter.serving.classroom.questions.lesson_question import LessonQuestion
from lamplighter.serving.classroom.questions.question import Question
from lamplighter.serving.schemas.classroom import LessonAnswers, PredictionMessage

RunName = Annotated[str, Field(max_length=200)]
Count = Annotated[int, Field(ge=0, lt=1 << 53)]


class QuestionsState(BaseModel):
    """The questions of a class with their answers, as they are stored."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False, revalidate_instances="never")

    current: Question | None
    """The question, unless it is one of the course or has written answers."""
    lessons: Annotated[list[LessonQuestion], Field(max_length=100)]
    shown_lesson: Annotated[int, Field(ge=0, lt=100)] | None
    """The position of the course's question that is shown, among `lessons`."""
    written: Annotated[list[Question], Field(max_length=4)]
    """The questions with written answers, before the lesson and after it."""
    shown_written: Annotated[int, Field(ge=0, lt=4)] | None
    """The position of the one that is shown, among `written`."""
    place: tuple[RunName, int, int] | None
    numbered: Count
    revealed: Count

    def is_sound(self) -> bool:
        """Return whether the shown question is among them, and every answer fits its question."""
        known = (self.shown_lesson or 0) < max(1, len(self.lessons)) and (self.shown_written or 0) < max(
            1, len(self.written)
        )
        return known and all(
            one.is_sound() for one in (*self.lessons, *self.written, self.current) if one is not None
        )


MAX_LESSONS = 100
"""Maximum number of the course's predictions kept, several times those of the app's course."""


class AskedQuestions:
    """The current question, and the predictions of the course. Thread-safe."""

    def __init__(
        self, lock: threading.RLock, changed: Callable[[], None], is_here: Callable[[str], bool]
    ) -> None:
        """Use the class's lock. `changed` is called after every change, without the lock; `is_here` returns
        whether a session is valid, and is called with the lock.
        """
        self._lock, self._changed, self._is_here = lock, changed, is_here
        self._question: Question | None = None
        self._lessons: dict[tuple[str, int, int], LessonQuestion] = {}
        self._written: dict[tuple[str, str | None], Question] = {}
        """The questions with written answers, by subject and round: at most four."""
        self._place: tuple[str, int, int] | None = None
        """The presenter's place in the course, if it has a question."""
        self._numbered = 0
        self._shown: tuple[int, list[LessonAnswers]] = (-1, [])
        self.revealed_lessons = 0
        """A version that grows when predictions of the course are revealed or forgotten."""

    @property
    def current(self) -> Question | None:
        """Return the question, with its answers; None while there is none."""
        return self._question

    def ask(self, question: Question) -> Question:
        """Ask the class. An earlier question and its answers are forgotten, except those of the course and written ones.
        Returns the question as it is asked: one with written answers that was asked before has them, and opens again.
        """
        with self._lock:
            self._close_kept()
            if question.when:
                question = self._written.setdefault((question.about, question.when), question)
                question.open_again()
                question.forget_gone(self._is_here)
            self._put(question)
        self._changed()
        return question

    def drop_current(self) -> None:
        """Drop the question. It is forgotten with its answers, except those of the course and written ones."""
        with self._lock:
            self._close_kept()
            self._question = None
        self._changed()

    def note_changed(self) -> None:
        self._changed()

    def forget_all(self) -> None:
        with self._lock:
            self._question = self._place = None
            self._lessons.clear()
            self._written.clear()
            self.revealed_lessons += 1
        self._changed()

    def take_prediction(self, session_id: str, prediction: PredictionMessage) -> bool:
        """Record a session's prediction, replacing an earlier one. Returns False if it does not fit an open
        question.
        """
        with self._lock:
            question = self._question
            taken = (
                question is not None
                and question.id == prediction.question
                and question.take(session_id, prediction.answer, prediction.id, prediction.written)
            )
        if taken:
            self._changed()
        return taken

    def forget_gone(self) -> None:
        """Forget the predictions of ended sessions while the question is open, because a viewer who rejoins would count
        twice."""
        with self._lock:
            if self._question is not None:
                self._question.forget_gone(self._is_here)

    def lessons(self) -> list[LessonQuestion]:
        """Return the predictions of the course that were asked, with their answers, in the order of the course."""
        with self._lock:
            return sorted(self._lessons.values(), key=lambda one: (one.run, one.part, one.stage))

    def written(self) -> list[Question]:
        with self._lock:
            return list(self._written.values())

    def shown_lessons(self) -> list[LessonAnswers]:
        """Return the revealed predictions of the course. They are described once for all viewers."""
        with self._lock:
            number = self.revealed_lessons
            if self._shown[0] != number:
                shown = [one.answers_shown() for one in self.lessons() if one.state == "revealed"]
                self._shown = (number, shown)
            return self._shown[1]

    def ask_lesson(self, made: LessonQuestion) -> None:
        """Ask a prediction of the course. One that was asked before returns with its answers, open unless
        revealed.
        """
        with self._lock:
            place = (made.run, made.part, made.stage)
            if (
                place == self._place
                and (known := self._lessons.get(place)) is not None
                and known.is_like(made)
            ):
                # Asked again after a measurement: a question that the presenter closed stays closed.
                return
            self._place = place
            known = self._lessons.pop(place, None)
            question = known if known is not None and known.is_like(made) else made
            self._lessons[place] = question
            if len(self._lessons) > MAX_LESSONS:
                del self._lessons[next(iter(self._lessons))]
            if question is self._question and question.state != "closed":
                return
            self._close_kept()
            question.open_again()
            question.forget_gone(self._is_here)
            self._put(question)
        self._changed()

    def close_lesson(self, *, leave: bool = False) -> None:
        """Close the course's question; `leave`: also hide it. A question of another kind stays."""
        with self._lock:
            self._place = None
            changed = isinstance(self._question, LessonQuestion) and self._close_kept()
            if leave and isinstance(self._question, LessonQuestion):
                self._question, changed = None, True
        if changed:
            self._changed()

    def note_lessons_revealed(self) -> None:
        with self._lock:
            self.revealed_lessons += 1
        self._changed()

    def export_state(self) -> QuestionsState:
        """Return all questions with their answers. Call it with the lock."""
        lessons, written, current = list(self._lessons.values()), list(self._written.values()), self._question
        shown = next((place for place, one in enumerate(lessons) if one is current), None)
        shown_written = next((place for place, one in enumerate(written) if one is current), None)
        return QuestionsState(
            current=current if shown is None and shown_written is None else None,
            lessons=lessons,
            shown_lesson=shown,
            written=written,
            shown_written=shown_written,
            place=self._place,
            numbered=self._numbered,
            revealed=self.revealed_lessons,
        )

    def restore_state(self, state: QuestionsState) -> None:
        """Take over the questions of an earlier server. Call it with the lock."""
        self._lessons = {(one.run, one.part, one.stage): one for one in state.lessons}
        self._written = {(one.about, one.when): one for one in state.written}
        self._question = state.current
        if state.shown_lesson is not None:
            self._question = state.lessons[state.shown_lesson]
        elif state.shown_written is not None:
            self._question = state.written[state.shown_written]
        self._place, self._numbered = state.place, state.numbered
        self.revealed_lessons = state.revealed
        self._shown = (-1, [])

    def _put(self, question: Question) -> None:
        if not question.id:
            self._numbered += 1
            question.id = self._numbered
        self._question = question

    def _close_kept(self) -> bool:
        """Close the question if it outlives the next one. Returns whether it was open."""
        question = self._question
        if question is None or question.state != "open":
            return False
        if not isinstance(question, LessonQuestion) and question.when is None:
            return False
        question.close()
        return True


def write_answers(questions: Sequence[Question]) -> str:
    """Return the answers as CSV, without anything that tells which of them are of one viewer.

    Written answers are sorted across both rounds, so that with the column `when` hidden they can be marked blindly.
    """
    text = io.StringIO()
    table = csv.DictWriter(text, COLUMNS, restval="")
    table.writeheader()
    for question in questions:
        if question.when is None:
            table.writerows(_predictions(question))
    written = [row for question in questions if question.when for row in _written(question)]
    table.writerows(sorted(written, key=lambda row: (row["question"], row["answer"].casefold())))
    return text.getvalue()


def _predictions(question: Question) -> Iterator[dict[str, object]]:
    measured = question.measured
    about: dict[str, object] = {"question": _cell(question.text), "unit": _cell(question.unit)}
    if question.choices:
        about["choices"] = len(question.choices)
    if measured is not None:
        about |= {"measured": _shown(question, measured.value), "step": measured.step}
    if isinstance(question, LessonQuestion):
        about |= {"part": question.part, "stage": question.stage}
    for answer in question.answers():
        yield {**about, "prediction": _shown(question, answer)}


def _written(question: Question) -> Iterator[dict[str, str]]:
    for text in question.texts():
        seen = "".join(sign if sign.isprintable() else " " for sign in text)
        answer = _cell(" ".join(seen.split()))
        yield {"question": _cell(question.text), "when": question.when or "", "answer": answer}


def _shown(question: Question, value: float) -> str:
    if not question.choices:
        return f"{value:g}"
    return _cell(question.choices[int(value)])


def _cell(text: str) -> str:
    """Return a text as a cell that no spreadsheet treats as a formula."""
    return f"'{text}" if text[:1] in tuple("=+-@\t\r") else text
