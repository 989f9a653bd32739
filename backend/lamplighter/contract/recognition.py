"""Finds the code and the values of a sentence, so that each reader has it in its own language.

What is said now knows them (`Sentence`). English text is recognised by its template, a variant's first, whose words could
pass for a value: what run folders of earlier versions hold, and what an error or a worker hands on.
"""

from __future__ import annotations

import math
import re
from functools import cache, lru_cache
from string import Formatter
from typing import cast

from lamplighter.contract.reason import Reason, ReasonCode
from lamplighter.contract.sentences import SENTENCES, Sentence

_MAX_CHARACTERS = 1_000
"""A longer text is none of them. What an imported run says may be anything."""
_NUMBER = r"-?[0-9][0-9,]{0,25}(?:\.[0-9]+)?(?:e[+-]?[0-9]{1,3})?|-?inf|nan"
_ITS_OWN_WORDS = "{sentence}"


def recognise(text: str) -> Reason | None:
    """Return the code and the values of a sentence; None for any other text."""
    return text.reason if isinstance(text, Sentence) else _match(text)


@lru_cache(maxsize=2_048)
def _match(text: str) -> Reason | None:
    if len(text) > _MAX_CHARACTERS:
        return None
    for code, pattern, numbers in _patterns():
        if (match := pattern.fullmatch(text)) is not None:
            values = match.groupdict()
            return Reason(
                code, {name: _read(part) if name in numbers else part for name, part in values.items()}
            )
    return None


@cache
def _patterns() -> list[tuple[ReasonCode, re.Pattern[str], set[str]]]:
    return [
        (cast("ReasonCode", key.partition("__")[0]), *_read_template(text))
        for key, text in sorted(SENTENCES.english.items(), key=lambda item: "__" not in item[0])
        if text != _ITS_OWN_WORDS
    ]


def _read_template(sentence: str) -> tuple[re.Pattern[str], set[str]]:
    """Return the pattern of what a template makes, and the names of its numbers, which alone have a format."""
    pattern, names, numbers = "", set[str](), set[str]()
    for literal, name, format_spec, _ in Formatter().parse(sentence):
        pattern += re.escape(literal)
        if name in names:
            pattern += f"(?P={name})"
        elif name is not None:
            names.add(name)
            if format_spec:
                numbers.add(name)
            pattern += f"(?P<{name}>{_NUMBER if format_spec else '.+?'})"
    return re.compile(pattern, re.DOTALL), numbers


def _read(number: str) -> int | float | str:
    plain = number.replace(",", "")
    if plain.removeprefix("-").isdecimal():
        return int(plain)
    # JSON has no number that is not finite.
    return read if math.isfinite(read := float(plain)) else number
