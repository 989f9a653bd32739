"""District frames: named clusters of the space, by token (`docs/wire.md`, kind 5)."""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lamplighter.wire.binary import (
    MAX_VOCABULARY,
    BinaryReader,
    FrameError,
    UInts,
    pad_to_four,
    require_at_most,
)

_DISTRICTS = struct.Struct("<IIII")
MAX_DISTRICTS = 0xFFFE
_MAX_TEXT = 1 << 22


@dataclass(frozen=True)
class Districts:
    """The districts at one step."""

    attempt: int
    step: int
    time: float
    ids: UInts
    """Shape (N,), ascending from 1. A district keeps its id for its whole life."""
    names: tuple[str, ...]
    """Names in the order of `ids`. Made from token text, so untrusted: show them as plain text only."""
    of: NDArray[np.uint16]
    """Shape (V,): the index in `ids` of each token's district, plus one; 0 for a token in none."""


def encode_districts(districts: Districts) -> tuple[int, bytes]:
    """Encode districts as (flags, bytes after the header). Line breaks in names become spaces: one line per name."""
    names = "\n".join(" ".join(name.split()) for name in districts.names)
    text = names.encode("utf-8", errors="replace")
    body = _DISTRICTS.pack(len(districts.of), len(districts.ids), len(text), 0)
    ids = np.ascontiguousarray(districts.ids, dtype="<u4").tobytes()
    district_of = np.ascontiguousarray(districts.of, dtype="<u2").tobytes()
    return 0, body + ids + pad_to_four(district_of) + pad_to_four(text)


def decode_districts(cursor: BinaryReader, attempt: int, step: int, time: float) -> Districts:
    """Decode districts from the bytes after the header. Raises FrameError if the bytes are not valid
    districts.
    """
    vocabulary, count, length, _ = cursor.read_struct(_DISTRICTS)
    require_at_most(vocabulary, MAX_VOCABULARY, "vocabulary")
    require_at_most(count, min(vocabulary, MAX_DISTRICTS), "districts")
    require_at_most(length, _MAX_TEXT, "bytes of names")
    ids = cursor.read_u32(count)
    if count and (int(ids[0]) == 0 or bool((ids[1:] <= ids[:-1]).any())):
        raise FrameError("ids of districts must be distinct, sorted and above 0")
    district_of: NDArray[np.uint16] = cursor.read_array("<u2", vocabulary)  # pyright: ignore[reportAssignmentType]
    cursor.skip_padding()
    if vocabulary and int(district_of.max()) > count:
        raise FrameError("a token names a district that does not exist")
    try:
        text = cursor.read_array("u1", length).tobytes().decode("utf-8")
    except UnicodeDecodeError as error:
        raise FrameError("names are not UTF-8") from error
    cursor.skip_padding()
    names = tuple(text.split("\n")) if count else ()
    if len(names) != count or (not count and text):
        raise FrameError("the number of names differs from the number of districts")
    return Districts(attempt, step, time, ids, names, district_of)
