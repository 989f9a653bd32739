"""The summary of one checkpoint's table: some hundred kilobytes, enough to compare any two steps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lamplighter.wire.binary import Floats


@dataclass(frozen=True)
class TableSummary:
    """The figures of one table, shape (V, D)."""

    step: int
    shape: tuple[int, int]
    digest: bytes
    """Equal for tables with the same numbers, in any floating-point format; zeros of both signs are the same."""
    row_hashes: NDArray[np.uint64]
    """The hashes of sampled rows, the same rows at each step."""
    sketch: Floats
    """Fewer sampled rows, projected to at most 64 dimensions: distances and angles between steps stay nearly the same.
    Values that are not finite are 0."""
    median_norm: float
    """The median length of a finite row."""
    moved: float | None
    """The share of rows that differ from the table before; None for the first, and after another shape."""
    bad_rows: int
    """The number of rows with a value that is not finite."""
    first_bad: int | None


def distance(a: TableSummary, b: TableSummary) -> Floats:
    """Return how far each row of the sketch is from itself at another step, shape (S,)."""
    return np.linalg.norm(a.sketch - b.sketch, axis=1)


def row_cosines(a: TableSummary, b: TableSummary) -> Floats:
    """Return the cosine of each row of the sketch with itself at another step, shape (S,); 0 for a row of zeros."""
    lengths = np.linalg.norm(a.sketch, axis=1) * np.linalg.norm(b.sketch, axis=1)
    return np.einsum("ij,ij->i", a.sketch, b.sketch) / np.where(lengths > 0, lengths, 1)


def median_cosine(a: TableSummary, b: TableSummary) -> float:
    """Return the median of `row_cosines`."""
    return float(np.median(row_cosines(a, b)))
