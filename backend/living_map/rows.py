"""Rows of matrices: of length one, in blocks, compared with the last frame's, and by what nearness is measured."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from living_map.two_threads import run_each, split_range

BLOCK_BYTES = 16 << 20
"""Bytes of similarities held at once; small blocks also stay in the cache."""


class Rows(Protocol):
    """A matrix of shape (V, D), indexed by rows: an array, or what reads its rows from a file when they are asked for."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Return (V, D)."""
        ...

    def __getitem__(self, rows: Any, /) -> Any:
        """Return some rows, shape (N, D), as float32."""
        ...


def split_rows(size: int, dim: int) -> Iterator[slice]:
    """Yield slices of the rows of a (size, dim) matrix, of at most `BLOCK_BYTES` as float64 or one row."""
    block = max(1, BLOCK_BYTES // (8 * max(1, dim)))
    for start in range(0, size, block):
        yield slice(start, start + block)


def unit_rows(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Scale rows, (V, D), to length one, in a copy; those without a direction (zero, not finite) become 0."""
    rows = np.array(vectors, dtype=np.float32)
    for block in split_rows(*rows.shape):
        some = rows[block]
        # Dividing by the largest coordinate first keeps the squares of huge and of tiny rows in range.
        largest = np.maximum(some.max(axis=1, initial=0), -some.min(axis=1, initial=0))
        finite = np.isfinite(largest)
        some[~finite] = 0
        some /= np.where(finite & (largest > 0), largest, 1)[:, None]
        length = np.linalg.norm(some, axis=1, keepdims=True)
        some /= np.where(length > 0, length, 1)
    return rows


def differing_rows(vectors: NDArray[np.float32], last: NDArray[np.float32]) -> NDArray[np.int64]:
    """Return the rows of two matrices of one shape, (V, D), that differ in any bit, ascending. Shape (M,)."""
    now = np.ascontiguousarray(vectors, dtype=np.float32).view(np.uint32)
    before = np.ascontiguousarray(last).view(np.uint32)
    differ = run_each(
        lambda part: (now[slice(*part)] != before[slice(*part)]).any(axis=1), split_range(len(now))
    )
    return np.flatnonzero(np.concatenate(differ))


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
