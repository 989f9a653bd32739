"""Directions of a space: the axis from some words to others, and the consistency of a relation's offsets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lamplighter.wire.row_source import RowSource, row_blocks
from living_map.rows import split_rows, unit_rows

DRAWS = 20
"""Number of random relations to compare a relation's consistency with."""
_SEED = 0

Vectors = NDArray[np.float32]


class Axis(NamedTuple):
    """A direction from the mean of some rows to the mean of others."""

    length: float
    """Distance of the two means; 0 if they coincide, so that there is no direction."""
    positions: NDArray[np.float64] | None
    """Shape (V,): each row along the direction, 0 midway between the means; None without a direction."""
    spread: float
    """Standard deviation of these positions; NaN without a direction."""
    spread_by_chance: float
    """Standard deviation of positions along a random direction: the root of the mean variance of a coordinate."""


def measure_axis(vectors: RowSource, start: NDArray[np.integer], end: NDArray[np.integer]) -> Axis:
    """Measure the positions of all rows along the axis from the mean of some rows to the mean of others."""
    one, other = (vectors[rows].mean(axis=0, dtype=np.float64) for rows in (start, end))
    length = float(np.linalg.norm(other - one))
    spread_by_chance = float(np.sqrt(_mean_variance(vectors)))
    if not 0 < length < np.inf:
        return Axis(0.0, None, float("nan"), spread_by_chance)
    direction = (other - one) / length
    positions = np.empty(len(vectors))
    for block in split_rows(*vectors.shape):
        positions[block] = (vectors[block] - (one + other) / 2) @ direction
    return Axis(length, positions, float(positions.std()), spread_by_chance)


def offset_consistency(vectors: Vectors, pairs: Sequence[tuple[int, int]]) -> float:
    """Compute the mean cosine of the offsets (second row minus first) of every two pairs of rows. From -1 to
    1: 1 if all point the same way, about 0 if they have nothing in common; NaN for fewer than two pairs whose
    rows differ.
    """
    return float(
        _mean_cosines(vectors, np.array(list(dict.fromkeys(pairs)), dtype=np.int64).reshape(1, -1, 2))[0]
    )


def consistency_by_chance(
    vectors: Vectors, pairs: Sequence[tuple[int, int]], class_of: NDArray[np.integer]
) -> tuple[float, float]:
    """Compute the `offset_consistency` of random pairs of the same classes: the classes' own, to which a
    relation adds.

    Mean and standard deviation over `DRAWS` draws with a fixed seed; NaN if a word has no class (`class_of`,
    negative), or there are fewer than two pairs.
    """
    known = np.array(list(dict.fromkeys(pairs)), dtype=np.int64).reshape(-1, 2)
    classes = np.asarray(class_of)[known]
    if len(known) < 2 or (classes < 0).any():
        return float("nan"), float("nan")
    random = np.random.default_rng(_SEED)
    members = [np.flatnonzero(np.asarray(class_of) == label) for label in np.unique(classes)]
    places = [np.flatnonzero((classes == label).ravel()) for label in np.unique(classes)]
    drawn = np.empty((DRAWS, known.size), dtype=np.int64)
    for draw in drawn:
        # Draw without replacement: two pairs that share a word would look alike just for that.
        for rows, at in zip(members, places, strict=True):
            draw[at] = random.permutation(rows)[np.arange(len(at)) % len(rows)]
    found = _mean_cosines(vectors, drawn.reshape(DRAWS, -1, 2))
    return float(found.mean()), float(found.std())


def _mean_variance(vectors: RowSource) -> float:
    """Return the mean variance of a coordinate, computed in 64 bits block by block."""
    size, dim = vectors.shape
    mean = sum((rows.sum(axis=0, dtype=np.float64) for _, rows in row_blocks(vectors)), np.zeros(dim)) / size
    squares = sum(float(np.square(vectors[block] - mean).sum()) for block in split_rows(size, dim))
    return squares / (size * dim)


def _mean_cosines(vectors: Vectors, relations: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the mean cosine of the offsets of every two pairs of each relation, (R, P, 2). Shape (R,)."""
    relation_count, pair_count, _ = relations.shape
    total, count = np.zeros((relation_count, vectors.shape[1])), np.zeros(relation_count)
    for block in split_rows(pair_count, relation_count * vectors.shape[1]):
        ends = vectors[relations[:, block]]
        offsets = unit_rows((ends[:, :, 1] - ends[:, :, 0]).reshape(-1, vectors.shape[1]))
        offsets = offsets.reshape(relation_count, -1, vectors.shape[1])
        # Two equal rows have no offset, so no direction.
        count += offsets.any(axis=2).sum(axis=1)
        total += offsets.sum(axis=1, dtype=np.float64)
    # The sum over all ordered pairs without a table: |sum|^2 minus each with itself.
    several = np.where(count < 2, np.nan, count)
    return np.clip((np.square(total).sum(axis=1) - count) / (several * (several - 1)), -1, 1)
