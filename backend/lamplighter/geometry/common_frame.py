"""A common frame of several maps of the same points, by generalised Procrustes analysis (Gower 1975).

Each map is moved, turned, mirrored and scaled as a whole, so that all of them together are as close to their mean as
possible. A map of an embedding has no up and no left of its own, and its mirror image is as good a map.
"""

from __future__ import annotations

from dataclasses import dataclass

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
    """Return the similarity that brings each of M maps, (M, N, 2), into a frame turned like the first.

    After it a map's points have a root mean square distance of 1 from the origin, their middle; a map whose
    points coincide stays a point.
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
