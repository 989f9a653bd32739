"""Sentences with a probed word, as people give them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, cast

from lamplighter.client.errors import InputError

MAX_SENTENCE = 1_000
_MAX_LABEL = 40
_BEFORE = 4
"""Words before the probed one in its name."""


@dataclass(frozen=True)
class ProbedSentence:
    """A sentence, and the word in it whose hidden states are read."""

    text: str
    start: int
    end: int
    """Where the word is in the text, in characters."""
    label: str = ""
    """Its meaning here; empty if it is not told."""

    @property
    def word(self) -> str:
        return self.text[self.start : self.end]

    @property
    def short_text(self) -> str:
        """Return the word with some words before it; a word at the beginning, with some after it."""
        before = self.text[: self.start].split()
        after = self.text[self.end :].split()
        more = after[: max(0, _BEFORE - len(before))]
        return " ".join([*before[-_BEFORE:], self.word, *more])


def read_sentences(given: object) -> list[ProbedSentence]:
    """Return the sentences in a list: each a text, whose last word is probed, or a sequence of the text, the
    word, and its meaning. Raises InputError."""
    if isinstance(given, str | bytes) or not isinstance(given, Iterable):
        raise InputError(
            "probes: give a list of sentences, each a text or (text, word) or (text, word, meaning); or a function that"
            " returns a matrix"
        )
    return [_read(one, number) for number, one in enumerate(cast("Iterable[object]", given))]


def _read(given: object, number: int) -> ProbedSentence:
    several = cast("Iterable[Any]", given if isinstance(given, Iterable) else ())
    parts = [given] if isinstance(given, str) else list(several)
    if not 1 <= len(parts) <= 3 or not all(isinstance(part, str) for part in parts):
        raise InputError(f"probes: entry {number} must be a text, (text, word) or (text, word, meaning)")
    text, word, label = [*parts, "", ""][:3]
    if len(text) > MAX_SENTENCE or len(label) > _MAX_LABEL:
        raise InputError(
            f"probes: entry {number} is too long: at most {MAX_SENTENCE:,} letters of text and {_MAX_LABEL} of a meaning"
        )
    # The last word has no punctuation around it.
    pattern = rf"(?<!\w){re.escape(word.strip())}(?!\w)" if word.strip() else r"\w(\S*\w)?(?=\W*$)"
    found = re.search(pattern, text, re.IGNORECASE)
    if found is None:
        raise InputError(
            f"probes: {text[:80]!r} has no word {word[:40]!r}"
            if word
            else f"probes: entry {number} has no word"
        )
    return ProbedSentence(text, found.start(), found.end(), " ".join(label.split()))
