"""The parser of a course file. Its text is untrusted: sizes and counts are bounded, and errors name their
line.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qsl

from lamplighter.contract.questions import MAX_STEP, Question, QuestionError, parse_question
from lamplighter.lessons.markdown import MarkdownReader
from lamplighter.lessons.part import (
    LESSON_CORPORA,
    STAGE_KINDS,
    Choice,
    LessonError,
    NumberName,
    Part,
    Prediction,
    Stage,
    StageKind,
    StageQuestion,
    TextBlock,
    leads_to_number,
)
from lamplighter.lessons.view_query import parse_view_query

MAX_PART_BYTES = 64_000
"""Maximum bytes of a file."""
MAX_LINE = 2_000
"""Maximum characters of a line."""
MAX_STAGES = 20
MAX_AIM = 140
"""Maximum characters of a part's aim, which is one line in the list of parts."""
MAX_BLOCKS = 12
"""Maximum paragraphs, lists and formulas of a stage."""
MAX_CHOICES = 4
MAX_WORDS = 40
"""Maximum words that a part needs."""
MAX_NUMBERS = 80
"""Maximum distinct numbers of a part."""
MAX_QUESTIONS = 8
"""Maximum questions that a part asks."""
MAX_WORD_NUMBERS = 12
"""Maximum numbers of words and relations: each is computed from a matrix."""

_KINDS: dict[str, StageKind] = {kind: kind for kind in STAGE_KINDS}
_HEADING = re.compile(r"# ([a-z-]+): (.+)")
_FIELD = re.compile(r"([a-z]+): (.+)")
_CHOICE = re.compile(r"(\S+) = (.+)")
_PART_FIELDS = ("title", "aim", "minutes", "corpus", "words")
_STAGE_FIELDS = ("view", "reached", "examine", "predict", "number", "from", "to", "unit", "choice")
_NAME = re.compile(r"[a-z_]{1,40}")
_WHOLE_NUMBERS = (
    "step",
    "steps",
    "after",
    "back",
    "seed",
    "token",
    "coordinate",
    "sequence",
    "words",
    "source_step",
    "other_step",
)


def parse_part(file: str, number: int, text: str) -> Part:
    """Parse a part of at most `MAX_PART_BYTES`, or raise LessonError. `file`: its name, for messages."""
    return _PartParser(file, number, text).parse()


class _PartParser:
    """Parses one file."""

    def __init__(self, file: str, number: int, text: str) -> None:
        self._file, self._number, self._text = file, number, text
        self._markdown = MarkdownReader(file)
        self._line = 1
        self._head: dict[str, list[str]] = {}

    def parse(self) -> Part:
        if len(self._text.encode("utf-8", "surrogatepass")) > MAX_PART_BYTES:
            raise self._error(f"a part has at most {MAX_PART_BYTES:,} bytes: part it")
        lines = list(enumerate(self._text.splitlines(), 1))
        for self._line, line in lines:
            if len(line) > MAX_LINE:
                raise self._error(f"a line has at most {MAX_LINE:,} characters: part it")
            if not line.replace("\t", " ").isprintable():
                raise self._error("a sign in this line cannot be shown: take it out")
        starts = [at for at, (_, line) in enumerate(lines) if line.startswith("#")]
        self._line = 1
        if not starts:
            raise self._error(f"there is no stage: write # {STAGE_KINDS[0]}: and its title")
        if len(starts) > MAX_STAGES:
            self._line = lines[starts[MAX_STAGES]][0]
            raise self._error(f"a part has at most {MAX_STAGES} stages")
        self._read_head(iter(lines[: starts[0]]), _PART_FIELDS, to_end=True)
        title, minutes = self._needed("title"), self._whole("minutes", 1, 60)
        aim = self._given("aim", None)
        if aim is not None and len(aim) > MAX_AIM:
            raise self._error(f"aim: it has at most {MAX_AIM} characters: make it shorter")
        corpus = self._given("corpus", LESSON_CORPORA[0])
        if corpus not in LESSON_CORPORA:
            raise self._error(f"corpus: a part is about a run on {' or on '.join(LESSON_CORPORA)}")
        words = tuple(self._given("words", "").replace(",", " ").split())
        if len(words) > MAX_WORDS:
            raise self._error(f"words: at most {MAX_WORDS} can be needed")
        ends = [*starts[1:], len(lines)]
        stages = tuple(self._stage(lines[at:end]) for at, end in zip(starts, ends, strict=True))
        if stages[-1].prediction:
            self._line = lines[starts[-1]][0]
            raise self._error("the last stage is a prediction: add a stage behind it that shows its number")
        self._line = 1
        numbers = tuple(_names(stages))
        computed = sum(one.kind in ("word", "relation", "text") for one in numbers)
        if len(numbers) > MAX_NUMBERS or computed > MAX_WORD_NUMBERS:
            raise self._error(
                f"a part names at most {MAX_NUMBERS} numbers, {MAX_WORD_NUMBERS} of them of words and relations: leave some out"
            )
        asked = [stage.examination.name for stage in stages if stage.examination]
        kinds = {
            stage.examination.name: stage.examination.fields["kind"] for stage in stages if stage.examination
        }
        for one in numbers:
            if one.kind != "answer":
                continue
            name, *path = one.parts
            if name not in kinds:
                raise self._error(
                    f"{one.text} is of an answer that no stage asks for: write examine: kind={name}"
                )
            if not leads_to_number(kinds[name], path):
                raise self._error(f"{one.text}: an answer of the kind {kinds[name]} has no such number")
        if len(set(asked)) < len(asked):
            raise self._error("two questions of a part have one name: give one of them another, as=other")
        if len(asked) > MAX_QUESTIONS:
            raise self._error(f"a part asks at most {MAX_QUESTIONS} questions: leave some out")
        digest = hashlib.blake2b(self._text.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
        return Part(self._number, title, minutes, words, stages, digest, numbers, aim=aim, corpus=corpus)

    def _stage(self, lines: list[tuple[int, str]]) -> Stage:
        self._line, heading = lines[0]
        found = _HEADING.fullmatch(heading.strip())
        kind = _KINDS.get(found.group(1)) if found else None
        if found is None or kind is None:
            raise self._error(
                f"a stage begins with # KIND: TITLE, where KIND is one of {', '.join(STAGE_KINDS)}"
            )
        at = self._read_head(iter(lines[1:]), _STAGE_FIELDS, to_end=False)
        view = self._given("view", None)
        if view is not None:
            self._markdown.read_view(self._line, view)
        examination = self._examination()
        prediction = self._prediction()
        if (kind == "prediction") != (prediction is not None):
            raise self._error("a stage of the kind prediction, and no other, has a line predict: QUESTION")
        blocks = tuple(self._blocks(lines[1 + at :]))
        reached = self._whole("reached", 0, MAX_STEP) if self._given("reached", None) else 0
        if view is not None:
            words = parse_view_query(view)
            reached = max(reached, *(int(words.get(key, 0)) for key in ("at", "from")))
        if examination is not None:
            reached = max(reached, examination.reached)
        return Stage(kind, found.group(2).strip(), blocks, view, prediction, reached, examination)

    def _blocks(self, lines: list[tuple[int, str]]) -> Iterator[TextBlock]:
        for place, block in enumerate(self._markdown.read_blocks(lines)):
            self._line = block.line
            if place == MAX_BLOCKS:
                raise self._error(f"at most {MAX_BLOCKS} paragraphs stand in one place: make it shorter")
            match block.kind:
                case "paragraph" | "list" | "formula":
                    yield TextBlock(block.kind, tuple(line for (line,) in block.rows))
                case _:
                    raise self._error(
                        "a stage has paragraphs, lists with -, and formulas: no tables, numbers or quotes"
                    )

    def _read_head(self, lines: Iterator[tuple[int, str]], known: tuple[str, ...], *, to_end: bool) -> int:
        """Read `key: value` lines until an empty one. Return how many lines were read."""
        self._head, read = {}, 0
        for number, line in lines:
            text = line.strip()
            if not text and not to_end:
                break
            read += 1
            if not text:
                continue
            self._line = number
            found = _FIELD.fullmatch(text)
            if found is None or found.group(1) not in known:
                raise self._error(
                    f"{text[:40]!r} is no line of a head; there are {', '.join(f'{key}:' for key in known)},"
                    " and an empty line ends it"
                )
            values = self._head.setdefault(found.group(1), [])
            values.append(found.group(2).strip())
            if len(values) > (MAX_CHOICES if found.group(1) == "choice" else 1):
                raise self._error(f"{found.group(1)}: is said too often")
        return read

    def _examination(self) -> StageQuestion | None:
        text = self._given("examine", None)
        if text is None:
            return None
        try:
            given = parse_qsl(text, strict_parsing=True, max_num_fields=20)
        except ValueError as error:
            raise self._error("examine: write kind=what_if&sentence=the cat barked&steps=5") from error
        fields: dict[str, Any] = {
            key: int(word) if key in _WHOLE_NUMBERS and re.fullmatch(r"[0-9]{1,9}", word) else word
            for key, word in given
        }
        if len(fields) < len(given):
            raise self._error("examine: each field stands there once")
        name, step = str(fields.pop("as", fields.get("kind"))), fields.pop("step", None)
        if not _NAME.fullmatch(name):
            raise self._error(f"examine: as={name[:20]} is no name: write small letters and _")
        question = self._question(fields, step)
        return StageQuestion(
            name, question.model_dump(mode="json", exclude={"step"}), step, question.last_step
        )

    def _question(self, fields: Mapping[str, Any], step: int | None) -> Question:
        """Return the question at its step, or else at the first step it can be about."""
        try:
            if step is None:
                with suppress(QuestionError):
                    return parse_question({**fields, "step": 0})
            return parse_question({**fields, "step": 1 if step is None else step})
        except QuestionError as error:
            raise self._error(f"examine: {error}") from error

    def _prediction(self) -> Prediction | None:
        asked = self._given("predict", None)
        if asked is None:
            return None
        number, form = self._markdown.read_number(self._line, self._needed("number"))
        unit = self._given("unit", "%" if form == "percent" else "")
        choices = tuple(map(self._choice, self._head.get("choice", [])))
        if choices:
            if len(choices) < 2 or len({choice.value for choice in choices}) < len(choices):
                raise self._error("choice: two to four are needed, each with a value of its own")
            values = [choice.value for choice in choices]
            return Prediction(asked, number, form, min(values), max(values), unit, choices)
        least, most = self._real("from"), self._real("to")
        if least >= most:
            raise self._error("from: it must be less than to:")
        return Prediction(asked, number, form, least, most, unit)

    def _choice(self, text: str) -> Choice:
        found = _CHOICE.fullmatch(text)
        if found is None:
            raise self._error("choice: write a value, = and the words: 0 = none of them")
        return Choice(self._finite(found.group(1), "choice"), found.group(2))

    def _given(self, key: str, otherwise: Any) -> Any:
        return self._head.get(key, [otherwise])[0]

    def _needed(self, key: str) -> str:
        value: str | None = self._given(key, None)
        if value is None:
            raise self._error(f"{key}: is missing")
        return value

    def _whole(self, key: str, least: int, most: int) -> int:
        return int(self._within(key, self._needed(key), int, least, most))

    def _real(self, key: str) -> float:
        return self._finite(self._needed(key), key)

    def _finite(self, text: str, key: str) -> float:
        return self._within(key, text, float, -1e9, 1e9)

    def _within(self, key: str, text: str, read: Callable[[str], float], least: float, most: float) -> float:
        try:
            value = read(text)
        except ValueError:
            value = math.nan
        if not least <= value <= most:
            raise self._error(f"{key}: {text[:20]!r} is no number from {least:,.0f} to {most:,.0f}")
        return value

    def _error(self, message: str) -> LessonError:
        return LessonError(self._file, self._line, message)


def _names(stages: tuple[Stage, ...]) -> dict[NumberName, None]:
    spans = (span for stage in stages for block in stage.blocks for line in block.lines for span in line)
    found = [span.number for span in spans if span.number]
    return dict.fromkeys([*found, *(stage.prediction.number for stage in stages if stage.prediction)])
