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
    """The thing that one can say or do afterwards, in a line; null: its text has none."""
    language: str
    """The language of its text (ISO 639)."""
    minutes: int
    stages: int
    """The number of its stages."""
    teacher: bool
    """True: there is a page for the teacher about it, which only the presenter may read."""


class LessonList(Items[LessonSummary]):
    """The parts of the course, by number."""


class LessonExamination(ApiModel):
    """A question for the model that a stage asks."""

    id: str
    """The id of the examination."""
    question: dict[str, Any]
    state: Literal["waiting", "running", "done", "failed", "cancelled"] | None
    """Null: nobody has asked it."""
    share: float
    """Progress, from 0 to 1."""


class LessonStage(ApiModel):
    """One screen of a part."""

    kind: StageKind
    title: str
    blocks: list[TextBlock]
    view: str | None
    """The query of the view that it sets; null: the view stays."""
    prediction: Prediction | None
    waits_for_step: int | None
    """The step that the run has not come to, and that the stage is about; null: it waits for none."""
    examination: LessonExamination | None


class LessonPart(ApiModel):
    """A part of the course, with the numbers of a run."""

    number: int
    title: str
    language: str
    """The language of its text (ISO 639)."""
    minutes: int
    corpus: LessonCorpus
    """The text of the runs that it is about: a run that lacks its words leads to one on that."""
    step: int
    """The step that it is of: the newest, or a little before it while the run trains."""
    training: bool
    """True until the run has ended."""
    missing_words: list[str]
    """Words that the part is about and the run does not know; with any the part cannot be told on this run."""
    stages: list[LessonStage]
    numbers: dict[str, NumberValue]


class TeacherPageAnswer(ApiModel):
    """A page for the teacher. The numbers that it names are among those of its part on a run."""

    number: int
    """The number of the part; 0: the page to read before the first."""
    title: str
    language: str
    """The language of its text (ISO 639)."""
    sections: list[TeacherSection]


def describe_parts(parts: Sequence[Part], taught: Collection[int]) -> LessonList:
    """Return a list of parts as the interface has it; about those in `taught` there is a page for the teacher."""
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
    """Return a part as the interface has it."""
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
