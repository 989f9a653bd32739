"""What a map measures nearness by: the cosine, or Euclid's distance."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from living_map.rows import unit_rows

Metric = Literal["cosine", "euclidean"]


def comparable_rows(
    vectors: NDArray[np.float32], metric: Metric, centre: NDArray[np.float32] | float
) -> NDArray[np.float32]:
    """Return rows, (N, D), whose products, after `as_queries`, are cosines, or squared distances below zero.

    By Euclid a row gets two more columns, its square and 1, so that one product makes a distance; `centre`,
    (D,) or one number, is subtracted, so that squares are small and little is lost to rounding.
    """
    if metric == "cosine":
        return unit_rows(vectors)
    rows = np.ones((len(vectors), vectors.shape[1] + 2), dtype=np.float32)
    np.subtract(vectors, centre, out=rows[:, :-2])
    rows[:, -2] = np.einsum("ij,ij->i", rows[:, :-2], rows[:, :-2])
    return rows


def as_queries(rows: Any, metric: Metric) -> Any:
    """Change comparable rows in place into those that comparable rows are multiplied by, and return them."""
    if metric == "euclidean":
        # 2xy - x^2 - y^2
        rows[:, :-2] *= 2
        rows[:, -1] = -rows[:, -2]
        rows[:, -2] = -1
    return rows


def ways_moved(rows: NDArray[np.float32], before: NDArray[np.float32], metric: Metric) -> NDArray[np.float32]:
    """Return how far each row is from where it was, shape (N,); by cosine, as a unit vector."""
    if metric == "cosine":
        rows, before = unit_rows(rows), unit_rows(before)
    return np.linalg.norm(rows - before, axis=1)
