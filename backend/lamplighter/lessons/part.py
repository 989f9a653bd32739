"""A part of the course as a tree: its stages, and the views, questions and numbers of each.

The names of numbers are a fixed set of forms; a path in an answer, such as `own.p.3`, is checked against its model.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from inspect import isclass
from operator import attrgetter
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import GetPydanticSchema
from pydantic_core import core_schema

from lamplighter.claims.board import CLAIMS
from lamplighter.claims.claim import as_number
from lamplighter.contract.answers import Answer
from lamplighter.contract.answers.parts import AnswerPart
from lamplighter.contract.documented_model import DocumentedRecord
from lamplighter.lessons.run_numbers import OF_A_RUN

MEASURES: tuple[str, ...] = (
    "purity_10nn",
    "purity_chance",
    "nearest_cosine",
    "nearest_cosine_chance",
    "neighbour_information",
    "neighbour_information_chance",
    "neighbour_information_most",
    "coverage",
    "never_lit",
    "effective_rank",
    "length_log_count_spearman",
    "analogy_chance",
    "accuracy_read",
    "accuracy_held_out",
    "accuracy_chance",
    "circle_share",
    "circle_share_chance",
    "loss_held_out",
    "loss_read",
)
"""Measures by step."""
FAMILIES: dict[str, str] = {
    "analogy": " ",
    "consistency": " ",
    "consistency_chance": " ",
    "rank": "/",
}
"""Measures that exist once per relation or word pair of the run, with the separator of their names:
`analogy.plural@500`, `rank.dog.cat@500`.
"""
OF_A_WORD: tuple[str, ...] = ("kin", "kin_chance", "nearest", "length", "turned", "beside", "alike")
"""Numbers of a word at a step: how many of its ten nearest share its class, how many do by chance, the cosine
of the nearest, the row's length, and the angle in degrees between the row and itself at step 0. For a
frequent word also how many of the ten nearest are among the ten most associated words beside it in the text,
and among the ten that occur in its place (`corpora/distribution.py`).
"""
OF_THE_TEXT: tuple[str, ...] = ("beside", "alike", "by_chance")
"""Numbers of a run's text at a step: the averages of both over its most frequent words, and their values by
chance.
"""
OF_A_RELATION: tuple[str, ...] = ("without_rule", "nearest_of_c", "right_class")
"""Shares of a relation's questions at a step that simpler rules answer: the analogy with the given words
allowed, the nearest neighbour of the third word, and guessing within the right class.
"""
NEWEST = "last"
"""The word for the newest step."""
MAX_DEPTH = 8
"""Maximum elements of a path into an answer."""

_CLAIMS = tuple(str(claim.number) for claim in CLAIMS)
_STEP = re.compile(r"last|0|[1-9]\d{0,8}")
_WORD = re.compile(r"[^\s@{}|*`\[\]]{1,60}")
_QUESTION = re.compile(r"[a-z_]{1,40}")
_FIGURE = re.compile(r"[a-z0-9_]{1,80}")
_PATH_PART = re.compile(r"last|0|[1-9]\d{0,2}|[a-z_][a-z_\d]{0,39}", re.ASCII)


class NumberNameError(ValueError):
    """An error for a name of no number; the message lists the valid names."""


@dataclass(frozen=True)
class NumberName:
    """The name of a number."""

    text: str
    """The name as it is written."""
    kind: Literal["measure", "word", "relation", "text", "run", "answer", "claim"]
    parts: tuple[str, ...]
    """The measure's name; the number and the word or relation; the number of the text or the run; the
    question's name and the path into its answer; or the claim's number and a figure's name.
    """
    step: int | None = None
    """The step; None for the newest."""


def parse_number_name(text: str) -> NumberName:
    """Parse a name, or raise NumberNameError: `purity_10nn@0`, `analogy.plural@500`, `word.kin.dog@last`,
    `run.rows`, `claim.6.sleepers_that_moved`, or `answer.what_if.own.p.3`.
    """
    head, at, step_text = text.partition("@")
    first, _, rest = head.partition(".")
    if first == "run" and not at:
        return NumberName(text, "run", (_one_of(rest, OF_A_RUN, "number of a run"),))
    if first == "answer" and not at:
        question, *path = rest.split(".")
        known = _QUESTION.fullmatch(question) and 1 <= len(path) <= MAX_DEPTH
        if not known or not all(_PATH_PART.fullmatch(part) for part in path):
            raise NumberNameError(
                f"{text!r} names no number of an answer: write answer.KIND and at most {MAX_DEPTH} names or places behind it"
            )
        return NumberName(text, "answer", (question, *path))
    if first == "claim" and not at:
        number, _, figure = rest.partition(".")
        _one_of(number, _CLAIMS, "claim")
        if not _FIGURE.fullmatch(figure):
            raise NumberNameError(
                f"{text!r} names no figure of a claim: write claim.6.share_of_the_city, or claim.6.null"
            )
        return NumberName(text, "claim", (number, figure))
    if not _STEP.fullmatch(step_text):
        raise NumberNameError(f"{text!r} needs a step: write @0, @500 or @{NEWEST} behind the name")
    step = None if step_text == NEWEST else int(step_text)
    if first == "word":
        number, _, word = rest.partition(".")
        _one_of(number, OF_A_WORD, "number of a word")
        if not _WORD.fullmatch(word):
            raise NumberNameError(f"{text!r} names no word: write word.{number}.dog@{step_text}")
        return NumberName(text, "word", (number, word), step)
    if first == "relation":
        number, _, relation = rest.partition(".")
        _one_of(number, OF_A_RELATION, "number of a relation")
        if not _WORD.fullmatch(relation):
            raise NumberNameError(f"{text!r} names no relation: write relation.{number}.plural@{step_text}")
        return NumberName(text, "relation", (number, relation.replace("_", " ")), step)
    if first == "text":
        return NumberName(text, "text", (_one_of(rest, OF_THE_TEXT, "number of a text"),), step)
    if first in FAMILIES and rest:
        return NumberName(
            text, "measure", (f"{first} {FAMILIES[first].join(rest.replace('_', ' ').split('.'))}",), step
        )
    return NumberName(text, "measure", (_one_of(head, MEASURES, "measure"),), step)


def figure_name(code: str, *values: float | str) -> str:
    """Return a claim figure's name as lessons write it: its code, `_`, and the values in its text."""
    return "_".join(re.findall("[a-z0-9]+", " ".join(map(str, (code, *values))).lower()))


def _one_of(name: str, known: Iterable[str], what: str) -> str:
    if name not in known:
        raise NumberNameError(f"there is no {what} {name[:60]!r}; there are {', '.join(known)}")
    return name


LAST = "last"
"""The path element for the last item of a list."""


def leads_to_number(kind: str, path: Sequence[str]) -> bool:
    """Return whether answers to a kind of question can have a number at a path."""
    [union, *_] = get_args(Answer)
    found: list[Any] = [
        one for one in get_args(union) if kind in get_args(one.model_fields["kind"].annotation)
    ]
    for part in path:
        found = [inside for outside in found for inside in _types_at(outside, part)]
    return any(one in (int, float) for outside in found for one in _alternatives(outside))


def number_at(answer: Answer, path: Sequence[str]) -> float | None:
    """Return the number at a path of an answer; None if there is none."""
    value: object = answer
    for part in path:
        if isinstance(value, AnswerPart):
            name = _field_name(type(value), part)
            value = None if name is None else getattr(value, name)
        elif isinstance(value, list | tuple) and _is_place(part):
            place = -1 if part == LAST else int(part)
            value = value[place] if value and place < len(value) else None  # pyright: ignore[reportUnknownVariableType]
        else:
            return None
    return as_number(value)


def _types_at(annotation: Any, part: str) -> Iterator[Any]:
    for one in _alternatives(annotation):
        items = get_args(one)
        if isclass(one) and issubclass(one, AnswerPart):
            if (name := _field_name(one, part)) is not None:
                yield one.model_fields[name].annotation
        elif get_origin(one) is list and _is_place(part):
            yield items[0]
        elif get_origin(one) is tuple and _is_place(part) and (part == LAST or int(part) < len(items)):
            yield items[-1 if part == LAST else int(part)]


def _alternatives(annotation: Any) -> Iterator[Any]:
    """Yield the types of a union, with annotations removed."""
    if get_origin(annotation) is Annotated:
        yield from _alternatives(get_args(annotation)[0])
    elif get_origin(annotation) in (Union, UnionType):
        for one in get_args(annotation):
            yield from _alternatives(one)
    else:
        yield annotation


def _field_name(model: type[AnswerPart], part: str) -> str | None:
    return next((name for name, field in model.model_fields.items() if (field.alias or name) == part), None)


def _is_place(part: str) -> bool:
    return part == LAST or part.isdigit()


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
