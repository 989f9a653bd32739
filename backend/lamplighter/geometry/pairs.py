"""Pairwise similarity of rows: chosen ones, and random ones for comparison."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lamplighter.geometry.neighbours import cosines_with
from lamplighter.wire.row_source import RowSource
from living_map.rows import split_rows, unit_rows

RANDOM_PAIRS = 10_000
"""Maximum random pairs to measure; all pairs if there are fewer."""

BLOCK = 256
_SEED = 0


@dataclass(frozen=True)
class PairStatistics:
    """Statistics of a number measured on many pairs; NaN if there were none."""

    mean: float
    deviation: float
    least: float
    most: float


@dataclass(frozen=True)
class PairSimilarity:
    """Statistics of the cosine and the Euclidean distance of pairs of rows."""

    pairs: int
    cosine: PairStatistics
    distance: PairStatistics


def pairwise_similarities(vectors: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Compute the cosine and the Euclidean distance of every two rows, (K, D); shape (K, K) each. Rows
    without a direction (zero or not finite) have cosines of 0, and distances that are not finite.
    """
    units = unit_rows(vectors)
    cosines = np.clip(units @ units.T, -1, 1)
    wide = vectors.astype(np.float64)
    distances = np.array([np.linalg.norm(wide - row, axis=1) for row in wide])
    return cosines, distances.astype(np.float32).reshape(len(wide), len(wide))


def measure_all_pairs(vectors: NDArray[np.float32]) -> PairSimilarity:
    """Measure every pair of the rows once. `vectors`: shape (K, D)."""
    cosines, distances = _RunningStatistics(), _RunningStatistics()
    units, wide = unit_rows(vectors), vectors.astype(np.float64)
    squares = (wide**2).sum(axis=1)
    for start in range(0, len(units), BLOCK):
        block = slice(start, start + BLOCK)
        # Count each pair once: only later rows.
        later = np.arange(len(units))[None, :] > np.arange(len(units))[block, None]
        cosines.add((units[block] @ units.T)[later])
        apart = squares[block, None] + squares[None, :] - 2 * wide[block] @ wide.T
        distances.add(np.sqrt(np.maximum(0, apart))[later])
    return PairSimilarity(cosines.count, cosines.spread(-1, 1), distances.spread(0, np.inf))


def measure_random_pairs(vectors: RowSource, limit: int = RANDOM_PAIRS) -> PairSimilarity:
    """Measure `limit` random pairs of the rows, (V, D), with a fixed seed; all pairs if there are no more."""
    size = len(vectors)
    if size * (size - 1) // 2 <= limit:
        return measure_all_pairs(vectors[:])
    draw = np.random.default_rng(_SEED)
    one = draw.integers(0, size, size=limit)
    # Uniform over all other rows, never the row itself.
    other = (one + draw.integers(1, size, size=limit)) % size
    cosines, distances = _RunningStatistics(), _RunningStatistics()
    for block in split_rows(limit, vectors.shape[1]):
        here, there = vectors[one[block]], vectors[other[block]]
        cosines.add((unit_rows(here) * unit_rows(there)).sum(axis=1))
        distances.add(np.linalg.norm(here.astype(np.float64) - there, axis=1))
    return PairSimilarity(limit, cosines.spread(-1, 1), distances.spread(0, np.inf))


class _RunningStatistics:
    """Running sums for the statistics of values that come in blocks."""

    def __init__(self) -> None:
        self.count = 0
        self._sum = self._squares = 0.0
        self._least, self._most = np.inf, -np.inf

    def add(self, values: NDArray[np.floating]) -> None:
        if not len(values):
            return
        wide = values.astype(np.float64)
        self.count += len(wide)
        self._sum += float(wide.sum())
        self._squares += float((wide**2).sum())
        # A NaN makes all four NaN.
        self._least = float(np.minimum(self._least, wide.min()))
        self._most = float(np.maximum(self._most, wide.max()))

    def spread(self, low: float, high: float) -> PairStatistics:
        """Return the statistics, clipped to `low` and `high` against rounding errors."""
        if not self.count:
            return PairStatistics(np.nan, np.nan, np.nan, np.nan)
        mean = self._sum / self.count
        deviation = float(np.sqrt(np.maximum(0.0, self._squares / self.count - mean**2)))
        mean, least, most = (float(np.clip(value, low, high)) for value in (mean, self._least, self._most))
        return PairStatistics(mean, deviation, least, most)


def mutual_ranks(vectors: NDArray[np.float32], a: int, b: int) -> tuple[int, int]:
    """Return the rank of b by cosine with a, and of a by cosine with b; 1 is the most similar."""
    return mutual_ranks_of_units(unit_rows(vectors), a, b)


def mutual_ranks_of_pairs(
    vectors: RowSource, pairs: Sequence[tuple[int, int]]
) -> list[tuple[int, int, float]]:
    """Return for each pair the ranks of `mutual_ranks`, and the cosine of its two rows."""
    rows = np.array([row for pair in pairs for row in pair])
    cosines = cosines_with(vectors, unit_rows(vectors[rows]))
    found: list[tuple[int, int, float]] = []
    for at, (a, b) in enumerate(pairs):
        ranks: list[int] = []
        cosine = float(cosines[2 * at, b])
        for row, other, similar in ((a, b, cosines[2 * at]), (b, a, cosines[2 * at + 1])):
            similar[row] = -np.inf
            ranks.append(1 + int((similar > similar[other]).sum()))
        found.append((ranks[0], ranks[1], cosine))
    return found


def mutual_ranks_of_units(units: NDArray[np.float32], a: int, b: int) -> tuple[int, int]:
    """Return ranks like `mutual_ranks`, for rows scaled by `unit_rows`."""
    ranks: list[int] = []
    for row, other in ((a, b), (b, a)):
        cosines = units @ units[row]
        cosines[row] = -np.inf
        ranks.append(1 + int((cosines > cosines[other]).sum()))
    return ranks[0], ranks[1]


Doubles = NDArray[np.float64]


class PairDistance(NamedTuple):
    """Distances at each of N steps, each array of shape (N,); NaN where undefined."""

    distance: Doubles
    """Euclidean distance."""
    cosine: Doubles
    """Cosine of the angle between the two; NaN if either has zero length."""


def pair_distance(a: NDArray[np.float32], b: NDArray[np.float32]) -> PairDistance:
    """Measure the distance between two series of vectors, (N, D), row by row."""
    one, other = a.astype(np.float64), b.astype(np.float64)
    lengths = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        cosine = np.einsum("nd,nd->n", one, other) / lengths
    return PairDistance(np.linalg.norm(one - other, axis=1), np.clip(cosine, -1, 1))
