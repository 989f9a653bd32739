"""Schemas of the course: its parts, and one of them as a tree, with the numbers of a run."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Literal

from lamplighter.lessons.numbers import NumberValue, PartQuestion
from lamplighter.lessons.part import LessonCorpus, Part, Prediction, Span, Stage, TextBlock
from lamplighter.serving.schemas.base import ApiModel, Items

NumberForm = Literal["count", "decimal", "percent", "large", "significant"]


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


class LessonSpan(ApiModel):
    """A piece of a line of text, all in one style."""

    style: Literal["plain", "emphasis", "strong", "code"]
    text: str
    """Empty for a number."""
    view: str | None
    """The query of the view that a link opens, without a text one whose address is written out; null: it is no link."""
    number: str | None
    """The name of a number, among `numbers`; null: it is text."""
    form: NumberForm | None
    """The form in which the number is told."""


class LessonBlock(ApiModel):
    """A paragraph or a formula, of one line, or a list of several."""

    kind: Literal["paragraph", "list", "formula"]
    lines: list[list[LessonSpan]]


class LessonChoice(ApiModel):
    """An answer to choose."""

    value: float
    text: str


class LessonPrediction(ApiModel):
    """A number that is asked for before it is shown."""

    text: str
    number: str
    """The name of the measured number, among `numbers`."""
    form: NumberForm
    """The form of both; a `percent` is predicted from 0 to 100, and measured as a share."""
    least: float
    most: float
    unit: str
    choices: list[LessonChoice]
    """Up to four answers, of which that with the value nearest to the measured number is right; none: a number on a line."""


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

    kind: Literal["question", "prediction", "look", "number", "fails", "own-words"]
    title: str
    blocks: list[LessonBlock]
    view: str | None
    """The query of the view that it sets; null: the view stays."""
    prediction: LessonPrediction | None
    waits_for_step: int | None
    """The step that the run has not come to, and that the stage is about; null: it waits for none."""
    examination: LessonExamination | None


class LessonNumber(ApiModel):
    """A number that a text names."""

    value: float | None
    """Null: it is not known."""
    step: int | None
    """The step that it is of, where it is of one."""
    waits_for: Literal["step", "measure", "answer", "ended", "button"] | None
    """The thing that is missing where a number is unknown: a step, a measure or an answer; `ended`: a step that the run did not come to; `button`: an
    answer that only a person may ask for."""


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
    numbers: dict[str, LessonNumber]


def describe_parts(parts: Sequence[Part], taught: Collection[int]) -> LessonList:
    """Return a list of parts as the interface has it; about those in `taught` there is a page for the teacher."""
    return LessonList(
        items=[
            LessonSummary(
                number=one.number,
                title=one.title,
                aim=one.aim,
                language=one.language,
                minutes=one.minutes,
                stages=len(one.stages),
                teacher=one.number in taught,
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
        numbers={
            name: LessonNumber(value=one.value, step=one.step, waits_for=one.waits_for)
            for name, one in numbers.items()
        },
    )


def _describe_stage(stage: Stage, step: int, questions: Mapping[str, PartQuestion]) -> LessonStage:
    asked = questions.get(stage.examination.name) if stage.examination else None
    return LessonStage(
        kind=stage.kind,
        title=stage.title,
        blocks=[_describe_block(block) for block in stage.blocks],
        view=stage.view,
        prediction=stage.prediction and _describe_prediction(stage.prediction),
        waits_for_step=stage.reached if stage.reached > step else None,
        examination=asked
        and LessonExamination(
            id=asked.id,
            question=asked.question.model_dump(mode="json"),
            state=asked.entry.state if asked.entry else None,
            share=asked.entry.share if asked.entry else 0,
        ),
    )


def _describe_block(block: TextBlock) -> LessonBlock:
    return LessonBlock(
        kind=block.kind,
        lines=[[describe_span(span) for span in line] for line in block.lines],
    )


def describe_span(span: Span) -> LessonSpan:
    """Return a piece of a text as the interface has it."""
    number = span.number
    return LessonSpan(
        style=span.style,
        text=span.text,
        view=span.view,
        number=number.name.text if number else None,
        form=number.form if number else None,
    )


def _describe_prediction(asked: Prediction) -> LessonPrediction:
    return LessonPrediction(
        text=asked.text,
        number=asked.measured.name.text,
        form=asked.measured.form,
        least=asked.least,
        most=asked.most,
        unit=asked.unit,
        choices=[LessonChoice(value=choice.value, text=choice.text) for choice in asked.choices],
    )
