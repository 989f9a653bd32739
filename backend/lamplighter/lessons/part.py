"""A part of the course as a tree: stages, their text, and what each of them sets, asks and names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Annotated, Any, Literal

from pydantic import GetPydanticSchema
from pydantic_core import core_schema

from lamplighter.documented_model import DocumentedRecord
from lamplighter.lessons.number_name import NumberName

StageKind = Literal["question", "prediction", "look", "number", "fails", "own-words"]
STAGE_KINDS: tuple[StageKind, ...] = ("question", "prediction", "look", "number", "fails", "own-words")
SpanStyle = Literal["plain", "emphasis", "strong", "code"]
NumberForm = Literal["count", "decimal", "percent", "large", "significant"]
NUMBER_FORMS: tuple[NumberForm, ...] = ("count", "decimal", "percent", "large", "significant")

LessonCorpus = Literal["lamptown", "novels"]
LESSON_CORPORA: tuple[LessonCorpus, ...] = ("lamptown", "novels")
"""The texts of which a part may be about a run; the first is that of a part which names none."""


class LessonError(ValueError):
    """An error in a text of the course; the message names file and line and says what to do."""

    def __init__(self, file: str, line: int, message: str) -> None:
        super().__init__(f"{file}:{line}: {message}")


_AS_TEXT = core_schema.plain_serializer_function_ser_schema(
    attrgetter("text"), return_schema=core_schema.str_schema()
)
ShownName = Annotated[
    NumberName,
    GetPydanticSchema(lambda kind, _: core_schema.is_instance_schema(kind, serialization=_AS_TEXT)),
]
"""The name of a number; in an answer, as it is written."""


@dataclass(frozen=True)
class Span(DocumentedRecord):
    """A piece of a line of text, all in one style."""

    style: SpanStyle
    text: str
    """Empty for a number."""
    view: str | None = None
    """The query of the view that a link opens, without a text one whose address is written out; null: it is no link."""
    number: ShownName | None = None
    """The name of a number, among `numbers`; null: it is text."""
    form: NumberForm | None = None
    """The form in which the number is told."""


@dataclass(frozen=True)
class TextBlock(DocumentedRecord):
    """A paragraph or a formula, of one line, or a list of several."""

    kind: Literal["paragraph", "list", "formula"]
    lines: tuple[tuple[Span, ...], ...]


@dataclass(frozen=True)
class Choice(DocumentedRecord):
    """An answer to choose, and the value that it stands for."""

    value: float
    text: str


@dataclass(frozen=True)
class Prediction(DocumentedRecord):
    """A number that is asked for before it is shown."""

    text: str
    number: ShownName
    """The name of the measured number, among `numbers`."""
    form: NumberForm
    """The form of both; a `percent` is predicted from 0 to 100, and measured as a share."""
    least: float
    most: float
    unit: str
    """The unit behind the number; of a percentage, %."""
    choices: tuple[Choice, ...] = ()
    """Up to four answers, of which that with the value nearest to the measured number is right; none: a number on a line."""


@dataclass(frozen=True)
class StageQuestion:
    """A question that a stage asks the model."""

    name: str
    """The name by which numbers of its answer are told: its kind, or another where a part asks two of a kind."""
    fields: Mapping[str, Any]
    """The fields of the question, but for the step."""
    step: int | None = None
    """The step that it is about; None: the newest that can soon be computed."""
    reached: int = 0
    """The step from which on it can be asked: some are about a step that was computed, or about a second one."""


@dataclass(frozen=True)
class Stage:
    """One screen of a part."""

    kind: StageKind
    title: str
    blocks: tuple[TextBlock, ...]
    view: str | None = None
    """The query of the view that it sets; None: the view stays."""
    prediction: Prediction | None = None
    reached: int = 0
    """The step from which on it has something to show."""
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
    """The digest of the text that it was read from."""
    numbers: tuple[NumberName, ...] = field(default=())
    """All numbers that it names, each once."""
    aim: str | None = None
    """The thing that one can say or do afterwards, in a line; None: its text has none."""
    corpus: LessonCorpus = "lamptown"
    """The text of the runs that it is about. On another it can be told as well if that has its words."""
    language: str = "en"
    """The language of its text (ISO 639)."""
