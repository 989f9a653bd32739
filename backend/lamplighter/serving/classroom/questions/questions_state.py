"""The questions of a class with their answers, as they stand in the broker."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from lamplighter.serving.classroom.questions.lesson_question import LessonQuestion
from lamplighter.serving.classroom.questions.question import Question

RunName = Annotated[str, Field(max_length=200)]
Count = Annotated[int, Field(ge=0, lt=1 << 53)]


class SharedState(BaseModel):
    """A base of what several servers share."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False, revalidate_instances="never")


class QuestionsState(SharedState):
    """The questions of a class with their answers."""

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
