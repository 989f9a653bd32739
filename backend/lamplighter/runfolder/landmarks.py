"""The landmarks of a large vocabulary: the tokens that the map lays out. All others are placed by them
(`docs/decisions/0033-landmarks.md`)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lamplighter.wire.vocabulary import Vocabulary

MIN_TOKENS = 60_000
"""Vocabularies of fewer tokens are laid out whole."""
LANDMARKS = 20_000
MIN_LANDMARKS = 100
"""Minimum number of landmarks that a person may choose."""


def choose_landmarks(vocabulary: Vocabulary) -> NDArray[np.int64] | None:
    """Return the ids of the landmarks, ascending, shape (L,); None for a vocabulary that is laid out whole.

    They are the most frequent tokens; where counts are unknown, those with the lowest ids, which tokenisers give to the
    pieces that they found first.
    """
    if len(vocabulary) < MIN_TOKENS:
        return None
    if not vocabulary.counts_known:
        return np.arange(LANDMARKS)
    return np.sort(np.argsort(-vocabulary.counts, kind="stable")[:LANDMARKS])


def describe_landmarks(vocabulary: Vocabulary) -> str:
    """Return a phrase for a run's message that says which tokens are placed; empty if all are laid out."""
    landmarks = choose_landmarks(vocabulary)
    if landmarks is None:
        return ""
    chosen = "most frequent tokens" if vocabulary.counts_known else "tokens with the lowest ids"
    return describe_choice(len(vocabulary), len(landmarks), chosen)


def describe_choice(size: int, laid_out: int, which: str) -> str:
    """Return the phrase for a vocabulary of `size` tokens; `which`, a plural, says which of them are laid out."""
    return (
        f"; the map lays out the {laid_out:,} {which}, and places the other {size - laid_out:,} beside those nearest to"
        " them"
    )
