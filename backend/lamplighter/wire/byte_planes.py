"""Numbers as byte planes: all lowest bytes of an array, then all next ones, and so on.

Neighbouring numbers resemble each other only in their highest bytes. Planes put these together, so that deflate can
compress them; the lowest bytes of floats are noise in any order.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lamplighter.wire.binary import BinaryReader, Floats, FrameError, UInts


def encode_planes(values: NDArray[np.generic]) -> bytes:
    """Encode little-endian numbers, shape (N,), as byte planes."""
    numbers = np.ascontiguousarray(values)
    return numbers.view(np.uint8).reshape(len(numbers), numbers.itemsize).T.tobytes()


def encode_u32_planes(values: UInts) -> bytes:
    """Encode unsigned 32-bit integers, shape (N,), as four byte planes."""
    return encode_planes(values.astype("<u4"))


def encode_f32_planes(values: Floats) -> bytes:
    """Encode 32-bit floats, shape (N,), as four byte planes."""
    return encode_planes(values.astype("<f4"))


def encode_gaps(ids: UInts) -> bytes:
    """Encode sorted, distinct ids, shape (N,), as byte planes of the first id and the differences after it."""
    return encode_u32_planes(np.diff(ids, prepend=np.uint32(0)))


def read_planes(cursor: BinaryReader, dtype: str, count: int) -> NDArray[np.generic]:
    """Read numbers of a type, shape (count,), from byte planes. Raises FrameError if fewer bytes are left."""
    size = np.dtype(dtype).itemsize
    planes = cursor.read_array("u1", size * count).reshape(size, count)
    return np.ascontiguousarray(planes.T).reshape(-1).view(dtype)


def read_u32_planes(cursor: BinaryReader, count: int) -> UInts:
    """Read unsigned 32-bit integers, shape (count,). Raises FrameError if fewer bytes are left."""
    return read_planes(cursor, "<u4", count)  # pyright: ignore[reportReturnType]


def read_f32_planes(cursor: BinaryReader, count: int) -> Floats:
    """Read 32-bit floats, shape (count,). Raises FrameError if fewer bytes are left."""
    return read_planes(cursor, "<f4", count)  # pyright: ignore[reportReturnType]


def read_gaps(cursor: BinaryReader, count: int, vocabulary: int) -> UInts:
    """Read sorted, distinct ids below `vocabulary`, shape (count,). Raises FrameError if the ids are not
    valid, or fewer bytes are left.
    """
    gaps = read_u32_planes(cursor, count)
    ids = np.cumsum(gaps, dtype=np.uint64)
    if count and (not gaps[1:].all() or int(ids[-1]) >= vocabulary):
        raise FrameError("token ids must be distinct, sorted and below the vocabulary's size")
    return ids.astype(np.uint32)
