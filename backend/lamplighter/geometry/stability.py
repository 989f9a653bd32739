"""Stability of neighbourhoods: how much of a word's nearest is the same in several spaces, and what chance gives.

Spaces of different seeds share no axes, but a list of nearest words needs none.
"""

from __future__ import annotations

from itertools import combinations
from math import comb

import numpy as np
from numpy.typing import NDArray

Lists = NDArray[np.integer]
"""Ids of the nearest words in each space, shape (M, W, k): M spaces, W words, k different ids each."""


def pairwise_jaccard(lists: Lists) -> NDArray[np.float64]:
    """Return the Jaccard index of each word's lists in each pair of spaces, shape (P, W), P = M (M - 1) / 2.

    That is the share of the ids in either list that are in both: 1 for equal lists, 0 for disjoint ones.
    """
    _, words, k = lists.shape
    pairs = [
        (one[:, :, None] == other[:, None, :]).any(axis=2).sum(axis=1)
        for one, other in combinations(lists, 2)
    ]
    shared = np.array(pairs, dtype=np.float64).reshape(-1, words)
    return shared / (2 * k - shared)


def shared_by_all(lists: Lists) -> list[set[int]]:
    """Return, for each word, the ids that are in its list in every space."""
    return [set.intersection(*(set(ids.tolist()) for ids in of_word)) for of_word in lists.transpose(1, 0, 2)]


def jaccard_by_chance(k: int, size: int) -> float:
    """Return the expected Jaccard index of two lists of `k` ids drawn at random from `size`; NaN if there are fewer."""
    if not 0 < k <= size:
        return float("nan")
    draws = comb(size, k)
    shared = ((same, comb(k, same) * comb(size - k, k - same) / draws) for same in range(k + 1))
    return sum(probability * same / (2 * k - same) for same, probability in shared)


def shared_by_chance(k: int, size: int, spaces: int) -> float:
    """Return the expected share of a random list that is in as random lists of all the other spaces."""
    return (k / size) ** (spaces - 1) if 0 < k <= size else float("nan")
