"""Layout frames: the tokens' coordinates on the map, with estimates of quality (`docs/wire.md`, kind 2)."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum

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

_LAYOUT = struct.Struct("<IBBHfffffffI")
_MAX_SPAN = 1e38
"""Maximum distance between the bounds of a layout, so that all coordinates between them fit in float32."""
_HAS_TOKEN_TRUST = 1


class Method(IntEnum):
    """The method that computed a layout."""

    LINEAR = 0
    UMAP = 1
    REFIT = 2
    PCA = 3

    @property
    def view(self) -> Method:
        """Return the view that this method draws: LINEAR, or UMAP for the map by any other method."""
        return Method.LINEAR if self is Method.LINEAR else Method.UMAP


@dataclass(frozen=True)
class Layout:
    """The tokens' coordinates on the map at one step, with estimates of quality."""

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
    """Share of the nearest neighbours in the space that are also nearest on the map, on the same sample."""
    sample: int = 0
    """Number of tokens in the sample."""
    by_token: NDArray[np.uint8] | None = None
    """Shape (V,): trust in each token's own neighbourhood, 255 for full trust; None when not computed.
    Definition: `projection/quality/trust.py`."""


def encode_layout(layout: Layout) -> tuple[int, bytes]:
    """Encode a layout as (flags, bytes after the header)."""
    xy = np.asarray(layout.coordinates, dtype=np.float32)
    low = xy.min(axis=0)
    high = xy.max(axis=0)
    span = np.where(high > low, high - low, np.float32(1))
    coordinates = np.rint((xy - low) / span * 65_535).astype("<u2")
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
    if layout.by_token is None:
        return 0, body + coordinates.tobytes()
    by_token = np.ascontiguousarray(layout.by_token, dtype=np.uint8)
    return _HAS_TOKEN_TRUST, body + coordinates.tobytes() + pad_to_four(by_token.tobytes())


def decode_layout(cursor: BinaryReader, flags: int, attempt: int, step: int, time: float) -> Layout:
    """Decode a layout from the bytes after the header. Raises FrameError if the bytes are not a valid layout."""
    vocabulary, method, _, _, x0, x1, y0, y1, trust, error, recall, sample = cursor.read_struct(_LAYOUT)
    require_at_most(vocabulary, MAX_VOCABULARY, "vocabulary")
    if method not in list(Method):
        raise FrameError(f"unknown layout method: {method}")
    quantised = cursor.read_array("<u2", 2 * vocabulary).reshape(vocabulary, 2)
    low = np.array([x0, y0], dtype=np.float32)
    high = np.array([x1, y1], dtype=np.float32)
    if not (np.isfinite(low).all() and np.isfinite(high).all()):
        raise FrameError("the layout's bounds are not finite")
    if max(abs(x1 - x0), abs(y1 - y0)) > _MAX_SPAN:
        raise FrameError("the layout's bounds are too far apart")
    coordinates = (low + (high - low) * (quantised.astype(np.float32) / np.float32(65_535))).astype(
        np.float32
    )
    by_token: NDArray[np.uint8] | None = None
    if flags & _HAS_TOKEN_TRUST:
        by_token = cursor.read_array("u1", vocabulary)  # pyright: ignore[reportAssignmentType]
        cursor.skip_padding()
    return Layout(attempt, step, time, Method(method), coordinates, trust, error, recall, sample, by_token)
