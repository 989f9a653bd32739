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


def sorted_ids(ids: UInts, vocabulary: int) -> UInts:
    """Return `ids` if they are distinct, sorted and below `vocabulary`.

    Raises:
        FrameError: the ids are not valid.
    """
    if len(ids) and (int(ids[-1]) >= vocabulary or bool((ids[1:] <= ids[:-1]).any())):
        raise FrameError("token ids must be distinct, sorted and below the vocabulary's size")
    return ids


def check(value: int, limit: int, name: str) -> None:
    """Raise FrameError if `value` exceeds `limit`."""
    if value > limit:
        raise FrameError(f"{name}: {value} is more than {limit}")


def u32(values: UInts) -> bytes:
    """Encode an array as little-endian unsigned 32-bit integers."""
    return np.ascontiguousarray(values, dtype="<u4").tobytes()


def f32(values: Floats) -> bytes:
    """Encode an array as little-endian 32-bit floats."""
    return np.ascontiguousarray(values, dtype="<f4").tobytes()


def padded(data: bytes) -> bytes:
    """Pad `data` with zeros to a multiple of four bytes."""
    return data + b"\0" * (-len(data) % 4)


class Cursor:
    """A sequential reader of the fields of a frame that never reads past the end."""

    def __init__(self, view: memoryview, at: int) -> None:
        """Start at byte `at` of `view`."""
        self.view = view
        self.at = at

    def unpack(self, shape: struct.Struct) -> tuple[int, ...]:
        """Read the fields of `shape`.

        Raises:
            struct.error: fewer bytes are left.
        """
        values = shape.unpack_from(self.view, self.at)
        self.at += shape.size
        return values

    def expect(self, size: int) -> None:
        """Raise FrameError if fewer than `size` bytes are left.

        Call this before allocating an array of a size that the frame claims.
        """
        if size > len(self.view) - self.at:
            raise FrameError("frame cut short")

    def array(self, dtype: str, count: int) -> NDArray[np.generic]:
        """Read an array of shape (count,) as a view on the frame.

        Raises:
            FrameError: fewer bytes are left.
        """
        size = count * np.dtype(dtype).itemsize
        self.expect(size)
        values = np.frombuffer(self.view, dtype=dtype, count=count, offset=self.at)
        self.at += size
        return values

    def u32(self, count: int) -> UInts:
        """Read unsigned 32-bit integers, shape (count,)."""
        return self.array("<u4", count)  # pyright: ignore[reportReturnType]

    def f32(self, count: int) -> Floats:
        """Read 32-bit floats, shape (count,)."""
        return self.array("<f4", count)  # pyright: ignore[reportReturnType]

    def fill(self) -> None:
        """Skip padding up to the next multiple of four bytes.

        Raises:
            FrameError: the padding is not zero.
        """
        if self.array("u1", -self.at % 4).any():
            raise FrameError("something lies where nothing may be")
