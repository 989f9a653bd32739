"""Building blocks of all frames: array encoding, checks, and a reader that never runs past the end."""

from __future__ import annotations

import struct

import numpy as np
from numpy.typing import NDArray

MAX_VOCABULARY = 1 << 22

UInts = NDArray[np.uint32]
Floats = NDArray[np.float32]


class FrameError(ValueError):
    """An error for bytes that are not a frame, or a frame that this version cannot read."""


def require_sorted_ids(ids: UInts, vocabulary: int) -> UInts:
    """Return `ids` if they are distinct, sorted and below `vocabulary`. Raises FrameError if the ids are not
    valid.
    """
    if len(ids) and (int(ids[-1]) >= vocabulary or bool((ids[1:] <= ids[:-1]).any())):
        raise FrameError("token ids must be distinct, sorted and below the vocabulary's size")
    return ids


def require_at_most(value: int, limit: int, name: str) -> None:
    """Raise FrameError if `value` exceeds `limit`."""
    if value > limit:
        raise FrameError(f"{name}: {value} is more than {limit}")


def encode_u32(values: UInts) -> bytes:
    """Encode an array as little-endian unsigned 32-bit integers."""
    return np.ascontiguousarray(values, dtype="<u4").tobytes()


def encode_f32(values: Floats) -> bytes:
    """Encode an array as little-endian 32-bit floats."""
    return np.ascontiguousarray(values, dtype="<f4").tobytes()


def pad_to_four(data: bytes) -> bytes:
    """Pad `data` with zeros to a multiple of four bytes."""
    return data + b"\0" * (-len(data) % 4)


class BinaryReader:
    """A sequential reader of the fields of a frame that never reads past the end."""

    def __init__(self, view: memoryview, offset: int) -> None:
        self.view = view
        self.offset = offset

    def read_struct(self, shape: struct.Struct) -> tuple[int, ...]:
        """Read the fields of `shape`. Raises struct.error if fewer bytes are left."""
        values = shape.unpack_from(self.view, self.offset)
        self.offset += shape.size
        return values

    def require_bytes(self, size: int) -> None:
        """Raise FrameError if fewer than `size` bytes are left.

        Call this before allocating an array of a size that the frame claims.
        """
        if size > len(self.view) - self.offset:
            raise FrameError("frame cut short")

    def read_array(self, dtype: str, count: int) -> NDArray[np.generic]:
        """Read an array of shape (count,) as a view on the frame. Raises FrameError if fewer bytes are left."""
        size = count * np.dtype(dtype).itemsize
        self.require_bytes(size)
        values = np.frombuffer(self.view, dtype=dtype, count=count, offset=self.offset)
        self.offset += size
        return values

    def read_u32(self, count: int) -> UInts:
        """Read unsigned 32-bit integers, shape (count,)."""
        return self.read_array("<u4", count)  # pyright: ignore[reportReturnType]

    def read_f32(self, count: int) -> Floats:
        """Read 32-bit floats, shape (count,)."""
        return self.read_array("<f4", count)  # pyright: ignore[reportReturnType]

    def skip_padding(self) -> None:
        """Skip padding up to the next multiple of four bytes. Raises FrameError if the padding is not zero."""
        if self.read_array("u1", -self.offset % 4).any():
            raise FrameError("padding bytes are not zero")
