"""Encoding and decoding of frames: pulses, layouts, rows, censuses, districts, beats and grid layouts.

One format serves the run folder, the REST snapshots and the websocket: the writer encodes once, and all
others forward the bytes. Little-endian; every array starts at a multiple of four bytes, so that a browser
can read it as a typed-array view. `docs/wire.md` defines each frame field by field; the golden frames under
`tests/golden` are read by the tests of this module and by the browser's.

This module handles single frames; their contents are in `pulse_frames.py`, `layout_frames.py`,
`row_frames.py` (rows and census), `district_frames.py`, `beat_frames.py` and `grid_frames.py`. It neither reads files
or sockets nor merges frames.
"""

from __future__ import annotations

import struct
import zlib
from enum import IntEnum
from typing import TypeVar

from lamplighter.wire.beat_frames import Beat, decode_beat, encode_beat
from lamplighter.wire.binary import MAX_VOCABULARY, BinaryReader, FrameError, encode_u32, require_at_most
from lamplighter.wire.district_frames import Districts, decode_districts, encode_districts
from lamplighter.wire.grid_frames import (
    GridChange,
    GridLayout,
    decode_grid_change,
    decode_grid_layout,
    encode_grid_change,
    encode_grid_layout,
)
from lamplighter.wire.layout_frames import Layout, decode_layout, encode_layout
from lamplighter.wire.pulse_frames import Pulse, decode_pulse, encode_pulse
from lamplighter.wire.row_frames import (
    ALL_ROWS,
    CENSUS_FIELDS,
    ROWS_FIELDS,
    Census,
    Rows,
    decode_rows,
    encode_rows,
)

# Marks the re-exported frames as public for type checkers.
__all__ = [
    "MAGIC",
    "VERSION",
    "Beat",
    "Census",
    "Districts",
    "Frame",
    "GridChange",
    "GridLayout",
    "Kind",
    "Layout",
    "Pulse",
    "Rows",
    "decode",
    "decode_as",
    "encode",
]

VERSION = 1
MAGIC = b"LAMP"

_HEADER = struct.Struct("<4sBBHIId")

ROWS_HEAD = _HEADER.size + ROWS_FIELDS.size
"""Bytes before the vectors in a frame of a whole matrix."""


class Kind(IntEnum):
    """The kind of a frame."""

    PULSE = 1
    LAYOUT = 2
    ROWS = 3
    CENSUS = 4
    DISTRICTS = 5
    BEAT = 6
    GRID_LAYOUT = 7
    GRID_CHANGE = 8


_CHECKSUM = struct.Struct("<I")
_CHECKSUM_AT = {Kind.PULSE: 68, Kind.ROWS: 36, Kind.CENSUS: 28}
"""Offset of the CRC-32 of all other bytes in frames stored in a run's steps; a value of 0 means no checksum."""

Frame = Pulse | Layout | Rows | Census | Districts | Beat | GridLayout | GridChange
F = TypeVar("F", bound=Frame)


def encode(frame: Frame) -> bytes:
    vectors: list[memoryview] = []
    match frame:
        case Pulse():
            kind, (flags, body) = Kind.PULSE, encode_pulse(frame)
        case Layout():
            kind, (flags, body) = Kind.LAYOUT, encode_layout(frame)
        case Rows():
            kind, (flags, body, *vectors) = Kind.ROWS, encode_rows(frame)
        case Census():
            counts = encode_u32(frame.touches) + encode_u32(frame.last_lit)
            kind, flags, body = Kind.CENSUS, 0, CENSUS_FIELDS.pack(len(frame.touches), 0) + counts
        case Districts():
            kind, (flags, body) = Kind.DISTRICTS, encode_districts(frame)
        case Beat():
            kind, (flags, body) = Kind.BEAT, encode_beat(frame)
        case GridLayout():
            kind, (flags, body) = Kind.GRID_LAYOUT, encode_grid_layout(frame)
        case GridChange():
            kind, (flags, body) = Kind.GRID_CHANGE, encode_grid_change(frame)
    head = _HEADER.pack(MAGIC, VERSION, kind, flags, frame.attempt, frame.step, frame.time)
    if kind not in _CHECKSUM_AT:
        return b"".join((head, body, *vectors))
    at = _CHECKSUM_AT[kind] - len(head)
    before, after = memoryview(body)[:at], memoryview(body)[at + _CHECKSUM.size :]
    checksum = zlib.crc32(head)
    for part in (before, after, *vectors):
        checksum = zlib.crc32(part, checksum)
    return b"".join((head, before, _CHECKSUM.pack(checksum), after, *vectors))


def decode(data: bytes | memoryview) -> Frame:
    """Decode one frame. Its arrays are views on `data`. Raises FrameError if the bytes are not exactly one
    frame of this version.
    """
    view = memoryview(data)
    if len(view) < _HEADER.size:
        raise FrameError(f"a frame has at least {_HEADER.size} bytes, this has {len(view)}")
    magic, version, kind, flags, attempt, step, time = _HEADER.unpack_from(view)
    if magic != MAGIC:
        raise FrameError("not a Lamplighter frame")
    if version != VERSION:
        raise FrameError(f"frame version {version}; this program reads version {VERSION}")
    cursor = BinaryReader(view, _HEADER.size)
    try:
        match kind:
            case Kind.PULSE:
                frame: Frame = decode_pulse(cursor, flags, attempt, step, time)
            case Kind.LAYOUT:
                frame = decode_layout(cursor, flags, attempt, step, time)
            case Kind.ROWS:
                frame = decode_rows(cursor, flags, attempt, step, time)
            case Kind.CENSUS:
                vocabulary, _ = cursor.read_struct(CENSUS_FIELDS)
                require_at_most(vocabulary, MAX_VOCABULARY, "vocabulary")
                frame = Census(attempt, step, time, cursor.read_u32(vocabulary), cursor.read_u32(vocabulary))
            case Kind.DISTRICTS:
                frame = decode_districts(cursor, attempt, step, time)
            case Kind.BEAT:
                frame = decode_beat(cursor, flags, attempt, step, time)
            case Kind.GRID_LAYOUT:
                frame = decode_grid_layout(cursor, flags, attempt, step, time)
            case Kind.GRID_CHANGE:
                frame = decode_grid_change(cursor, flags, attempt, step, time)
            case _:
                raise FrameError(f"unknown kind of frame: {kind}")
    except struct.error as error:
        raise FrameError(f"frame cut short: {error}") from error
    if cursor.offset != len(view):
        raise FrameError(f"{len(view) - cursor.offset} bytes too many")
    _verify_checksum(view, kind)
    return frame


def _verify_checksum(view: memoryview, kind: int) -> None:
    at = _CHECKSUM_AT.get(Kind(kind))
    if at is None:
        return
    (checksum,) = _CHECKSUM.unpack_from(view, at)
    if checksum and checksum != zlib.crc32(view[at + _CHECKSUM.size :], zlib.crc32(view[:at])):
        raise FrameError("a record is damaged: it is not what was written")


def decode_as(data: bytes | memoryview, kind: type[F]) -> F:
    """Decode a frame that must be of the given kind. Raises FrameError if the bytes are not a frame, or one
    of another kind.
    """
    frame = decode(data)
    if not isinstance(frame, kind):
        raise FrameError(f"a record is not a {kind.__name__.lower()}")
    return frame


def locate_row(head: bytes, token_id: int) -> tuple[int, int]:
    """Locate one row in a frame of a whole matrix.

    Args:
        head: the first `ROWS_HEAD` bytes of the frame.

    Returns:
        Offset and length in bytes.

    Raises:
        FrameError: this is not a frame of a whole matrix, or it has no such row.
    """
    if len(head) != ROWS_HEAD:
        raise FrameError("the matrix is cut short")
    magic, version, kind, flags, *_ = _HEADER.unpack_from(head)
    vocabulary, dim, count, _ = ROWS_FIELDS.unpack_from(head, _HEADER.size)
    if (magic, version, kind) != (MAGIC, VERSION, Kind.ROWS) or not flags & ALL_ROWS or count != vocabulary:
        raise FrameError("not a whole matrix of this version")
    if not 0 <= token_id < count:
        raise FrameError(f"a matrix of {count} rows has no row {token_id}")
    return ROWS_HEAD + 4 * dim * token_id, 4 * dim


def read_step(data: bytes) -> tuple[int, int]:
    """Read (attempt, step) of an encoded frame without decoding it."""
    _, _, _, _, attempt, step, _ = _HEADER.unpack_from(data)
    return attempt, step
