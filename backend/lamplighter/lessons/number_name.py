"""Names of numbers in the course's texts: a fixed set of forms, and nothing that a run is searched for."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from lamplighter.questions import KINDS

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
    "loss_held_out",
    "loss_read",
)
"""Measures by step."""
OF_A_WORD: tuple[str, ...] = ("kin", "kin_chance", "nearest")
"""Numbers of a word at a step: how many of its ten nearest are of its class, how many are by chance, and the cosine of the
nearest."""
OF_A_RUN: tuple[str, ...] = ("rows", "width", "random_cosine")
"""Numbers of a run: rows and columns of the embedding, and the usual size of the cosine of two random rows."""
NEWEST = "last"
"""The word for the newest step."""
MAX_DEPTH = 8
"""Most parts of a path into an answer."""

_STEP = re.compile(r"last|0|[1-9]\d{0,8}")
_WORD = re.compile(r"[^\s@{}|*`\[\]]{1,60}")
_PATH_PART = re.compile(r"last|0|[1-9]\d{0,2}|[a-z_]{1,40}")


class NumberNameError(ValueError):
    """An error for a name that no number has; the message says which names there are."""


@dataclass(frozen=True)
class NumberName:
    """The name of a number."""

    text: str
    """The name as it is written."""
    kind: Literal["measure", "word", "run", "answer"]
    parts: tuple[str, ...]
    """The name of the measure; the number and the word; the number of the run; or the kind of the answer and the path."""
    step: int | None = None
    """The step; None: the newest."""


def parse_number_name(text: str) -> NumberName:
    """Return the name in a text: `purity_10nn@0`, `word.kin.dog@last`, `run.rows`, or `answer.what_if.own.p.3`.

    Raises:
        NumberNameError: there is no such number.
    """
    head, at, step_text = text.partition("@")
    first, _, rest = head.partition(".")
    if first == "run" and not at:
        return NumberName(text, "run", (_one_of(rest, OF_A_RUN, "number of a run"),))
    if first == "answer" and not at:
        kind, *path = rest.split(".")
        _one_of(kind, KINDS, "examination")
        if not 1 <= len(path) <= MAX_DEPTH or not all(_PATH_PART.fullmatch(part) for part in path):
            raise NumberNameError(
                f"{text!r} names no number of an answer: write answer.KIND and at most {MAX_DEPTH} names or places behind it"
            )
        return NumberName(text, "answer", (kind, *path))
    if not _STEP.fullmatch(step_text):
        raise NumberNameError(f"{text!r} needs a step: write @0, @500 or @{NEWEST} behind the name")
    step = None if step_text == NEWEST else int(step_text)
    if first == "word":
        number, _, word = rest.partition(".")
        _one_of(number, OF_A_WORD, "number of a word")
        if not _WORD.fullmatch(word):
            raise NumberNameError(f"{text!r} names no word: write word.{number}.dog@{step_text}")
        return NumberName(text, "word", (number, word), step)
    return NumberName(text, "measure", (_one_of(head, MEASURES, "measure"),), step)


def _one_of(name: str, known: tuple[str, ...], what: str) -> str:
    if name not in known:
        raise NumberNameError(f"there is no {what} {name[:60]!r}; there are {', '.join(known)}")
    return name
