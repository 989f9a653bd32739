"""The course in a packed page: the server's answers about its parts, and the steps and questions they show."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

from lamplighter.lessons.library import LANGUAGE, find_lessons, list_languages
from lamplighter.packing.run_answers import RunAnswers

_STEP_KEYS = ("at", "from", "then", "against")
"""Keys of a view that name a step."""
MAX_STEPS = 40
"""Maximum steps kept for the course: each takes space, and course texts may be untrusted."""


@dataclass(frozen=True)
class PackedCourse:
    """The course of one run at the time of packing."""

    answers: dict[str, Any] = field(default_factory=dict[str, Any])
    """Answers of the server, by path and query: `/api/lessons?lang=en`, and relative to the run `/lessons/1?lang=en`;
    empty if no part applies to this run."""
    steps: tuple[int, ...] = ()
    """Steps shown by its views, those of stages before those of links."""
    questions: frozenset[str] = frozenset()
    """Ids of the questions whose answers it uses."""
    numbers: int = 0
    unknown: int = 0
    """The number of unknown ones among its numbers."""


def pack_course(answers: RunAnswers, last: int) -> PackedCourse:
    """Return the parts of the course that apply to a run, up to its step `last`.

    Raises:
        AnswerError: the server rejected a request for a part.
    """
    stored, told = dict[str, Any](), list[dict[str, Any]]()
    for language in list_languages(find_lessons()):
        query = f"?lang={language}"
        listed = json.loads(answers.ask(f"/api/lessons{query}"))["items"]
        # The page falls back to English for an untranslated part.
        own = [one["number"] for one in listed if language in (LANGUAGE, one["language"])]
        parts = {number: json.loads(answers.get(f"/lessons/{number}{query}")) for number in own}
        here = {number: _end(part) for number, part in parts.items() if not part["missing_words"]}
        stored |= {f"/lessons/{number}{query}": part for number, part in here.items()}
        if known := [one for one in listed if f"/lessons/{one['number']}?lang={LANGUAGE}" in stored]:
            stored[f"/api/lessons{query}"] = {"items": known}
        told += here.values()
    counted = [
        part for key, part in stored.items() if key.endswith(f"?lang={LANGUAGE}") and "numbers" in part
    ]
    stages = [stage for part in told for stage in part["stages"]]
    asked = [stage["examination"]["id"] for stage in stages if stage["examination"]]
    values = [number["value"] for part in counted for number in part["numbers"].values()]
    steps = dict.fromkeys(step for view in _views(stages) for step in _steps_of(view) if step <= last)
    return PackedCourse(stored, tuple(steps)[:MAX_STEPS], frozenset(asked), len(values), values.count(None))


def _end(part: dict[str, Any]) -> dict[str, Any]:
    """Return a part without the states of waiting, which never end in a file."""
    part["training"] = False
    for number in part["numbers"].values():
        if number["waits_for"] == "step" and number["step"] is not None:
            number["waits_for"] = "ended"
    for stage in part["stages"]:
        if stage["examination"] and stage["examination"]["state"] != "done":
            stage["examination"] |= {"state": None, "share": 0}
    return part


def _views(stages: list[dict[str, Any]]) -> Iterator[str]:
    """Yield the views that stages set, then those that their links open."""
    yield from (stage["view"] for stage in stages if stage["view"])
    for stage in stages:
        for block in stage["blocks"]:
            yield from (span["view"] for line in block["lines"] for span in line if span["view"])


def _steps_of(view: str) -> Iterator[int]:
    """Yield the steps in the query of a view."""
    named = parse_qs(view.removeprefix("?"))
    for key in _STEP_KEYS:
        yield from (int(word) for word in named.get(key, ()) if word.isdecimal() and len(word) < 10)
