"""The frames: what a step, a layout, moved rows and the census of touches are as bytes.

One format serves the run folder, the REST snapshots and the websocket: the writer encodes once and
everybody else forwards. Little-endian; every array starts at a multiple of four bytes, so that a browser
reads it as a typed-array view. The layout of each frame, field by field, is in `docs/wire.md`; golden
frames under `tests/golden` are read by this module's tests and by the browser's.

This module covers encoding and decoding of single frames. It does not read files or sockets, and it does
not merge frames (see `merge.py`).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

VERSION = 1
MAGIC = b"LAMP"
NEVER = 0xFFFF_FFFF
"""`Census.last_lit` of a row no batch has touched."""

MAX_VOCABULARY = 1 << 22
MAX_DIM = 1 << 14
_MAX_SPAN = 1e38
"""Between the bounds of a layout: what float32 can hold the places in between of."""

UInts = NDArray[np.uint32]
Floats = NDArray[np.float32]

_HEADER = struct.Struct("<4sBBHIId")
_PULSE = struct.Struct("<IIIIIIfffffI")
_LAYOUT = struct.Struct("<IBBHfffffffI")
_ROWS = struct.Struct("<IIII")
_CENSUS = struct.Struct("<II")

ROWS_HEAD = _HEADER.size + _ROWS.size
"""Bytes before the vectors of a whole matrix."""

_MERGED = 1
_VERIFIED = 1 << 5
_ALL_ROWS = 1


class FrameError(ValueError):
    """Bytes that are not a frame, or a frame this version cannot read."""


class Kind(IntEnum):
    """What a frame is about."""

    PULSE = 1
    LAYOUT = 2
    ROWS = 3
    CENSUS = 4


class Method(IntEnum):
    """How a layout came about."""

    LINEAR = 0
    UMAP = 1


class _Set(IntEnum):
    """How a set of rows is written: listed, the same as the batch's, or every row."""

    LISTED = 0
    BATCH = 1
    ALL = 2


@dataclass(frozen=True)
class Pulse:
    """One training step (or, when `first_step < step`, several merged for a viewer who fell behind).

    The three sets are each sorted by token id: rows in the batch, rows with a non-zero gradient, rows
    that moved.
    """

    attempt: int
    step: int
    time: float
    """Unix seconds at the end of the step."""
    vocabulary: int
    loss: float
    """Mean cross-entropy of the batch, nats a token."""
    learning_rate: float
    tokens_per_second: float
    step_seconds: float
    """What training alone took."""
    observe_seconds: float
    """What observing and recording the step before took."""
    batch_ids: UInts
    batch_counts: UInts
    """How often each row of the batch occurs in it."""
    gradient_ids: UInts
    gradient_norms: Floats
    moved_ids: UInts
    moved_distances: Floats
    """Euclidean distance each moved row went."""
    layer_norms: Floats
    """Gradient norm by layer, in the order of the run's `layers`."""
    verified: bool = False
    """The moved set was found by comparing the whole matrix, not only the rows with a gradient."""
    first_step: int = -1
    """The first of the merged steps; the step itself when nothing was merged."""

    def __post_init__(self) -> None:
        if self.first_step < 0:
            object.__setattr__(self, "first_step", self.step)

    @property
    def merged(self) -> bool:
        """Whether this is several steps in one: then it is never to be shown as a step."""
        return self.first_step != self.step


@dataclass(frozen=True)
class Layout:
    """Where the tokens lie on the map at one step, and how far that can be trusted."""

    attempt: int
    step: int
    time: float
    method: Method
    coordinates: Floats
    """Shape (V, 2). Quantised to 16 bits an axis on the wire."""
    trust: float = float("nan")
    """Trustworthiness (Venna and Kaski 2001) estimated on a sample; NaN when not estimated."""
    trust_error: float = float("nan")
    """Standard error of `trust`."""
    recall: float = float("nan")
    """Share of the nearest neighbours in the space that are also nearest on the map, same sample."""
    sample: int = 0
    """Tokens in the sample."""


@dataclass(frozen=True)
class Rows:
    """Vectors of some rows, or of all of them (a keyframe), as they are after a step."""

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
        """Whether this is the whole matrix."""
        return len(self.token_ids) == self.vocabulary


@dataclass(frozen=True)
class Census:
    """How often, and when last, each row was in a batch."""

    attempt: int
    step: int
    time: float
    touches: UInts
    last_lit: UInts
    """Step; `NEVER` for a row no batch has touched."""


Frame = Pulse | Layout | Rows | Census
F = TypeVar("F", bound=Frame)


def encode(frame: Frame) -> bytes:
    """The bytes of a frame."""
    match frame:
        case Pulse():
            return _encode_pulse(frame)
        case Layout():
            return _encode_layout(frame)
        case Rows():
            return _encode_rows(frame)
        case Census():
            head = _header(Kind.CENSUS, 0, frame)
            body = _CENSUS.pack(len(frame.touches), 0)
            return b"".join((head, body, _u32(frame.touches), _u32(frame.last_lit)))


def decode(data: bytes | memoryview) -> Frame:
    """Read one frame. Arrays are views on `data`.

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
    cursor = _Cursor(view, _HEADER.size)
    try:
        match kind:
            case Kind.PULSE:
                frame: Frame = _decode_pulse(cursor, flags, attempt, step, time)
            case Kind.LAYOUT:
                frame = _decode_layout(cursor, attempt, step, time)
            case Kind.ROWS:
                frame = _decode_rows(cursor, flags, attempt, step, time)
            case Kind.CENSUS:
                vocabulary, _ = cursor.unpack(_CENSUS)
                _check(vocabulary, MAX_VOCABULARY, "vocabulary")
                frame = Census(attempt, step, time, cursor.u32(vocabulary), cursor.u32(vocabulary))
            case _:
                raise FrameError(f"unknown kind of frame: {kind}")
    except struct.error as error:
        raise FrameError(f"frame cut short: {error}") from error
    if cursor.at != len(view):
        raise FrameError(f"{len(view) - cursor.at} bytes too many")
    return frame


def decode_as(data: bytes | memoryview, kind: type[F]) -> F:
    """A frame that must be of a kind.

    Raises:
        FrameError: it is not, or is no frame.
    """
    frame = decode(data)
    if not isinstance(frame, kind):
        raise FrameError(f"a record is not a {kind.__name__.lower()}")
    return frame


def row_place(head: bytes, token_id: int) -> tuple[int, int]:
    """Where one row lies in a frame of a whole matrix: offset and length in bytes.

    Args:
        head: its first `ROWS_HEAD` bytes.
        token_id: which row.

    Raises:
        FrameError: it is no frame of a whole matrix, or has no such row.
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
    """(attempt, step) of an encoded frame, without decoding it."""
    _, _, _, _, attempt, step, _ = _HEADER.unpack_from(data)
    return attempt, step


def _header(kind: Kind, flags: int, frame: Frame) -> bytes:
    return _HEADER.pack(MAGIC, VERSION, kind, flags, frame.attempt, frame.step, frame.time)


def _encode_pulse(pulse: Pulse) -> bytes:
    gradient = _how(pulse.gradient_ids, pulse)
    moved = _how(pulse.moved_ids, pulse)
    flags = (_MERGED if pulse.merged else 0) | gradient << 1 | moved << 3
    flags |= _VERIFIED if pulse.verified else 0
    return b"".join(
        (
            _header(Kind.PULSE, flags, pulse),
            _PULSE.pack(
                pulse.first_step,
                pulse.vocabulary,
                len(pulse.batch_ids),
                len(pulse.gradient_ids),
                len(pulse.moved_ids),
                len(pulse.layer_norms),
                pulse.loss,
                pulse.learning_rate,
                pulse.tokens_per_second,
                pulse.step_seconds,
                pulse.observe_seconds,
                0,
            ),
            _u32(pulse.batch_ids),
            _u32(pulse.batch_counts),
            _u32(pulse.gradient_ids) if gradient == _Set.LISTED else b"",
            _f32(pulse.gradient_norms),
            _u32(pulse.moved_ids) if moved == _Set.LISTED else b"",
            _f32(pulse.moved_distances),
            _f32(pulse.layer_norms),
        )
    )


def _decode_pulse(cursor: _Cursor, flags: int, attempt: int, step: int, time: float) -> Pulse:
    first, vocabulary, batch, gradient, moved, layers, loss, rate, speed, seconds, observe, _ = cursor.unpack(
        _PULSE
    )
    _check(vocabulary, MAX_VOCABULARY, "vocabulary")
    for name, count in (("batch", batch), ("gradient", gradient), ("moved", moved)):
        _check(count, vocabulary, f"rows in the {name} set")
    if first > step or bool(flags & _MERGED) != (first != step):
        raise FrameError("the first of the merged steps contradicts the rest")
    batch_ids = _sorted_ids(cursor.u32(batch), vocabulary)
    batch_counts = cursor.u32(batch)
    gradient_ids = _decode_set(cursor, flags >> 1 & 3, gradient, batch_ids, vocabulary)
    gradient_norms = cursor.f32(gradient)
    moved_ids = _decode_set(cursor, flags >> 3 & 3, moved, batch_ids, vocabulary)
    moved_distances = cursor.f32(moved)
    return Pulse(
        attempt=attempt,
        step=step,
        time=time,
        vocabulary=vocabulary,
        loss=loss,
        learning_rate=rate,
        tokens_per_second=speed,
        step_seconds=seconds,
        observe_seconds=observe,
        batch_ids=batch_ids,
        batch_counts=batch_counts,
        gradient_ids=gradient_ids,
        gradient_norms=gradient_norms,
        moved_ids=moved_ids,
        moved_distances=moved_distances,
        layer_norms=cursor.f32(layers),
        verified=bool(flags & _VERIFIED),
        first_step=first,
    )


def _encode_layout(layout: Layout) -> bytes:
    xy = np.asarray(layout.coordinates, dtype=np.float32)
    low = xy.min(axis=0)
    high = xy.max(axis=0)
    span = np.where(high > low, high - low, np.float32(1))
    places = np.rint((xy - low) / span * 65_535).astype("<u2")
    body = _LAYOUT.pack(
        len(xy),
        layout.method,
        0,
        0,
        float(low[0]),
        float(high[0]),
        float(low[1]),
        float(high[1]),
        layout.trust,
        layout.trust_error,
        layout.recall,
        layout.sample,
    )
    return b"".join((_header(Kind.LAYOUT, 0, layout), body, places.tobytes()))


def _decode_layout(cursor: _Cursor, attempt: int, step: int, time: float) -> Layout:
    vocabulary, method, _, _, x0, x1, y0, y1, trust, error, recall, sample = cursor.unpack(_LAYOUT)
    _check(vocabulary, MAX_VOCABULARY, "vocabulary")
    if method not in list(Method):
        raise FrameError(f"unknown layout method: {method}")
    places = cursor.array("<u2", 2 * vocabulary).reshape(vocabulary, 2)
    low = np.array([x0, y0], dtype=np.float32)
    high = np.array([x1, y1], dtype=np.float32)
    if not (np.isfinite(low).all() and np.isfinite(high).all()):
        raise FrameError("the layout's bounds are not finite")
    if max(abs(x1 - x0), abs(y1 - y0)) > _MAX_SPAN:
        raise FrameError("the layout's bounds are too far apart")
    coordinates = (low + (high - low) * (places.astype(np.float32) / np.float32(65_535))).astype(np.float32)
    return Layout(attempt, step, time, Method(method), coordinates, trust, error, recall, sample)


def _encode_rows(rows: Rows) -> bytes:
    count, dim = rows.vectors.shape
    body = _ROWS.pack(rows.vocabulary, dim, count, 0)
    ids = b"" if rows.whole else _u32(rows.token_ids)
    return b"".join((_header(Kind.ROWS, _ALL_ROWS if rows.whole else 0, rows), body, ids, _f32(rows.vectors)))


def _decode_rows(cursor: _Cursor, flags: int, attempt: int, step: int, time: float) -> Rows:
    vocabulary, dim, count, _ = cursor.unpack(_ROWS)
    _check(vocabulary, MAX_VOCABULARY, "vocabulary")
    _check(dim, MAX_DIM, "dim")
    _check(count, vocabulary, "rows")
    if count and not dim:
        raise FrameError("vectors of no dimension")
    if flags & _ALL_ROWS:
        if count != vocabulary:
            raise FrameError("a whole matrix must have every row")
        cursor.expect(4 * count * dim)
        ids = np.arange(vocabulary, dtype=np.uint32)
    else:
        ids = _sorted_ids(cursor.u32(count), vocabulary)
    return Rows(attempt, step, time, vocabulary, ids, cursor.f32(count * dim).reshape(count, dim))


def _how(ids: UInts, pulse: Pulse) -> _Set:
    if len(ids) == pulse.vocabulary:
        return _Set.ALL
    return _Set.BATCH if np.array_equal(ids, pulse.batch_ids) else _Set.LISTED


def _decode_set(cursor: _Cursor, how: int, count: int, batch_ids: UInts, vocabulary: int) -> UInts:
    if how == _Set.ALL:
        if count != vocabulary:
            raise FrameError("a set of all rows must have every row")
        cursor.expect(4 * count)
        return np.arange(vocabulary, dtype=np.uint32)
    if how == _Set.BATCH:
        if count != len(batch_ids):
            raise FrameError("a set like the batch's must be as large as the batch's")
        return batch_ids
    if how != _Set.LISTED:
        raise FrameError(f"unknown way to write a set: {how}")
    return _sorted_ids(cursor.u32(count), vocabulary)


def _sorted_ids(ids: UInts, vocabulary: int) -> UInts:
    if len(ids) and (int(ids[-1]) >= vocabulary or bool((ids[1:] <= ids[:-1]).any())):
        raise FrameError("token ids must be distinct, sorted and below the vocabulary's size")
    return ids


def _check(value: int, limit: int, name: str) -> None:
    if value > limit:
        raise FrameError(f"{name}: {value} is more than {limit}")


def _u32(values: UInts) -> bytes:
    return np.ascontiguousarray(values, dtype="<u4").tobytes()


def _f32(values: Floats) -> bytes:
    return np.ascontiguousarray(values, dtype="<f4").tobytes()


class _Cursor:
    """Reads fields one after another, never past the end."""

    def __init__(self, view: memoryview, at: int) -> None:
        self.view = view
        self.at = at

    def unpack(self, shape: struct.Struct) -> tuple[int, ...]:
        values = shape.unpack_from(self.view, self.at)
        self.at += shape.size
        return values

    def expect(self, size: int) -> None:
        """See that so many bytes are there, before anything is made that is as large as a frame says."""
        if size > len(self.view) - self.at:
            raise FrameError("frame cut short")

    def array(self, dtype: str, count: int) -> NDArray[np.generic]:
        size = count * np.dtype(dtype).itemsize
        self.expect(size)
        values = np.frombuffer(self.view, dtype=dtype, count=count, offset=self.at)
        self.at += size
        return values

    def u32(self, count: int) -> UInts:
        return self.array("<u4", count)  # pyright: ignore[reportReturnType]

    def f32(self, count: int) -> Floats:
        return self.array("<f4", count)  # pyright: ignore[reportReturnType]
