"""Matrices in memory that are converted by rows: tensors in half precision, and large ones."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lamplighter.client.matrix_diff import MAX_BYTES, check_matrix_size, to_host_array, to_matrix
from lamplighter.wire.binary import Floats
from lamplighter.wire.row_source import RowSource

_HALF_TYPES = {"bfloat16": "BF16", "float16": "F16"}


class MemoryRows:
    """A matrix, shape (V, D), of which float32 copies of rows are made when they are asked for. `type` is as
    safetensors names it."""

    def __init__(self, values: Any, kind: str) -> None:
        self._values = values
        self.type = kind
        rows, width = values.shape
        self.shape: tuple[int, int] = (int(rows), int(width))

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: slice | NDArray[np.integer]) -> Floats:
        with np.errstate(over="ignore"):
            return np.array(to_host_array(self._values[rows], "embedding"), dtype=np.float32, order="C")


class ReorderedRows:
    """The rows of a matrix in another order: row i is row `order[i]` of the matrix."""

    def __init__(self, matrix: RowSource, order: NDArray[np.int64]) -> None:
        self._matrix, self._order = matrix, order
        self.type = getattr(matrix, "type", "F32")
        self.shape = matrix.shape

    def __len__(self) -> int:
        return len(self._order)

    def __getitem__(self, rows: slice | NDArray[np.integer]) -> Floats:
        return self._matrix[self._order[rows]]


def open_memory(embedding: Any) -> RowSource:
    """Return a matrix in memory: a copy, or a reference if it is in half precision or large."""
    weight = embedding if hasattr(embedding, "shape") else getattr(embedding, "weight", embedding)
    shape = tuple(getattr(weight, "shape", ()))
    kind = _HALF_TYPES.get(str(getattr(weight, "dtype", "")).removeprefix("torch."), "F32")
    is_large = len(shape) == 2 and 4 * shape[0] * shape[1] > MAX_BYTES
    if len(shape) != 2 or not (kind != "F32" or is_large):
        return np.array(to_matrix(weight), copy=True)
    check_matrix_size(int(shape[0]), int(shape[1]), 4 if kind == "F32" else 2)
    # One row shows whether it is a matrix of numbers.
    to_matrix(weight[:3])
    return MemoryRows(weight, kind)
