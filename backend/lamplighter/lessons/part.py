"""A part of the course as a tree: its stages, and the views, questions and numbers of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Annotated, Any, Literal

from pydantic import GetPydanticSchema
from pydantic_core import core_schema

from lamplighter.contract.documented_model import DocumentedRecord
from lamplighter.lessons.number_name import NumberName, parse_number_name

StageKind = Literal["question", "prediction", "look", "number", "fails", "own-words"]
STAGE_KINDS: tuple[StageKind, ...] = ("question", "prediction", "look", "number", "fails", "own-words")
SpanStyle = Literal["plain", "emphasis", "strong", "code"]
NumberForm = Literal["count", "decimal", "percent", "large", "significant"]
NUMBER_FORMS: tuple[NumberForm, ...] = ("count", "decimal", "percent", "large", "significant")

LessonCorpus = Literal["lamptown", "novels", "modular"]
LESSON_CORPORA: tuple[LessonCorpus, ...] = ("lamptown", "novels", "modular")
"""The corpora of runs that a part may be about; the first is the default."""


class LessonError(ValueError):
    """An error in a course text; the message names file and line and says what to do."""

    def __init__(self, file: str, line: int, message: str) -> None:
        super().__init__(f"{file}:{line}: {message}")


_AS_TEXT = core_schema.plain_serializer_function_ser_schema(
    attrgetter("text"), return_schema=core_schema.str_schema()
)
ShownName = Annotated[
    NumberName,
    GetPydanticSchema(
        lambda kind, _: core_schema.json_or_python_schema(
            core_schema.no_info_after_validator_function(parse_number_name, core_schema.str_schema()),
            core_schema.is_instance_schema(kind),
            serialization=_AS_TEXT,
        )
    ),
]
"""The name of a number; in an answer, and in JSON, as it is written."""


@dataclass(frozen=True)
class Span(DocumentedRecord):
    """A span of a line of text in one style."""

    style: SpanStyle
    text: str
    """Empty for a number."""
    view: str | None = None
    """The query of the view that the link opens; without a text, the address itself is shown.
    Null: no link.
    """
    number: ShownName | None = None
    """The name of a number, one of `numbers`; null for text."""
    form: NumberForm | None = None
    """The format of the number."""


@dataclass(frozen=True)
class TextBlock(DocumentedRecord):
    """A paragraph or formula, of one line, or a list of several."""

    kind: Literal["paragraph", "list", "formula"]
    lines: tuple[tuple[Span, ...], ...]


@dataclass(frozen=True)
class Choice(DocumentedRecord):
    """A possible answer, and its value."""

    value: float
    text: str


@dataclass(frozen=True)
class Prediction(DocumentedRecord):
    """A number that is asked for before it is shown."""

    text: str
    number: ShownName
    """The name of the measured number, one of `numbers`."""
    form: NumberForm
    """The format of both numbers; a `percent` is predicted from 0 to 100, and measured as a share."""
    least: float
    most: float
    unit: str
    """The unit behind the number; of a percentage, %."""
    choices: tuple[Choice, ...] = ()
    """Up to four answers, of which the one nearest to the measured number is correct; none for a
    number line.
    """


@dataclass(frozen=True)
class StageQuestion:
    """A question that a stage asks the model."""

    name: str
    """The name used in numbers of its answer: its kind, or another if a part asks two of a kind."""
    fields: Mapping[str, Any]
    """The fields of the question, except for the step."""
    step: int | None = None
    """The step it is about; None for the newest that is quick to compute."""
    reached: int = 0
    """The step from which it can be asked; some need a computed step, or a second one."""


@dataclass(frozen=True)
class Stage:
    """One screen of a part."""

    kind: StageKind
    title: str
    blocks: tuple[TextBlock, ...]
    view: str | None = None
    """The query of the view it opens; None to keep the current view."""
    prediction: Prediction | None = None
    reached: int = 0
    """The step from which it has something to show."""
    examination: StageQuestion | None = None


@dataclass(frozen=True)
class Part:
    """One part of the course."""

    number: int
    title: str
    minutes: int
    words: tuple[str, ...]
    """Words that a run must know."""
    stages: tuple[Stage, ...]
    digest: str
    """The digest of its source text."""
    numbers: tuple[NumberName, ...] = field(default=())
    """All numbers it names, without duplicates."""
    aim: str | None = None
    """What the reader can do afterwards, in one line; None if the text has none."""
    corpus: LessonCorpus = "lamptown"
    """The corpus of the runs it is about. Another run serves if it has the part's words."""
    language: str = "en"
    """The language of its text (ISO 639)."""
