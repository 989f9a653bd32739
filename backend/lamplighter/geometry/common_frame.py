"""What several spaces have in common: a frame for their maps, and the nearest words that stay the same.

The frame is found by generalised Procrustes analysis (Gower 1975): each map is moved, turned, mirrored and scaled as a
whole, so that all of them together are as close to their mean as possible. A map of an embedding has no up and no left
of its own, and its mirror image is as good a map. Spaces of different seeds share no axes, but a list of nearest words
needs none.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from math import comb

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]

_ROUNDS = 30
_SETTLED = 1e-9
"""Change of the mean between two rounds, relative to its size, below which it has settled."""


@dataclass(frozen=True)
class Similarity:
    """A similarity of the plane: a translation, a scaling, then a rotation or a reflection."""

    middle: Points
    """The point that becomes the origin, shape (2,)."""
    scale: float
    turn: Points
    """An orthogonal matrix, shape (2, 2), which rows are multiplied by."""
    residual: float
    """Root mean square distance of the points to the common frame, whose points have distance 1 from the origin."""

    def apply(self, points: NDArray[np.floating]) -> Points:
        return (points.astype(np.float64) - self.middle) * self.scale @ self.turn


def find_common_frame(maps: NDArray[np.floating]) -> list[Similarity]:
    """Return the similarity that brings each of M maps, (M, N, 2), into a frame turned like the first. After
    it a map's points have a root mean square distance of 1 from the origin, their middle; a map whose points
    coincide stays a point.
    """
    points = maps.astype(np.float64)
    middles = points.mean(axis=1)
    points -= middles[:, None]
    sizes = np.sqrt(np.square(points).sum(axis=2).mean(axis=1))
    scales = np.divide(1.0, sizes, out=np.ones_like(sizes), where=sizes > 0)
    points *= scales[:, None, None]
    mean, turns = points[0], np.repeat(np.eye(2)[None], len(points), axis=0)
    for _ in range(_ROUNDS):
        turns = np.array([_best_turn(own, mean) for own in points])
        turned = points @ turns
        # The mean of what does not agree shrinks; at full size, no map is drawn to the origin.
        newer = turned.mean(axis=0)
        newer /= np.sqrt(np.square(newer).sum(axis=1).mean()) or 1.0
        moved = float(np.square(newer - mean).sum(axis=1).mean())
        mean = newer
        if moved < _SETTLED:
            break
    residuals = np.sqrt(np.square(points @ turns - mean).sum(axis=2).mean(axis=1))
    return [
        Similarity(middle, float(scale), turn, float(residual))
        for middle, scale, turn, residual in zip(middles, scales, turns, residuals, strict=True)
    ]


def _best_turn(points: Points, target: Points) -> Points:
    """Return the orthogonal matrix that brings `points` closest to `target` (Schönemann 1966)."""
    left, _, right = np.linalg.svd(points.T @ target)
    return left @ right


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
