"""Catalogues of sentences by language, and what fills them; among them the engine's own, by the codes of `reason.py`.

The page reads the same files and has the same two functions (`frontend/src/strings/fields.ts`). A log and a terminal hold
the English sentence; a run folder holds its code and values, and each reader makes its own sentence of them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from string import Formatter
from typing import Any, Literal, cast, get_args

from lamplighter.contract.reason import Reason, ReasonCode

Language = Literal["en", "de"]
LANGUAGES: tuple[Language, ...] = ("en", "de")
Values = Mapping[str, int | float | str]
_GERMAN_MARKS = str.maketrans(",.", ".,")


class _Fields(Formatter):
    def __init__(self, language: Language) -> None:
        self._is_german = language == "de"

    def format_field(self, value: float | str, format_spec: str) -> str:
        if isinstance(value, str) or not format_spec:
            return str(value)
        told = _format_number(value, format_spec)
        return told.translate(_GERMAN_MARKS) if self._is_german else told


def _format_number(value: float, format_spec: str) -> str:
    match format_spec:
        case "percent":
            return percent(value)
        case "count":
            return f"{value:,}" if isinstance(value, int) else f"{value:,.0f}"
        case "number":
            return f"{value:g}"
        case _:
            digits = format_spec.removeprefix("+")
            sign = format_spec.removesuffix(digits)
            return f"{value:{sign}z{digits}f}" if digits.startswith(".") else f"{value:{sign}.{digits}g}"


def percent(share: float) -> str:
    """Return a share as a percentage: 7.3 %."""
    return f"{100 * share:.3g} %" if share < 0.995 or share == 1 else f"{100 * share:.4g} %"


def fill(text: str, values: Values, language: Language = "en") -> str:
    """Return a text with its fields filled, numbers as the language writes them.

    The formats of a field: `{steps:count}` is whole, `{share:percent}` a percentage, `{rate:number}` as it is, `{loss:.2}`
    has two decimals, `{cosine:2}` two significant digits, and `{change:+2}` a sign too. `{name}` is a word, or a number as it is.
    """
    return _Fields(language).vformat(text, (), values)


class Catalogue:
    """The texts of a folder by language and key, which `en.json` and `de.json` there hold.

    A text may have others beside it for some values of a field: `KEY__FIELD_one` where the field is in the plural category
    *one* of CLDR, and `KEY__FIELD_none` where it is an empty word.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @cached_property
    def english(self) -> dict[str, str]:
        return self._read("en")

    @cached_property
    def german(self) -> dict[str, str]:
        return self._read("de")

    def _read(self, language: Language) -> dict[str, str]:
        read: dict[str, str] = json.loads((self._folder / f"{language}.json").read_text(encoding="utf-8"))
        return read

    def tell(self, key: str, values: Values, language: Language = "en") -> str:
        texts = self.german if language == "de" else self.english
        keys = (f"{key}__{name}_{_category(value)}" for name, value in values.items())
        text = next((texts[one] for one in keys if one in texts), texts[key])
        return fill(text, values, language)


def _category(value: float | str) -> str:
    """Return the plural category of a number, which is the same in English and German; `none` for an empty word."""
    if isinstance(value, str):
        return "other" if value else "none"
    return "one" if value == 1 else "other"


SENTENCES = Catalogue(Path(__file__).parent / "texts")
"""The sentence of each code. English has only `{sentence}` where each place that raises the code writes its own."""


_CODES = frozenset[str](get_args(ReasonCode.__value__))
_LARGEST = 1 << 53
_MAX_WORD, _MAX_TEXT = 500, 10_000
"""Limits on a stored message: the characters of a value, and those of a text without a code."""


class Sentence(str):
    """An English sentence that knows its reason. What is cut from it or joined with it is plain text."""

    reason: Reason
    """Its code and values, which are stored and sent: numbers that JSON has, and words of a limited length."""

    @staticmethod
    def of(code: ReasonCode, values: Values) -> Sentence:
        made = Sentence(SENTENCES.tell(code, values))
        made.reason = Reason(code, {name: _bound(value) for name, value in values.items()})
        return made

    def __str__(self) -> str:
        # The text of an error that is raised with it is the sentence itself.
        return self


def say(code: ReasonCode, **values: float | str) -> Sentence:
    """Return the English sentence of a code."""
    return Sentence.of(code, values)


def encode_message(message: Any) -> str:
    """Return the JSON that is stored of a message, or of anything else: of a `Sentence` the code and the values."""
    stored = vars(message.reason) if isinstance(message, Sentence) else message
    return json.dumps(stored, ensure_ascii=False).encode(errors="replace").decode()


def decode_message(text: str) -> str:
    """Return the message in a text that `encode_message` made, or that an earlier version stored in English."""
    with suppress(ValueError, RecursionError):
        match stored := json.loads(text):
            case str() | {"code": str(), "values": dict()}:
                return read_message(stored)
            case _:
                pass
    return read_message(text)


def read_message(stored: Any) -> str:
    """Return the message of JSON in a run folder, which may be anyone's: a `Sentence`, or plain text of a limited length.

    Where the code is not known here, or a value is missing, the text is the code with the values.
    """
    match stored:
        case {"code": str(code), "values": dict(given)}:
            found = cast("dict[str, object]", given).items()
            values = {name: _bound(value) for name, value in found if isinstance(value, int | float | str)}
            if code in _CODES:
                fields = {name for _, name, _, _ in Formatter().parse(SENTENCES.english[code])}
                with suppress(KeyError):
                    told = {name: value for name, value in values.items() if name in fields}
                    return Sentence.of(cast("ReasonCode", code), told)
            return _cut(" ".join(map(str, [code, *values.values()])))
        case str():
            return _cut(stored, _MAX_TEXT)
        case _:
            return ""


def _bound(value: object) -> int | float | str:
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= _LARGEST:
        return value
    return _cut(str(value))


def _cut(text: str, most: int = _MAX_WORD) -> str:
    # JSON may hold half a character, which nothing else can.
    return text[:most].encode(errors="replace").decode()
