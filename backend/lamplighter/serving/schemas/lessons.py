"""Schemas of the course: its parts, one of them as a tree with the numbers of a run, and the pages for the teacher."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Literal

from lamplighter.lessons.numbers import NumberValue, PartQuestion
from lamplighter.lessons.part import LessonCorpus, Part, Prediction, Stage, StageKind, TextBlock
from lamplighter.lessons.teacher_page import TeacherSection
from lamplighter.serving.schemas.base import ApiModel, Items


class LessonSummary(ApiModel):
    """A part of the course in a list."""

    number: int
    title: str
    aim: str | None
    """The learning goal, in one line; null: the text has none."""
    language: str
    """The language of its text (ISO 639)."""
    minutes: int
    stages: int
    """The number of its stages."""
    teacher: bool
    """True if it has a page for the teacher, which only the presenter may read."""


class LessonList(Items[LessonSummary]):
    """The parts of the course, by number."""


class LessonExamination(ApiModel):
    """A question for the model that a stage asks."""

    id: str
    """The id of the examination."""
    question: dict[str, Any]
    state: Literal["waiting", "running", "done", "failed", "cancelled"] | None
    """Null: not asked."""
    share: float
    """Progress, from 0 to 1."""


class LessonStage(ApiModel):
    """One screen of a part."""

    kind: StageKind
    title: str
    blocks: list[TextBlock]
    view: str | None
    """The query of its view; null: the view stays."""
    prediction: Prediction | None
    waits_for_step: int | None
    """The step of the stage if the run has not reached it; null: it waits for no step."""
    examination: LessonExamination | None


class LessonPart(ApiModel):
    """A part of the course, with the numbers of a run."""

    number: int
    title: str
    language: str
    """The language of its text (ISO 639)."""
    minutes: int
    corpus: LessonCorpus
    """The corpus of its runs: a run that lacks its words links to one on that corpus."""
    step: int
    """The step of its numbers: the newest, or shortly before it while the run trains."""
    training: bool
    """True until the run has ended."""
    missing_words: list[str]
    """Words of the part that the run does not know; the part needs all of them."""
    stages: list[LessonStage]
    numbers: dict[str, NumberValue]


class TeacherPageAnswer(ApiModel):
    """A page for the teacher. Its numbers are among those of its part on a run."""

    number: int
    """The number of the part; 0: the introduction."""
    title: str
    language: str
    """The language of its text (ISO 639)."""
    sections: list[TeacherSection]


def describe_parts(parts: Sequence[Part], taught: Collection[int]) -> LessonList:
    """Return a list of parts as a schema; those in `taught` have a page for the teacher."""
    return LessonList(
        items=[
            LessonSummary.model_validate(
                {**vars(one), "stages": len(one.stages), "teacher": one.number in taught}
            )
            for one in parts
        ]
    )


def describe_part(
    part: Part,
    *,
    step: int,
    training: bool,
    missing_words: Sequence[str],
    questions: Mapping[str, PartQuestion],
    numbers: Mapping[str, NumberValue],
) -> LessonPart:
    """Return a part as a schema."""
    return LessonPart(
        number=part.number,
        title=part.title,
        language=part.language,
        minutes=part.minutes,
        corpus=part.corpus,
        step=step,
        training=training,
        missing_words=list(missing_words),
        stages=[_describe_stage(stage, step, questions) for stage in part.stages],
        numbers=dict(numbers),
    )


def _describe_stage(stage: Stage, step: int, questions: Mapping[str, PartQuestion]) -> LessonStage:
    asked = questions.get(stage.examination.name) if stage.examination else None
    return LessonStage(
        kind=stage.kind,
        title=stage.title,
        blocks=list(stage.blocks),
        view=stage.view,
        prediction=stage.prediction,
        waits_for_step=stage.reached if stage.reached > step else None,
        examination=asked
        and LessonExamination(
            id=asked.id,
            question=asked.question.model_dump(mode="json"),
            state=asked.entry.state if asked.entry else None,
            share=asked.entry.share if asked.entry else 0,
        ),
    )
