"""Encoding and decoding of frames: pulses, layouts, rows, censuses and districts.

One format serves the run folder, the REST snapshots and the websocket: the writer encodes once, and all
others forward the bytes. Little-endian; every array starts at a multiple of four bytes, so that a browser
can read it as a typed-array view. `docs/wire.md` defines each frame field by field; the golden frames under
`tests/golden` are read by the tests of this module and by the browser's.

This module handles single frames; the contents of pulses, layouts and districts are in `pulse_frames.py`,
`layout_frames.py` and `district_frames.py`. It neither reads files or sockets nor merges frames (see
`merge.py`).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import TypeVar

import numpy as np

from lamplighter.wire.binary import (
    MAX_VOCABULARY,
    Cursor,
    Floats,
    FrameError,
    UInts,
    check,
    f32,
    sorted_ids,
    u32,
)
from lamplighter.wire.district_frames import Districts, decode_districts, encode_districts
from lamplighter.wire.layout_frames import Layout, Method, decode_layout, encode_layout
from lamplighter.wire.pulse_frames import Pulse, decode_pulse, encode_pulse

__all__ = [
    "MAGIC",
    "MAX_DIM",
    "MAX_VOCABULARY",
    "NEVER",
    "ROWS_HEAD",
    "VERSION",
    "Census",
    "Districts",
    "Floats",
    "Frame",
    "FrameError",
    "Kind",
    "Layout",
    "Method",
    "Pulse",
    "Rows",
    "UInts",
    "decode",
    "decode_as",
    "encode",
    "row_place",
    "step_of",
]

VERSION = 1
MAGIC = b"LAMP"
NEVER = 0xFFFF_FFFF
"""Value of `Census.last_lit` for a row that has never been in a batch."""
MAX_DIM = 1 << 14

_HEADER = struct.Struct("<4sBBHIId")
_ROWS = struct.Struct("<IIII")
_CENSUS = struct.Struct("<II")

ROWS_HEAD = _HEADER.size + _ROWS.size
"""Bytes before the vectors in a frame of a whole matrix."""

_ALL_ROWS = 1


class Kind(IntEnum):
    """The kind of a frame."""

    PULSE = 1
    LAYOUT = 2
    ROWS = 3
    CENSUS = 4
    DISTRICTS = 5


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

    @property
    def whole(self) -> bool:
        """Return whether this is the whole matrix."""
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


Frame = Pulse | Layout | Rows | Census | Districts
F = TypeVar("F", bound=Frame)


def encode(frame: Frame) -> bytes:
    """Encode a frame."""
    match frame:
        case Pulse():
            kind, (flags, body) = Kind.PULSE, encode_pulse(frame)
        case Layout():
            kind, (flags, body) = Kind.LAYOUT, encode_layout(frame)
        case Rows():
            kind, (flags, body) = Kind.ROWS, _encode_rows(frame)
        case Census():
            counts = u32(frame.touches) + u32(frame.last_lit)
            kind, flags, body = Kind.CENSUS, 0, _CENSUS.pack(len(frame.touches), 0) + counts
        case Districts():
            kind, (flags, body) = Kind.DISTRICTS, encode_districts(frame)
    return _HEADER.pack(MAGIC, VERSION, kind, flags, frame.attempt, frame.step, frame.time) + body


def decode(data: bytes | memoryview) -> Frame:
    """Decode one frame. Its arrays are views on `data`.

    Raises:
        FrameError: the bytes are not exactly one frame of this version.
    """
    view = memoryview(data)
    if len(view) < _HEADER.size:
        raise FrameError(f"a frame has at least {_HEADER.size} bytes, this has {len(view)}")
    magic, version, kind, flags, attempt, step, time = _HEADER.unpack_from(view)
    if magic != MAGIC:
        raise FrameError("not a Lamplighter frame")
    if version != VERSION:
        raise FrameError(f"frame version {version}; this program reads version {VERSION}")
    cursor = Cursor(view, _HEADER.size)
    try:
        match kind:
            case Kind.PULSE:
                frame: Frame = decode_pulse(cursor, flags, attempt, step, time)
            case Kind.LAYOUT:
                frame = decode_layout(cursor, flags, attempt, step, time)
            case Kind.ROWS:
                frame = _decode_rows(cursor, flags, attempt, step, time)
            case Kind.CENSUS:
                vocabulary, _ = cursor.unpack(_CENSUS)
                check(vocabulary, MAX_VOCABULARY, "vocabulary")
                frame = Census(attempt, step, time, cursor.u32(vocabulary), cursor.u32(vocabulary))
            case Kind.DISTRICTS:
                frame = decode_districts(cursor, attempt, step, time)
            case _:
                raise FrameError(f"unknown kind of frame: {kind}")
    except struct.error as error:
        raise FrameError(f"frame cut short: {error}") from error
    if cursor.at != len(view):
        raise FrameError(f"{len(view) - cursor.at} bytes too many")
    return frame


def decode_as(data: bytes | memoryview, kind: type[F]) -> F:
    """Decode a frame that must be of the given kind.

    Raises:
        FrameError: the bytes are not a frame, or one of another kind.
    """
    frame = decode(data)
    if not isinstance(frame, kind):
        raise FrameError(f"a record is not a {kind.__name__.lower()}")
    return frame


def row_place(head: bytes, token_id: int) -> tuple[int, int]:
    """Locate one row in a frame of a whole matrix.

    Args:
        head: the first `ROWS_HEAD` bytes of the frame.
        token_id: the row.

    Returns:
        Offset and length in bytes.

    Raises:
        FrameError: this is not a frame of a whole matrix, or it has no such row.
    """
    if len(head) != ROWS_HEAD:
        raise FrameError("a matrix that is cut short")
    magic, version, kind, flags, *_ = _HEADER.unpack_from(head)
    vocabulary, dim, count, _ = _ROWS.unpack_from(head, _HEADER.size)
    if (magic, version, kind) != (MAGIC, VERSION, Kind.ROWS) or not flags & _ALL_ROWS or count != vocabulary:
        raise FrameError("not a whole matrix of this version")
    if not 0 <= token_id < count:
        raise FrameError(f"a matrix of {count} rows has no row {token_id}")
    return ROWS_HEAD + 4 * dim * token_id, 4 * dim


def step_of(data: bytes) -> tuple[int, int]:
    """Read (attempt, step) of an encoded frame without decoding it."""
    _, _, _, _, attempt, step, _ = _HEADER.unpack_from(data)
    return attempt, step


def _encode_rows(rows: Rows) -> tuple[int, bytes]:
    count, dim = rows.vectors.shape
    body = _ROWS.pack(rows.vocabulary, dim, count, 0)
    ids = b"" if rows.whole else u32(rows.token_ids)
    return _ALL_ROWS if rows.whole else 0, b"".join((body, ids, f32(rows.vectors)))


def _decode_rows(cursor: Cursor, flags: int, attempt: int, step: int, time: float) -> Rows:
    vocabulary, dim, count, _ = cursor.unpack(_ROWS)
    check(vocabulary, MAX_VOCABULARY, "vocabulary")
    check(dim, MAX_DIM, "dim")
    check(count, vocabulary, "rows")
    if count and not dim:
        raise FrameError("vectors of no dimension")
    if flags & _ALL_ROWS:
        if count != vocabulary:
            raise FrameError("a whole matrix must have every row")
        cursor.expect(4 * count * dim)
        ids = np.arange(vocabulary, dtype=np.uint32)
    else:
        ids = sorted_ids(cursor.u32(count), vocabulary)
    return Rows(attempt, step, time, vocabulary, ids, cursor.f32(count * dim).reshape(count, dim))
