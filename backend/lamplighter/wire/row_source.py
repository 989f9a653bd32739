"""Matrices by rows: an array, or what reads its rows from elsewhere when they are asked for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np

from lamplighter.wire.binary import Floats

_BLOCK_BYTES = 8 << 20
"""Maximum bytes of a block of rows in float32; small blocks stay in the processor's cache."""


class RowSource(Protocol):
    """A matrix of shape (V, D), indexed by rows: `matrix[10:20]`, `matrix[ids]`, `matrix[3]`. An array is one."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Return (V, D)."""
        ...

    def __len__(self) -> int: ...

    def __getitem__(self, rows: Any, /) -> Any:
        """Return some rows, shape (N, D), or one, shape (D,), as float32."""
        ...


def row_blocks(matrix: RowSource, block_bytes: int = _BLOCK_BYTES) -> Iterator[tuple[slice, Floats]]:
    """Yield all rows of a matrix in order, in blocks: their place, and the rows as contiguous float32."""
    size, width = matrix.shape
    count = max(1, block_bytes // (4 * max(1, width)))
    for start in range(0, size, count):
        some = slice(start, min(start + count, size))
        yield some, np.ascontiguousarray(matrix[some], dtype=np.float32)
