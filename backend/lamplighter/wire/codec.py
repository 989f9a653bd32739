"""What all frames have in common: the header, how arrays are written, and a reader that never runs past the end."""

from __future__ import annotations

import struct

import numpy as np
from numpy.typing import NDArray

MAX_VOCABULARY = 1 << 22

UInts = NDArray[np.uint32]
Floats = NDArray[np.float32]


class FrameError(ValueError):
    """Bytes that are not a frame, or a frame this version cannot read."""


def sorted_ids(ids: UInts, vocabulary: int) -> UInts:
    """Token ids as a frame lists them.

    Raises:
        FrameError: they are not.
    """
    if len(ids) and (int(ids[-1]) >= vocabulary or bool((ids[1:] <= ids[:-1]).any())):
        raise FrameError("token ids must be distinct, sorted and below the vocabulary's size")
    return ids


def check(value: int, limit: int, name: str) -> None:
    """See that a number is not beyond what may be.

    Raises:
        FrameError: it is.
    """
    if value > limit:
        raise FrameError(f"{name}: {value} is more than {limit}")


def u32(values: UInts) -> bytes:
    """As bytes of a frame."""
    return np.ascontiguousarray(values, dtype="<u4").tobytes()


def f32(values: Floats) -> bytes:
    """As bytes of a frame."""
    return np.ascontiguousarray(values, dtype="<f4").tobytes()


def padded(data: bytes) -> bytes:
    """With zeros behind, so that what follows starts at a multiple of four bytes."""
    return data + b"\0" * (-len(data) % 4)


class Cursor:
    """Reads fields one after another, never past the end."""

    def __init__(self, view: memoryview, at: int) -> None:
        """Begin at a byte of `view`."""
        self.view = view
        self.at = at

    def unpack(self, shape: struct.Struct) -> tuple[int, ...]:
        """The fields of `shape`."""
        values = shape.unpack_from(self.view, self.at)
        self.at += shape.size
        return values

    def expect(self, size: int) -> None:
        """See that so many bytes are there, before anything is made that is as large as a frame says.

        Raises:
            FrameError: they are not.
        """
        if size > len(self.view) - self.at:
            raise FrameError("frame cut short")

    def array(self, dtype: str, count: int) -> NDArray[np.generic]:
        """An array, as a view."""
        size = count * np.dtype(dtype).itemsize
        self.expect(size)
        values = np.frombuffer(self.view, dtype=dtype, count=count, offset=self.at)
        self.at += size
        return values

    def u32(self, count: int) -> UInts:
        """Shape (count,)."""
        return self.array("<u4", count)  # pyright: ignore[reportReturnType]

    def f32(self, count: int) -> Floats:
        """Shape (count,)."""
        return self.array("<f4", count)  # pyright: ignore[reportReturnType]

    def fill(self) -> None:
        """Go on at the next multiple of four bytes.

        Raises:
            FrameError: what is passed over is not zeros.
        """
        if self.array("u1", -self.at % 4).any():
            raise FrameError("something lies where nothing may be")
