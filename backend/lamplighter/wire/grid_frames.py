"""Grid frames: coordinates of a map on a 12-bit grid, whole (kind 7) or as differences (kind 8); `docs/wire.md`.

Many viewers get a layout every second. A whole one takes three bytes per token; the difference from the previous layout
is mostly zeros and small numbers, which deflate well. Both are exact on their grid: applying the differences in turn
gives the whole layout bit for bit. A grid keeps its bounds as long as layouts fit it well.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from lamplighter.wire.binary import (
    MAX_VOCABULARY,
    BinaryReader,
    Floats,
    FrameError,
    pad_to_four,
    require_at_most,
)
from lamplighter.wire.byte_planes import encode_planes, read_planes
from lamplighter.wire.layout_frames import Layout, Method

GRID_STEPS = 4_095
"""Steps of the grid on each axis: 12 bits."""
_WHOLE = struct.Struct("<IBBHIfffffffI")
_DIFFERENCE = struct.Struct("<IBBHIIfffI")
_TRUST_BY_TOKEN, _TRUST_CHANGES = 1, 2
_MARGIN = 0.15
"""Margin around a layout, as a share of its extent, because maps grow."""
_MIN_EXTENT = 0.4
"""Minimum share of the grid that a layout takes up on both axes; a smaller one gets a new grid."""
_MAX_SPAN = 1e38

Places = NDArray[np.uint16]
Bytes = NDArray[np.uint8]


@dataclass(frozen=True)
class Grid:
    """The bounds of a grid, as 32-bit floats represent them."""

    x0: float
    x1: float
    y0: float
    y1: float

    def spans(self) -> Floats:
        """Return the extent on both axes, shape (2,)."""
        return np.array([self.x1 - self.x0, self.y1 - self.y0], dtype=np.float32)


@dataclass(frozen=True)
class GridLayout:
    """The tokens' coordinates at one step, on a grid."""

    attempt: int
    step: int
    time: float
    method: Method
    number: int
    """Number among the layouts of its view, by which a difference names its base."""
    grid: Grid
    places: Places
    """Shape (V, 2), 0 to `GRID_STEPS`: x = x0 + (x1 - x0) * place / `GRID_STEPS`."""
    trust: float
    """Trustworthiness on a sample; NaN when not estimated."""
    trust_error: float
    """Standard error of `trust`."""
    recall: float
    """Share of the nearest neighbours in the space that are also nearest on the map, on the same sample."""
    sample: int
    """Number of tokens in the sample."""
    by_token: Bytes | None
    """Shape (V,): trust in each token's own neighbourhood, 255 for full trust; None when not computed."""


@dataclass(frozen=True)
class GridChange:
    """A layout on a grid as its difference from an earlier one."""

    attempt: int
    step: int
    time: float
    method: Method
    number: int
    base: int
    """Number of the layout that the differences start from."""
    moves: NDArray[np.int16]
    """Shape (V, 2): differences of the places."""
    trust: float
    trust_error: float
    recall: float
    sample: int
    by_token: Bytes | None
    """Shape (V,): differences modulo 256 if `from_base`, else the values themselves; None when not computed."""
    from_base: bool


def fit_grid(layout: Layout) -> Grid:
    """Return a grid for a layout, with a margin around it."""
    xy = np.asarray(layout.coordinates, dtype=np.float32)
    low, high = xy.min(axis=0), xy.max(axis=0)
    extent = np.where(high > low, high - low, np.float32(1))
    margin = np.minimum(extent * np.float32(_MARGIN), np.float32(_MAX_SPAN) / 8)
    with np.errstate(over="ignore"):
        x0, y0 = (float(value) for value in low - margin)
        x1, y1 = (float(value) for value in high + margin)
    return Grid(x0, x1, y0, y1)


def place_on_grid(layout: Layout, grid: Grid, number: int) -> GridLayout | None:
    """Return a layout on a grid; None if it does not fit, or is too small for the grid's resolution."""
    xy = np.asarray(layout.coordinates, dtype=np.float64)
    low, span = np.array([grid.x0, grid.y0]), grid.spans().astype(np.float64)
    with np.errstate(invalid="ignore"):
        on_grid = np.rint((xy - low) / np.where(span > 0, span, 1) * GRID_STEPS)
        extent = np.ptp(on_grid, axis=0) / GRID_STEPS
    # A layout without extent is equally small on any grid.
    small = (extent < _MIN_EXTENT) & (np.ptp(xy, axis=0) > 0)
    if not np.isfinite(on_grid).all() or on_grid.min() < 0 or on_grid.max() > GRID_STEPS or small.any():
        return None
    return GridLayout(
        layout.attempt,
        layout.step,
        layout.time,
        layout.method,
        number,
        grid,
        on_grid.astype(np.uint16),
        layout.trust,
        layout.trust_error,
        layout.recall,
        layout.sample,
        layout.by_token,
    )


def subtract(layout: GridLayout, base: GridLayout) -> GridChange:
    """Return the difference of two layouts on one grid. Raises ValueError if they are on different grids, or
    of different vocabularies.
    """
    if layout.grid != base.grid or layout.places.shape != base.places.shape:
        raise ValueError("only layouts on one grid have a difference")
    by_token, from_base = layout.by_token, False
    if by_token is not None and base.by_token is not None:
        by_token, from_base = by_token - base.by_token, True
    return GridChange(
        layout.attempt,
        layout.step,
        layout.time,
        layout.method,
        layout.number,
        base.number,
        layout.places.astype(np.int16) - base.places.astype(np.int16),
        layout.trust,
        layout.trust_error,
        layout.recall,
        layout.sample,
        by_token,
        from_base,
    )


def add(base: GridLayout, change: GridChange) -> GridLayout:
    """Return the layout that results from a difference. Raises FrameError if the difference starts from
    another layout, or leads off the grid.
    """
    if change.base != base.number or change.moves.shape != base.places.shape:
        raise FrameError("the difference starts from another layout")
    places = base.places.astype(np.int32) + change.moves
    if places.size and (int(places.min()) < 0 or int(places.max()) > GRID_STEPS):
        raise FrameError("the difference leads off the grid")
    by_token = change.by_token
    if by_token is not None and change.from_base:
        if base.by_token is None:
            raise FrameError("the difference of the tokens' trust starts from nothing")
        by_token = base.by_token + by_token
    return replace(
        base,
        attempt=change.attempt,
        step=change.step,
        time=change.time,
        method=change.method,
        number=change.number,
        places=places.astype(np.uint16),
        trust=change.trust,
        trust_error=change.trust_error,
        recall=change.recall,
        sample=change.sample,
        by_token=by_token,
    )


def encode_grid_layout(layout: GridLayout) -> tuple[int, bytes]:
    """Encode a layout on a grid as (flags, bytes after the header)."""
    grid, places = layout.grid, layout.places
    head = _WHOLE.pack(
        len(places), layout.method, 0, 0, layout.number, grid.x0, grid.x1, grid.y0, grid.y1,
        layout.trust, layout.trust_error, layout.recall, layout.sample,
    )  # fmt: skip
    low = (places.T & 0xFF).astype(np.uint8).tobytes()
    high = (places[:, 0] >> 8 | places[:, 1] >> 8 << 4).astype(np.uint8).tobytes()
    own = b"" if layout.by_token is None else layout.by_token.tobytes()
    return _TRUST_BY_TOKEN if own else 0, head + pad_to_four(low + high + own)


def encode_grid_change(change: GridChange) -> tuple[int, bytes]:
    """Encode a difference as (flags, bytes after the header)."""
    head = _DIFFERENCE.pack(
        len(change.moves), change.method, 0, 0, change.number, change.base,
        change.trust, change.trust_error, change.recall, change.sample,
    )  # fmt: skip
    moves = change.moves.T.reshape(-1)
    # Zigzag coding: small numbers of either sign become small unsigned ones.
    zigzag = ((moves << 1) ^ (moves >> 15)).astype("<u2")
    own = b"" if change.by_token is None else change.by_token.tobytes()
    flags = (_TRUST_BY_TOKEN if own else 0) | (_TRUST_CHANGES if own and change.from_base else 0)
    return flags, head + pad_to_four(encode_planes(zigzag) + own)


def decode_grid_layout(cursor: BinaryReader, flags: int, attempt: int, step: int, time: float) -> GridLayout:
    """Decode a layout on a grid from the bytes after the header. Raises FrameError if the bytes are not a
    valid layout.
    """
    vocabulary, method, _, _, number, x0, x1, y0, y1, trust, error, recall, sample = cursor.read_struct(
        _WHOLE
    )
    require_at_most(vocabulary, MAX_VOCABULARY, "vocabulary")
    bounds = np.array([x0, x1, y0, y1], dtype=np.float64)
    if not np.isfinite(bounds).all() or max(abs(x1 - x0), abs(y1 - y0)) > _MAX_SPAN:
        raise FrameError("the grid's bounds are not finite, or too far apart")
    low = cursor.read_array("u1", 2 * vocabulary).reshape(2, vocabulary).astype(np.uint16)
    high = cursor.read_array("u1", vocabulary).astype(np.uint16)
    places = np.stack((low[0] | (high & 0xF) << 8, low[1] | high >> 4 << 8), axis=1)
    by_token = _read_trust(cursor, flags, vocabulary)
    cursor.skip_padding()
    return GridLayout(
        attempt, step, time, _read_method(method), number, Grid(x0, x1, y0, y1), places,
        trust, error, recall, sample, by_token,
    )  # fmt: skip


def decode_grid_change(cursor: BinaryReader, flags: int, attempt: int, step: int, time: float) -> GridChange:
    """Decode a difference from the bytes after the header. Raises FrameError if the bytes are not a valid
    difference.
    """
    vocabulary, method, _, _, number, base, trust, error, recall, sample = cursor.read_struct(_DIFFERENCE)
    require_at_most(vocabulary, MAX_VOCABULARY, "vocabulary")
    zigzag: Places = read_planes(cursor, "<u2", 2 * vocabulary)  # pyright: ignore[reportAssignmentType]
    if zigzag.size and int(zigzag.max()) > 2 * GRID_STEPS:
        raise FrameError("a difference is larger than the grid")
    moves = (zigzag >> 1).astype(np.int16) ^ -(zigzag & 1).astype(np.int16)
    by_token = _read_trust(cursor, flags, vocabulary)
    cursor.skip_padding()
    from_base = bool(flags & _TRUST_CHANGES)
    if from_base and by_token is None:
        raise FrameError("the flags of the tokens' trust contradict each other")
    return GridChange(
        attempt, step, time, _read_method(method), number, base, moves.reshape(2, vocabulary).T,
        trust, error, recall, sample, by_token, from_base,
    )  # fmt: skip


def _read_method(method: int) -> Method:
    if method not in list(Method):
        raise FrameError(f"unknown layout method: {method}")
    return Method(method)


def _read_trust(cursor: BinaryReader, flags: int, vocabulary: int) -> Bytes | None:
    if not flags & _TRUST_BY_TOKEN:
        return None
    return cursor.read_array("u1", vocabulary)  # pyright: ignore[reportReturnType]
