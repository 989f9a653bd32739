"""Frames of rows: moved rows of the matrix, and the census of touched rows."""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np

from lamplighter.wire.binary import (
    MAX_VOCABULARY,
    BinaryReader,
    Floats,
    FrameError,
    UInts,
    encode_u32,
    require_at_most,
    require_sorted_ids,
)

NEVER = 0xFFFF_FFFF
"""Value of `Census.last_lit` for a row that has never been in a batch."""
MAX_DIM = 1 << 14
ROWS_FIELDS = struct.Struct("<IIII")
CENSUS_FIELDS = struct.Struct("<II")
ALL_ROWS = 1


@dataclass(frozen=True)
class Rows:
    """The vectors of some rows, or of all rows (a keyframe), after a step."""

    attempt: int
    step: int
    time: float
    vocabulary: int
    token_ids: UInts
    """Sorted, distinct."""
    vectors: Floats
    """Shape (len(token_ids), D)."""

    @staticmethod
    def of_matrix(attempt: int, step: int, time: float, matrix: Floats) -> Rows:
        """Return all rows of a matrix, shape (V, D)."""
        size = len(matrix)
        return Rows(attempt, step, time, size, np.arange(size, dtype=np.uint32), matrix)

    @property
    def whole(self) -> bool:
        return len(self.token_ids) == self.vocabulary


@dataclass(frozen=True)
class Census:
    """The number of batches each row has been in, and the last such step; shape (V,) each."""

    attempt: int
    step: int
    time: float
    touches: UInts
    last_lit: UInts
    """The last step with the row in its batch; `NEVER` for a row that has never been in one."""


def encode_rows(rows: Rows) -> tuple[int, bytes, memoryview]:
    """Return the flags, and the body of a frame of rows in two parts. The second is a view on the vectors, since a matrix
    may be large."""
    count, dim = rows.vectors.shape
    body = ROWS_FIELDS.pack(rows.vocabulary, dim, count, 0)
    ids = b"" if rows.whole else encode_u32(rows.token_ids)
    vectors = np.ascontiguousarray(rows.vectors, dtype="<f4").reshape(-1)
    return ALL_ROWS if rows.whole else 0, body + ids, vectors.view(np.uint8).data


def decode_rows(cursor: BinaryReader, flags: int, attempt: int, step: int, time: float) -> Rows:
    """Return the rows in the body of a frame. Raises FrameError if the body is damaged."""
    vocabulary, dim, count, _ = cursor.read_struct(ROWS_FIELDS)
    require_at_most(vocabulary, MAX_VOCABULARY, "vocabulary")
    require_at_most(dim, MAX_DIM, "dim")
    require_at_most(count, vocabulary, "rows")
    if count and not dim:
        raise FrameError("vectors have no dimension")
    if flags & ALL_ROWS:
        if count != vocabulary:
            raise FrameError("a whole matrix must have every row")
        return Rows.of_matrix(attempt, step, time, cursor.read_f32(count * dim).reshape(count, dim))
    ids = require_sorted_ids(cursor.read_u32(count), vocabulary)
    return Rows(attempt, step, time, vocabulary, ids, cursor.read_f32(count * dim).reshape(count, dim))
