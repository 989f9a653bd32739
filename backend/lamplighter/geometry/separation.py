"""How far occurrences of a word come apart by their meaning: the mean silhouette, and what shuffled meanings give.

The silhouette of an occurrence (Rousseeuw 1987) compares its mean distance to those of its own meaning with that to the
nearest other meaning: 1 is far apart, 0 mixed, below 0 on the wrong side. The distance is 1 minus the cosine.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from living_map.rows import unit_rows

SHUFFLES = 200
MAX_OCCURRENCES = 1_000
"""Maximum occurrences of a word that are compared, drawn at random: each with each, at every measure."""
_SEED = 0
_EQUAL = 1e-6
"""A distance that rounding gives to equal rows."""
Distances = NDArray[np.float64]


def separation(
    vectors: NDArray[np.float32], meanings: NDArray[np.int64], words: NDArray[np.int64]
) -> tuple[float, float] | None:
    """Return the mean silhouette of occurrences, (R, D), among those of the same word, and its null.

    The null is the 95th percentile if the meanings of each word, (R,), below 0 for none, are shuffled. At
    most `MAX_OCCURRENCES` of each word are compared. None if no word has two meanings, of which one occurs
    twice.
    """
    random = np.random.default_rng(_SEED)
    of_words: list[tuple[Distances, NDArray[np.int64]]] = []
    for word in np.unique(words):
        chosen = np.flatnonzero((words == word) & (meanings >= 0))
        if len(chosen) > MAX_OCCURRENCES:
            chosen = np.sort(random.choice(chosen, MAX_OCCURRENCES, replace=False))
        found, labels = np.unique(meanings[chosen], return_inverse=True)
        if 2 <= len(found) < len(chosen):
            of_words.append((_distances(vectors[chosen]), labels))
    if not of_words:
        return None
    shuffled = [
        np.concatenate([_silhouettes(apart, random.permutation(labels)) for apart, labels in of_words]).mean()
        for _ in range(SHUFFLES)
    ]
    value = np.concatenate([_silhouettes(*one) for one in of_words]).mean()
    return float(value), float(np.percentile(shuffled, 95))


def _distances(vectors: NDArray[np.float32]) -> Distances:
    units = unit_rows(vectors).astype(np.float64)
    apart = np.maximum(0, 1 - units @ units.T)
    apart[apart < _EQUAL] = 0
    return apart


def _silhouettes(apart: Distances, labels: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the silhouette of each row; 0 for one that is alone, or where all are equal."""
    member = np.eye(labels.max() + 1)[labels]
    sizes, sums = member.sum(axis=0), apart @ member
    rows = np.arange(len(labels))
    own = sums[rows, labels] / np.maximum(1, sizes[labels] - 1)
    means = sums / sizes
    means[rows, labels] = np.inf
    other = means.min(axis=1)
    largest = np.maximum(own, other)
    alone = (sizes[labels] == 1) | (largest == 0)
    return np.where(alone, 0.0, (other - own) / np.where(largest == 0, 1.0, largest))
