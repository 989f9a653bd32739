"""Figures of the embedding that several claims need: order, cosines, lengths, turns, and a rotation.

Large matrices are sampled, so that each figure takes at most some tens of milliseconds.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from lamplighter.claims.evidence import MatrixFigures, OrderFigures, RelationFigures, TurnedFigures
from lamplighter.claims.intervals import Spread, mean_of, spread_of
from lamplighter.geometry.analogies import analogy_shares
from lamplighter.geometry.neighbours import all_nearest, nearest_cosine, nearest_rows
from lamplighter.geometry.purity import (
    NeighbourClasses,
    class_purities,
    classify_neighbours,
    neighbour_information,
    neighbour_information_most,
    neighbour_purity,
)
from lamplighter.geometry.rank import length_frequency_correlation
from lamplighter.geometry.rotation import random_rotation, rotate, share_of_kept_lists
from lamplighter.runfolder.errors import NoSnapshotError
from lamplighter.runfolder.reading.matrix_history import MatrixHistory
from lamplighter.wire.vocabulary import Relation, Vocabulary

Matrix = NDArray[np.float32]

MAX_NUMBERS = 1 << 24
"""Maximum size of a measured matrix, in numbers: 64 MB."""
MAX_DIM = 1_024
"""Maximum width that is rotated: the cost grows with its cube."""
MAX_RELATIONS, MAX_PAIRS = 16, 1_000
"""Maximum relations, and pairs per relation."""
MAX_ANALOGY_NUMBERS = 1 << 22
"""Maximum size of a matrix whose analogies are measured, in numbers: a few seconds at most."""
DRAWS = 20
"""Number of label permutations, or word draws, that give the spread of a null."""
_MAX_PRODUCTS = 1 << 28
"""Maximum multiplications for the neighbour lists of one matrix."""
_MAX_CLASSED = 6_000
_PAIRS = 1_000
"""Number of word pairs whose distance is measured."""
NEIGHBOURS, _SEED = 10, 0


def sample_rows(size: int, dim: int) -> NDArray[np.int64]:
    """Return row indices spread evenly over a matrix, shape (N,); the cost of their neighbours limits N."""
    count = max(2, min(size, 512, _MAX_PRODUCTS // max(1, size * dim)))
    return np.unique(np.linspace(0, size - 1, count).astype(np.int64))


def measure_matrix(
    vectors: Matrix, step: int, vocabulary: Vocabulary, before: Matrix | None
) -> MatrixFigures | None:
    """Return the figures of a matrix, (V, D), after `step`; None if it is not finite, or too small. `before`:
    the matrix one step earlier, shape (V, D), if known.
    """
    if len(vectors) < 2 or not np.isfinite(vectors).all():
        return None
    length = float(np.median(np.linalg.norm(vectors, axis=1)))
    follows = (
        length_frequency_correlation(vectors, vocabulary.counts) if vocabulary.counts_known else math.nan
    )
    return MatrixFigures(
        step,
        measure_order(vectors, vocabulary.class_of()),
        nearest_cosine(vectors),
        None if before is None else measure_turn(before, vectors),
        follows if math.isfinite(follows) else None,
        _measure_apart(vectors, length),
    )


def measure_order(vectors: Matrix, class_of: NDArray[np.integer]) -> OrderFigures | None:
    """Return how often a word's nearest share its class, and how often under shuffled labels. `class_of`:
    shape (V,), negative for none. None if no class has two words, or if too many words have a class.
    """
    classed = np.flatnonzero(class_of >= 0)
    if not 2 <= len(classed) <= _MAX_CLASSED:
        return None
    labels = class_of[classed]
    ids, _ = all_nearest(vectors[classed], NEIGHBOURS)
    found = classify_neighbours(ids, labels)
    if not (found.sizes > 1).any():
        return None
    draw = np.random.default_rng(_SEED)
    dealt: list[NeighbourClasses] = [classify_neighbours(ids, draw.permutation(labels)) for _ in range(DRAWS)]
    return OrderFigures(
        mean_of(class_purities(found).tolist()),
        spread_of([neighbour_purity(one) for one in dealt]),
        neighbour_information(found),
        spread_of([neighbour_information(one) for one in dealt]),
        neighbour_information_most(found),
    )


def measure_relations(
    vectors: Matrix, relations: Iterable[Relation], class_of: NDArray[np.integer]
) -> dict[str, RelationFigures]:
    """Return by name how often a sum, the third word alone, and guessing complete each relation. At most
    `MAX_RELATIONS` that have an analogy, and none of a matrix above `MAX_ANALOGY_NUMBERS`. The questions are
    those of the measures and of the geometry routes, so that all show the same shares.
    """
    if vectors.size > MAX_ANALOGY_NUMBERS or not np.isfinite(vectors).all():
        return {}
    found: dict[str, RelationFigures] = {}
    for relation in list(relations)[:MAX_RELATIONS]:
        if len(relation.pairs) > MAX_PAIRS:
            continue
        shares = analogy_shares(vectors, relation.pairs, class_of)
        if math.isfinite(shares.accuracy):
            guessed = shares.right_class if math.isfinite(shares.right_class) else shares.chance
            told = shares.accuracy, len(relation.pairs), guessed, shares.nearest_of_c
            found[relation.name] = RelationFigures(*told)
    return found


def measure_turn(before: Matrix, after: Matrix) -> float | None:
    """Return the median angle in degrees between a row before and after, over the rows that changed; None if none did."""
    changed = np.flatnonzero((before != after).any(axis=1))
    one, other = before[changed].astype(np.float64), after[changed].astype(np.float64)
    lengths = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
    known = lengths > 0
    if not known.any():
        return None
    cosines = np.einsum("nd,nd->n", one[known], other[known]) / lengths[known]
    return float(np.median(np.degrees(np.arccos(np.clip(cosines, -1, 1)))))


def read_turn(history: MatrixHistory, step: int) -> float | None:
    """Return the median turn of the rows that a step moved, in degrees; None if a matrix is missing."""
    try:
        return measure_turn(history.snapshot(step - 1).vectors, history.snapshot(step).vectors)
    except NoSnapshotError:
        return None


def turn_space(vectors: Matrix, step: int) -> TurnedFigures | None:
    """Return what a random rotation changes and keeps; None if the space is too wide or not finite."""
    size, dim = vectors.shape
    if dim > MAX_DIM or size < 3 or not np.isfinite(vectors).all():
        return None
    turned = rotate(vectors, random_rotation(dim, _SEED))
    rows = sample_rows(size, dim)
    before, _ = nearest_rows(vectors, rows, NEIGHBOURS)
    after, _ = nearest_rows(turned, rows, NEIGHBOURS)
    dealt, _ = nearest_rows(vectors[np.random.default_rng(_SEED).permutation(size)], rows, NEIGHBOURS)
    return TurnedFigures(
        step,
        float((vectors != turned).mean()),
        share_of_kept_lists(before, after),
        share_of_kept_lists(before, dealt),
    )


def _measure_apart(vectors: Matrix, length: float) -> Spread | None:
    """Return the mean distance of randomly drawn word pairs, in units of the row length."""
    if length <= 0:
        return None
    one, other = np.random.default_rng(_SEED).integers(len(vectors), size=(2, _PAIRS))
    distances = np.linalg.norm(vectors[one] - vectors[other], axis=1)[one != other] / length
    return spread_of(distances.tolist()) if len(distances) else None
