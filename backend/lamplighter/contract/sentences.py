"""Catalogues of sentences by language, and what fills them; among them the engine's own, by the codes of `reason.py`.

The page reads the same files and has the same two functions (`frontend/src/strings/fields.ts`). A run folder, a log and
a terminal hold the English sentence.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from string import Formatter
from typing import Literal

from lamplighter.contract.reason import ReasonCode

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


def say(code: ReasonCode, **values: float | str) -> str:
    """Return the English sentence of a code."""
    return SENTENCES.tell(code, values)
