"""Sentences made of a text of `texts.py` and the values in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from lamplighter.client.histories.texts import TEXTS

LANGUAGES = tuple(TEXTS)
_MAX_RANGES = 8


@dataclass(frozen=True)
class Part:
    """A part of a sentence that only some sentences have."""

    text: str
    values: Mapping[str, Told] = field(default_factory=dict["str", "Told"])


NOTHING = Part("")


@dataclass(frozen=True)
class Steps:
    """Steps to be named, neighbours joined: "steps 0 to 512, 1,000 and 3,000"."""

    steps: Sequence[int]
    """Ascending, at least one."""
    among: Sequence[int]
    """All the steps of the history, ascending."""
    is_named: bool = True
    """Whether the word "step" comes before them."""


Told = int | float | str | Part | Steps
"""A value in a sentence; a float is told with three digits."""


def tell(text: str, values: Mapping[str, Told], language: str) -> str:
    """Return the sentence of a text in a language, with its values."""
    if not text:
        return ""
    return TEXTS[language][text].format_map(
        {name: _tell_value(value, language) for name, value in values.items()}
    )


def _tell_value(value: Told, language: str) -> str:
    match value:
        case Part():
            return tell(value.text, value.values, language)
        case Steps():
            return _name_steps(value, language)
        case str():
            return value
        case _:
            told = f"{value:,}" if isinstance(value, int) else f"{value:.3g}"
            return told.translate(str.maketrans(",.", ".,")) if language == "de" else told


def _name_steps(named: Steps, language: str) -> str:
    words = TEXTS[language]
    place = {step: at for at, step in enumerate(named.among)}
    ranges: list[list[int]] = []
    for step in named.steps:
        if ranges and place[step] == place[ranges[-1][-1]] + 1:
            ranges[-1].append(step)
        else:
            ranges.append([step])
    parts: list[str] = []
    for some in ranges[:_MAX_RANGES]:
        ends = [_tell_value(step, language) for step in (some if len(some) < 3 else (some[0], some[-1]))]
        parts += [words["to"].join(ends)] if len(some) > 2 else ends
    more = sum(map(len, ranges[_MAX_RANGES:]))
    if more:
        listed = ", ".join(parts) + tell("more", {"count": more}, language)
    else:
        listed = words["and"].join(filter(None, (", ".join(parts[:-1]), parts[-1])))
    word = words["step" if len(named.steps) == 1 else "steps"]
    return f"{word} {listed}" if named.is_named else listed
