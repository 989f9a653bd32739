"""Displacements of rows in the embedding, not on a map."""

from __future__ import annotations

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
