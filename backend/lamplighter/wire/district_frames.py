"""District frames: clusters of the space, by token, with their names (`docs/wire.md`, kind 5)."""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lamplighter.wire.codec import MAX_VOCABULARY, Cursor, FrameError, UInts, check, padded

_DISTRICTS = struct.Struct("<IIII")
MOST_DISTRICTS = 0xFFFE
_MOST_TEXT = 1 << 22
NOWHERE = 0
"""`Districts.of` of a token in no district."""


@dataclass(frozen=True)
class Districts:
    """The districts at one step."""

    attempt: int
    step: int
    time: float
    ids: UInts
    """Shape (N,), ascending from 1: a district keeps its id as long as it lives."""
    names: tuple[str, ...]
    """By place in `ids`. From token text: hostile until shown as text."""
    of: NDArray[np.uint16]
    """Shape (V,): the place in `ids` of each token's district, plus one; `NOWHERE` for a token in none."""


def encode_districts(districts: Districts) -> tuple[int, bytes]:
    """The flags, and the bytes behind the header. A name is one line: what would break it is left out."""
    names = "\n".join(" ".join(name.split()) for name in districts.names)
    text = names.encode("utf-8", errors="replace")
    body = _DISTRICTS.pack(len(districts.of), len(districts.ids), len(text), 0)
    ids = np.ascontiguousarray(districts.ids, dtype="<u4").tobytes()
    of = np.ascontiguousarray(districts.of, dtype="<u2").tobytes()
    return 0, body + ids + padded(of) + padded(text)


def decode_districts(cursor: Cursor, attempt: int, step: int, time: float) -> Districts:
    """Districts from what is behind the header.

    Raises:
        FrameError: they are none.
    """
    vocabulary, count, length, _ = cursor.unpack(_DISTRICTS)
    check(vocabulary, MAX_VOCABULARY, "vocabulary")
    check(count, min(vocabulary, MOST_DISTRICTS), "districts")
    check(length, _MOST_TEXT, "bytes of names")
    ids = cursor.u32(count)
    if count and (int(ids[0]) == 0 or bool((ids[1:] <= ids[:-1]).any())):
        raise FrameError("ids of districts must be distinct, sorted and above 0")
    of: NDArray[np.uint16] = cursor.array("<u2", vocabulary)  # pyright: ignore[reportAssignmentType]
    cursor.fill()
    if vocabulary and int(of.max()) > count:
        raise FrameError("a token of a district that is not there")
    try:
        text = cursor.array("u1", length).tobytes().decode("utf-8")
    except UnicodeDecodeError as error:
        raise FrameError("names that are not UTF-8") from error
    cursor.fill()
    names = tuple(text.split("\n")) if count else ()
    if len(names) != count or (not count and text):
        raise FrameError("as many names as districts must be there")
    return Districts(attempt, step, time, ids, names, of)
