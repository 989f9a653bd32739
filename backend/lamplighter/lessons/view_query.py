"""The check of a view's query: the keys of the page's address, and their valid values.

The page drops unknown keys; a lesson with one is rejected instead, so that its author learns of it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

MAX_QUERY = 500
"""Maximum characters of a view's query."""
_TABLE: dict[str, Any] = json.loads(Path(__file__).with_suffix(".json").read_text(encoding="utf-8"))
"""The table of the keys, from which the page's table is generated."""
CHOICES: dict[str, tuple[str, ...]] = {key: tuple(words) for key, words in _TABLE["choices"].items()}
"""Keys with a fixed set of values."""
SECTIONS: dict[str, tuple[str, ...]] = {panel: tuple(names) for panel, names in _TABLE["sections"].items()}
"""Sections that can be highlighted, by panel."""
FLAGS, NUMBERS, WORDS, TEXTS = (frozenset(_TABLE[form]) for form in ("flags", "numbers", "words", "texts"))
"""Keys whose value is 1 or missing; an integer; one word of the run; several words."""
BESIDE = re.compile(r"view:(umap|linear)|step:\d{1,9}|matrix:out")
SPEED = re.compile(r"\d{1,6}(\.\d{1,3})?")
KEYS: frozenset[str] = frozenset((*CHOICES, *FLAGS, *NUMBERS, *WORDS, *TEXTS, "section", "beside", "speed"))
"""All keys that a lesson may set. The others, such as the run and the lesson itself, belong to
the visitor.
"""
PLACE = re.compile(r"([1-9]\d?)(?:\.([1-9]\d?))?")
"""A part of the course and optionally `.` and its stage, the value of `lesson` where a view may name its
place.
"""


class ViewQueryError(ValueError):
    """An error for an invalid query; the message says what to write."""


def parse_view_query(query: str, *, with_place: bool = False) -> dict[str, str]:
    """Return the values of a view by key, or raise ViewQueryError. The query begins with `?`. `with_place`:
    True if it may also name a place in the course, such as `lesson=1.2`.
    """
    if not query.startswith("?") or len(query) > MAX_QUERY or not query.isprintable():
        raise ViewQueryError(
            f"a view begins with ? and has at most {MAX_QUERY} characters: ?word=dog&at=0, the end of an address of the app"
        )
    try:
        pairs = parse_qsl(
            query[1:], keep_blank_values=True, strict_parsing=bool(query[1:]), max_num_fields=40
        )
    except ValueError as error:
        raise ViewQueryError(f"{query[:80]!r} is no view: write ?key=word&key=word") from error
    words: dict[str, str] = {}
    for key, word in pairs:
        if key in words:
            raise ViewQueryError(f"the view says {key} twice")
        if with_place and key == "lesson":
            problem = None if PLACE.fullmatch(word) else "lesson is a part and its stage, such as 1.2"
        else:
            problem = _problem(key, word)
        if problem:
            raise ViewQueryError(problem)
        words[key] = word
    if (section := words.get("section")) is not None:
        known = SECTIONS.get(words.get("panel", ""), ())
        if section not in known:
            ways = "; ".join(f"panel={panel}: {', '.join(names)}" for panel, names in SECTIONS.items())
            raise ViewQueryError(f"this panel has no section {section[:40]!r}; sections are, with {ways}")
    return words


def words_of_view(view: Mapping[str, str]) -> Iterator[str]:
    """Yield the words of the run that a view names."""
    for key, word in view.items():
        if key in WORDS:
            yield word
        elif key in TEXTS:
            yield from word.replace(",", " ").split()


def _problem(key: str, word: str) -> str | None:
    if key not in KEYS:
        return f"a view has no key {key[:40]!r}; a lesson may set {', '.join(sorted(KEYS))}"
    if key in CHOICES:
        known = CHOICES[key]
        return None if word in known else f"{key} cannot be {word[:40]!r}; it is one of {', '.join(known)}"
    if key in FLAGS:
        return None if word == "1" else f"{key} is 1, or left out"
    if key in NUMBERS:
        return None if re.fullmatch(r"[0-9]{1,9}", word) else f"{key} is a whole number, such as 500"
    if key == "beside":
        return None if BESIDE.fullmatch(word) else "beside is view:linear, step:500 or matrix:out"
    if key == "speed":
        return None if SPEED.fullmatch(word) and float(word) > 0 else "speed is a number of steps a second"
    return None if word.strip() else f"{key} is empty: write a word, or leave it out"
