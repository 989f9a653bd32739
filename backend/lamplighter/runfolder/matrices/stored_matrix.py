"""A matrix in a file, of which rows are read when they are asked for.

Rows are read, not mapped: the pages of a mapping would count as memory of this process once they have been seen, and a
pass over the table sees all of them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lamplighter.runfolder.errors import FormatError, MatrixTooLargeError
from lamplighter.runfolder.matrices.tensor_file import StoredTensor, to_float32
from lamplighter.wire.binary import Floats

MAX_WHOLE_BYTES = 900_000_000
"""Maximum bytes of a matrix in float32 that is read whole."""


class StoredMatrix:
    """A matrix of shape (V, D) in a file, indexed by rows like an array: `matrix[10:20]`, `matrix[ids]`, `matrix[3]`.

    Reading copies rows as float32. Any thread may read; the file is open only meanwhile.
    """

    def __init__(self, path: Path, entry: StoredTensor) -> None:
        """Describe a matrix; the caller has checked `entry.is_matrix`. Nothing is read."""
        self._path, self._entry = path, entry
        rows, width = entry.shape
        self.shape: tuple[int, int] = (rows, width)

    def __len__(self) -> int:
        return self.shape[0]

    @property
    def type(self) -> str:
        """Return the type of its numbers on the disk, as safetensors names it: `F32`, `F16`, `BF16` or `F64`."""
        return self._entry.type

    def __getitem__(self, rows: slice | NDArray[np.integer] | int) -> Any:
        """Return some rows, shape (N, D), or one, shape (D,), as float32; values that overflow become
        infinite. Raises IndexError if there is no such row, FormatError if the file has become shorter,
        OSError if it cannot be read.
        """
        if isinstance(rows, slice):
            start, stop, step = rows.indices(len(self))
            if step != 1:
                return self[np.arange(start, stop, step)]
            stop = max(start, stop)
            return self._read(max(0, stop - start), [(0, start, stop)])
        if not isinstance(rows, np.ndarray):
            return self[np.array([rows])][0]
        ids = rows.astype(np.int64)
        ids[ids < 0] += len(self)
        if len(ids) and not 0 <= ids.min() <= ids.max() < len(self):
            raise IndexError(f"a matrix of {len(self)} rows has not all of these")
        # Consecutive rows are read at once.
        begins = np.flatnonzero(np.diff(ids, prepend=-2) != 1).tolist()
        ends = [*begins[1:], len(ids)]
        return self._read(
            len(ids),
            [(at, int(ids[at]), int(ids[end - 1]) + 1) for at, end in zip(begins, ends, strict=False)],
        )

    def __array__(self, *_: Any, **__: Any) -> NDArray[Any]:
        raise TypeError("a stored matrix is read by rows: matrix[start:stop]")

    @property
    def is_small(self) -> bool:
        """Return whether all rows fit into memory beside what is computed from them."""
        return 4 * self.shape[0] * self.shape[1] <= MAX_WHOLE_BYTES

    def read_whole(self, step: int) -> Floats:
        """Return all rows, shape (V, D). Raises MatrixTooLargeError if they would take too much memory;
        `step`, that of the matrix, is for the message.
        """
        if not self.is_small:
            raise MatrixTooLargeError(step, *self.shape)
        return self[:]

    def _read(self, count: int, parts: list[tuple[int, int, int]]) -> Floats:
        """Read parts of the file: where each begins in the result, its first row, and the row after its last."""
        kind, width = self._entry.number_type, self.shape[1]
        raw = np.empty((count, width), dtype=kind)
        # An array without numbers has no bytes to view.
        view = raw.reshape(-1).view(np.uint8).data if raw.size else memoryview(b"")
        row_bytes = width * kind.itemsize
        with self._path.open("rb", buffering=0) as file:
            for at, first, end in parts:
                file.seek(self._entry.start + first * row_bytes)
                left = view[at * row_bytes : (at + end - first) * row_bytes]
                while left:
                    done = file.readinto(left)
                    if not done:
                        raise FormatError(f"{self._path.name}: it has become shorter while it was read")
                    left = left[done:]
        return to_float32(raw, self._entry)


def matrix_type(matrix: Any) -> str:
    """Return in which type a matrix is stored without a loss, as safetensors names it: its own, or `F32`."""
    kind = getattr(matrix, "type", "F32")
    return kind if kind in ("F16", "BF16") else "F32"
