"""The effect of a step, measured from outside the loop by comparing the matrix with a copy of it.

It accepts tensors of any library: an array, or an object with `detach`, `cpu` and `numpy`. It assumes nothing about
the optimiser: a row has moved if its bits differ from the copy's, whatever moved it.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lamplighter.client.errors import InputError
from lamplighter.wire.binary import MAX_VOCABULARY, Floats, UInts
from lamplighter.wire.row_frames import MAX_DIM

MOST_BYTES = 900_000_000
"""Most bytes of a matrix: SQLite stores records of up to 10^9 bytes."""
_BLOCK = 1 << 18
"""Numbers compared at once, so that a block fits in the processor's cache."""


class ChangedRows(NamedTuple):
    """The rows that changed between two steps."""

    token_ids: UInts
    """Sorted."""
    distances: Floats
    vectors: Floats | None
    """Shape (moved, D), after the step; None if more than half of the rows moved: a whole matrix is smaller then."""


class MatrixDiff:
    """A copy of the matrix from the last comparison, to find the rows that changed since. Takes V x D numbers of
    memory.
    """

    def __init__(self, matrix: Floats) -> None:
        """Start with a copy of `matrix`, shape (V, D)."""
        self.matrix = matrix.copy()

    def diff(self, now: Floats) -> ChangedRows:
        """Return the rows whose bits differ from the copy, and update the copy to `now`."""
        size, dim = self.matrix.shape
        block = max(1, _BLOCK // dim)
        new_bits, old_bits = now.view(np.uint32), self.matrix.view(np.uint32)
        changed = [
            start
            + np.flatnonzero((new_bits[start : start + block] != old_bits[start : start + block]).any(axis=1))
            for start in range(0, size, block)
        ]
        ids = np.concatenate(changed)
        vectors = now[ids]
        # A diverged run's infinite values are recorded as they are.
        with np.errstate(over="ignore", invalid="ignore"):
            distances = np.linalg.norm(vectors - self.matrix[ids], axis=1).astype(np.float32)
        self.matrix[ids] = vectors
        return ChangedRows(ids.astype(np.uint32), distances, vectors)


def to_host_array(values: Any) -> NDArray[Any]:
    """Return a tensor or an array as an array in host memory; half precisions become float32."""
    if hasattr(values, "detach"):
        values = values.detach()
        if "float" in str(getattr(values, "dtype", "")) and "64" not in str(values.dtype):
            # numpy has no bfloat16; for float32 the conversion is free.
            values = values.float()
        values = values.cpu().numpy()
    return np.asarray(values)


def to_matrix(embedding: Any) -> Floats:
    """Return the embedding as a contiguous float32 matrix, shape (V, D); a view if it is one already.

    Raises:
        InputError: the embedding is not a matrix of numbers, or a run cannot hold its size.
    """
    weight = embedding if hasattr(embedding, "shape") else getattr(embedding, "weight", embedding)
    matrix = to_host_array(weight)
    if matrix.ndim != 2 or matrix.dtype.kind != "f":
        raise InputError(
            f"the embedding must be a matrix of numbers, tokens x width; this has shape {matrix.shape} and type"
            f" {matrix.dtype}"
        )
    check_matrix_size(*matrix.shape)
    with np.errstate(over="ignore"):
        return np.ascontiguousarray(matrix, dtype=np.float32)


def check_matrix_size(size: int, dim: int) -> None:
    """Raise InputError if a matrix of this size is too small or too large for a run."""
    if not 3 <= size <= MAX_VOCABULARY or not 2 <= dim <= MAX_DIM or 4 * size * dim > MOST_BYTES:
        raise InputError(
            f"a matrix of {size:,} x {dim:,} cannot be shown: 3 to {MAX_VOCABULARY:,} tokens, width 2 to"
            f" {MAX_DIM:,}, at most {MOST_BYTES / 1e6:,.0f} MB in float32"
        )


def count_batch_rows(token_ids: Any, size: int) -> tuple[UInts, UInts]:
    """Return the distinct ids of a batch, sorted, and how often each occurs.

    Raises:
        InputError: the ids are not whole numbers, or not in this vocabulary.
    """
    ids = to_host_array(token_ids).reshape(-1)
    if ids.size and ids.dtype.kind not in "iu":
        raise InputError(f"token_ids must be whole numbers; these are of type {ids.dtype}")
    distinct, counts = np.unique(ids.astype(np.int64), return_counts=True)
    if len(distinct) and (distinct[0] < 0 or distinct[-1] >= size):
        wrong = int(distinct[0] if distinct[0] < 0 else distinct[-1])
        raise InputError(f"token_ids: {wrong} is no token id; they go from 0 to {size - 1}")
    return distinct.astype(np.uint32), counts.astype(np.uint32)


def find_gradient_rows(gradient: Any, size: int) -> tuple[UInts, Floats]:
    """Return the nonzero rows of a dense or sparse gradient, and their norms.

    Raises:
        InputError: the gradient does not have the embedding's shape.
    """
    if len(gradient.shape) != 2 or int(gradient.shape[0]) != size:
        raise InputError(f"the gradient has shape {tuple(gradient.shape)}; {size} rows are needed")
    if getattr(gradient, "is_sparse", False):
        gradient = gradient.detach().coalesce()
        ids, values = to_host_array(gradient.indices())[0], to_host_array(gradient.values())
    else:
        values = to_host_array(gradient)
        ids = np.arange(size)
    with np.errstate(over="ignore", invalid="ignore"):
        norms = np.linalg.norm(values.astype(np.float32, copy=False), axis=1)
    # NaN counts as nonzero.
    kept = norms != 0
    return ids[kept].astype(np.uint32), norms[kept]


def to_float32_scalar(value: Any) -> float:
    """Return a loss or a rate, tensor or not, rounded to the frame's float32; NaN for None."""
    if value is None:
        return float("nan")
    with np.errstate(over="ignore"):
        return float(np.float32(float(value.detach() if hasattr(value, "detach") else value)))
