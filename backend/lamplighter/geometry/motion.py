"""Motion in the embedding: of one vector over the steps, and of all rows between two matrices."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_BLOCK = 4 << 20
"""Number of differences held at once."""


def displacements(before: NDArray[np.float32], after: NDArray[np.float32]) -> NDArray[np.float32]:
    """Compute the Euclidean distance of each row of two (V, D) matrices; exactly 0 for an unchanged row.
    Shape (V,); NaN for rows that contain NaN. It raises ValueError if the shapes differ.
    """
    if before.shape != after.shape:
        raise ValueError(f"shapes differ: {before.shape} and {after.shape}")
    distances = np.empty(len(before), dtype=np.float32)
    rows = max(1, _BLOCK // max(1, before.shape[1]))
    with np.errstate(invalid="ignore", over="ignore"):
        for start in range(0, len(before), rows):
            some = slice(start, start + rows)
            change = after[some].astype(np.float64) - before[some]
            distances[some] = np.sqrt(np.einsum("ij,ij->i", change, change))
    return distances


def farthest_rows(distances: NDArray[np.float32], limit: int) -> NDArray[np.int64]:
    """Return up to `limit` rows that moved, farthest first, ties by lower id. NaN counts as not moved."""
    moved = np.flatnonzero(distances > 0)
    order = np.argsort(-distances[moved], kind="stable")
    return moved[order[:limit]]


Doubles = NDArray[np.float64]


class VectorMotion(NamedTuple):
    """Motion at each of N steps, each array of shape (N,); NaN where undefined."""

    length: Doubles
    """Euclidean norm."""
    displacement: Doubles
    """Euclidean distance from the previous step; NaN at the first step if `before` is unknown."""
    turned: Doubles
    """Degrees between the vector and the previous one; NaN at the first step if `before` is unknown, and if either has
    zero length."""
    turned_since_first: Doubles
    """Degrees between the vector and the first; NaN if either has zero length."""


def measure_motion(
    vectors: NDArray[np.float32], first: Doubles | None = None, before: Doubles | None = None
) -> VectorMotion:
    """Compute the motion of a vector, whose places after each step are (N, D), N at least 1. `first`: shape
    (D,): the reference of `turned_since_first`; None: the first of `vectors`. `before`: shape (D,): the
    vector at the step before the first; None: unknown.
    """
    current = vectors.astype(np.float64)
    start = current[0] if first is None else first
    nothing = np.full(current.shape[1], np.nan)
    previous = np.vstack([nothing if before is None else before, current[:-1]])
    return VectorMotion(
        np.linalg.norm(current, axis=1),
        np.linalg.norm(current - previous, axis=1),
        _degrees(previous, current),
        _degrees(start[np.newaxis, :], current),
    )


def _degrees(a: Doubles, b: Doubles) -> Doubles:
    """Return the angles between rows, by Kahan's formula: an arc cosine of small angles is mostly rounding error."""
    lengths_a = np.linalg.norm(a, axis=1, keepdims=True)
    lengths_b = np.linalg.norm(b, axis=1, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        units_a, units_b = a / lengths_a, b / lengths_b
    apart = np.linalg.norm(units_a - units_b, axis=1)
    together = np.linalg.norm(units_a + units_b, axis=1)
    return np.degrees(2 * np.arctan2(apart, together))
