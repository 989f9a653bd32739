"""The effect of a step, measured from outside the loop by comparing the matrix with a copy of it.

It accepts tensors of any library: an array, or an object with `detach`, `cpu` and `numpy`. It assumes nothing about the
    optimiser: a row has moved if its bits differ from the copy's.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lamplighter.client.errors import InputError
from lamplighter.wire.binary import MAX_VOCABULARY, Floats, UInts
from lamplighter.wire.row_frames import MAX_DIM
from lamplighter.wire.row_source import RowSource, row_blocks

MAX_BYTES = 900_000_000
"""Maximum bytes of a matrix in the record: SQLite stores records of up to 10^9 bytes."""
MAX_STORED_BYTES = 16_000_000_000
"""Maximum bytes of a matrix in a file of its own."""
_BLOCK = 1 << 18
"""Numbers compared at once, so that a block fits in the processor's cache."""


class ChangedRows(NamedTuple):
    """The rows that changed between two steps."""

    token_ids: UInts
    """Sorted."""
    distances: Floats
    vectors: Floats | None
    """Shape (moved, D), after the step; None if more than half of the rows moved."""


class MatrixDiff:
    """A copy of the matrix, shape (V, D), from the last comparison, to find the rows that changed since."""

    def __init__(self, matrix: Floats) -> None:
        self.matrix = matrix.copy()

    @property
    def shape(self) -> tuple[int, int]:
        rows, width = self.matrix.shape
        return rows, width

    def vectors(self, ids: NDArray[np.intp]) -> Floats:
        return self.matrix[ids]

    def diff(self, now: Floats) -> ChangedRows:
        """Return the rows whose bits differ from the copy, and update the copy to `now`."""
        size, dim = self.matrix.shape
        block = max(1, _BLOCK // dim)
        ids, distances = [np.empty(0, np.intp)], [np.empty(0, np.float32)]
        # A diverged run's infinite values are recorded as they are.
        with np.errstate(over="ignore", invalid="ignore"):
            for start in range(0, size, block):
                new, old = now[start : start + block], self.matrix[start : start + block]
                changed = np.flatnonzero((new.view(np.uint32) != old.view(np.uint32)).any(axis=1))
                if 2 * len(changed) <= len(new):
                    new_rows = new[changed]
                    distances.append(_row_norms(new_rows - old[changed]))
                    old[changed] = new_rows
                else:
                    # Selecting most of the rows costs more than copying all.
                    distances.append(_row_norms(new - old)[changed])
                    old[:] = new
                ids.append(start + changed)
        moved = np.concatenate(ids)
        vectors = self.matrix[moved] if 2 * len(moved) <= size else None
        return ChangedRows(moved.astype(np.uint32), np.concatenate(distances), vectors)


def find_changed_rows(before: RowSource, now: RowSource) -> ChangedRows:
    """Return the rows whose bits differ between two matrices of one shape, read in blocks. Their vectors are None."""
    ids, distances = [np.empty(0, np.intp)], [np.empty(0, np.float32)]
    with np.errstate(over="ignore", invalid="ignore"):
        for (some, old), (_, new) in zip(row_blocks(before), row_blocks(now), strict=True):
            changed = np.flatnonzero((new.view(np.uint32) != old.view(np.uint32)).any(axis=1))
            ids.append(some.start + changed)
            distances.append(_row_norms(new[changed] - old[changed]))
    return ChangedRows(np.concatenate(ids).astype(np.uint32), np.concatenate(distances), None)


def _row_norms(rows: Floats) -> Floats:
    return np.sqrt(np.einsum("ij,ij->i", rows, rows))


def to_host_array(values: Any, name: str) -> NDArray[Any]:
    """Return a tensor or an array as an array in host memory; half precisions become float32. `name` begins
    the messages.

    Raises InputError if it is neither, or a tensor without values.
    """
    if getattr(values, "is_meta", False):
        raise InputError(f"{name}: this tensor is on the meta device, where it has no numbers: load it first")
    try:
        if hasattr(values, "detach"):
            values = values.detach()
            if "float" in str(getattr(values, "dtype", "")) and "64" not in str(values.dtype):
                # numpy has no bfloat16; for float32 the conversion is free.
                values = values.float()
            values = values.cpu().numpy()
        return np.asarray(values)
    except (AttributeError, TypeError, ValueError, NotImplementedError) as error:
        raise InputError(
            f"{name}: a tensor or an array is needed, not {type(values).__name__} ({str(error)[:200]})"
        ) from error


def to_matrix(embedding: Any) -> Floats:
    """Return the embedding as a contiguous float32 matrix, shape (V, D); a view if it is one already. Raises
    InputError."""
    weight = embedding if hasattr(embedding, "shape") else getattr(embedding, "weight", embedding)
    matrix = to_host_array(weight, "embedding")
    if matrix.ndim != 2 or matrix.dtype.kind != "f":
        raise InputError(
            f"the embedding must be a matrix of numbers, tokens x width; this one has shape {matrix.shape} and type"
            f" {matrix.dtype}: give the weight itself, such as model.embedding.weight"
        )
    check_matrix_size(*matrix.shape)
    with np.errstate(over="ignore"):
        return np.ascontiguousarray(matrix, dtype=np.float32)


def check_matrix_size(size: int, dim: int, number_bytes: int | None = None) -> None:
    """Raise InputError if a matrix of V x D is too small or too large for a run. `number_bytes`: the bytes of
    a number on the disk, if the matrix is read in blocks; None if it is held in memory."""
    limit, said = (
        (MAX_BYTES, f"{MAX_BYTES / 1e6:,.0f} MB in float32")
        if number_bytes is None
        else (MAX_STORED_BYTES, f"{MAX_STORED_BYTES / 1e9:,.0f} GB on the disk")
    )
    if not 3 <= size <= MAX_VOCABULARY or not 2 <= dim <= MAX_DIM or (number_bytes or 4) * size * dim > limit:
        raise InputError(
            f"a matrix of {size:,} x {dim:,} cannot be shown: 3 to {MAX_VOCABULARY:,} tokens, width 2 to"
            f" {MAX_DIM:,}, at most {said}"
        )
