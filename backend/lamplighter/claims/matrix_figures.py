"""Figures of the embedding that several claims need: purity, nearest cosines, lengths, turns, and a random rotation.

Of a large matrix a sample of the rows is asked, so that no figure takes longer than some tens of milliseconds.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from lamplighter.claims.evidence import MatrixFigures, TurnedFigures
from lamplighter.geometry.nearest_by_chance import nearest_cosine
from lamplighter.geometry.neighbours import nearest_rows
from lamplighter.geometry.purity import class_purity
from lamplighter.geometry.rotation import random_rotation, rotate, share_of_kept_lists
from lamplighter.runfolder.reading.matrix_history import MatrixHistory
from lamplighter.runfolder.reading.snapshot import NoSnapshotError

Matrix = NDArray[np.float32]

MOST_NUMBERS = 1 << 24
"""Largest matrix that is looked at, in numbers: 64 MB."""
MOST_DIM = 1_024
"""Largest width that is turned: a rotation costs its third power."""
_MOST_PRODUCTS = 1 << 28
"""Multiplications for the lists of neighbours of one matrix."""
_MOST_CLASSED = 6_000
NEIGHBOURS, _SEED = 10, 0


def sample_rows(size: int, dim: int) -> NDArray[np.int64]:
    """Return rows spread evenly over a matrix, shape (N,), as many as their neighbours may cost."""
    count = max(2, min(size, 512, _MOST_PRODUCTS // max(1, size * dim)))
    return np.unique(np.linspace(0, size - 1, count).astype(np.int64))


def measure_matrix(
    vectors: Matrix, step: int, class_of: NDArray[np.integer], purity: float | None, before: Matrix | None
) -> MatrixFigures | None:
    """Return the figures of a matrix.

    Args:
        vectors: shape (V, D).
        step: the step after which it was.
        class_of: shape (V,), negative for none.
        purity: its purity, if it was measured before.
        before: the matrix one step earlier, shape (V, D), if it is known.

    Returns:
        None where it is not finite, or too small.
    """
    if len(vectors) < 2 or not np.isfinite(vectors).all():
        return None
    if purity is None and 0 < (class_of >= 0).sum() <= _MOST_CLASSED:
        measured = class_purity(vectors, class_of)
        purity = measured if math.isfinite(measured) else None
    return MatrixFigures(
        step,
        purity,
        nearest_cosine(vectors),
        float(np.median(np.linalg.norm(vectors, axis=1))),
        None if before is None else measure_turn(before, vectors),
    )


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
    """Return the median turn of the rows that a step moved, in degrees; None where a matrix is not kept."""
    try:
        return measure_turn(history.snapshot(step - 1).vectors, history.snapshot(step).vectors)
    except NoSnapshotError:
        return None


def turn_space(vectors: Matrix, step: int) -> TurnedFigures | None:
    """Return what a random rotation of the whole space changes and keeps; None for a matrix that is too wide or not finite."""
    size, dim = vectors.shape
    if dim > MOST_DIM or size < 3 or not np.isfinite(vectors).all():
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


def compare_cities(inputs: Matrix, outputs: Matrix) -> float:
    """Return the share of a word's ten nearest in the input matrix that are among its ten nearest in the output matrix, over
    a sample of the words.

    Args:
        inputs: shape (V, D).
        outputs: shape (V, D).
    """
    rows = sample_rows(*inputs.shape)
    one, _ = nearest_rows(inputs, rows, NEIGHBOURS)
    other, _ = nearest_rows(outputs, rows, NEIGHBOURS)
    return float((one[:, :, None] == other[:, None, :]).any(axis=2).mean())
