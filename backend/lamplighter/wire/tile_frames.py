"""Tiles: all vectors of some rows over a stretch of steps, packed for reading one row over time.

The record is appended step by step; reading one token over all steps needs the opposite order. A tile holds
the moves of consecutive token ids over consecutive steps, sorted by token and, within a token, by step.

Each float is mapped to an integer of the same rank (`_ranks`), so that close numbers become close integers. It is
stored as the difference from the token's previous vector, or as the difference of successive differences (momentum
makes successive moves similar), whichever packs smaller. Differences are modulo 2**32, zigzag-coded and split into byte
planes: high bytes are nearly all zero and compressed by zstd; low bytes are mostly noise and stored raw, so that
reading them is free. Differences, byte planes and a general-purpose compressor follow Parquet's BYTE_STREAM_SPLIT and
Gorilla (VLDB 2015). The coding is lossless, including the bits of NaNs.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import zstandard
from numpy.typing import NDArray

from lamplighter.wire.binary import MAX_VOCABULARY, Floats, FrameError, UInts
from lamplighter.wire.frames import MAGIC, VERSION
from lamplighter.wire.row_frames import MAX_DIM

TILE_KIND = 5
"""The kind in a tile's header. Tiles never go over the socket, where 5 is the kind of districts frames."""
MAX_TILE_BYTES = 1 << 29
"""Maximum size of an unpacked tile."""

_HEADER = struct.Struct("<4sBBHIIIIIII5I")
_LEVEL = 1
"""The zstd compression level; higher levels gain nothing on noise."""
_MAX_COMPRESSED_SHARE = 0.97
"""A plane is compressed only if zstd shrinks it below this share of its size."""


@dataclass(frozen=True)
class Tile:
    """The moves of token ids `first_token`, `first_token + 1`, ... in steps `first_step` to `last_step`."""

    attempt: int
    first_step: int
    last_step: int
    first_token: int
    dim: int
    starts: NDArray[np.int64]
    """Shape (T + 1,): the moves of token `first_token + i` are `starts[i]` to `starts[i + 1]`, exclusive."""
    steps: NDArray[np.uint32]
    """Shape (M,): the step of each move; ascending within a token."""
    _order: int
    """Order of the stored differences: 1 or 2."""
    _planes: tuple[NDArray[np.uint8], ...]
    """Four byte planes of shape (M, D), lowest bytes first."""

    @property
    def tokens(self) -> int:
        return len(self.starts) - 1

    def move_rows(self, vectors: Floats, from_step: int, to_step: int) -> None:
        """Move the rows of this tile in the matrix after `from_step`, shape (V, D), forward or back to
        `to_step`, in place. Both are from `first_step - 1` to `last_step`.
        """
        early, late = sorted((from_step, to_step))
        # Differences add up: take each row's sum up to the later step, minus its sum up to the earlier one.
        kept = np.flatnonzero(self.steps <= late)
        token_of = np.repeat(np.arange(self.tokens), np.diff(self.starts))
        by_late = np.bincount(token_of[kept], minlength=self.tokens)
        by_early = np.bincount(token_of[self.steps <= early], minlength=self.tokens)
        changed = np.flatnonzero(by_late > by_early)
        if not len(changed):
            return
        owner = token_of[kept]
        nth = kept - self.starts[owner]
        weights = _difference_weights(nth, by_late[owner], by_early[owner], self._order)
        counted = weights != 0
        kept, owner, weights = kept[counted], owner[counted], weights[counted]
        differences = self._differences(kept)
        if (weights != 1).any():
            differences *= weights[:, None]
        begins = np.searchsorted(owner, changed)
        ids = self.first_token + changed
        total = np.add.reduceat(differences, begins, axis=0, dtype=np.uint32)
        ranks = _ranks_of_floats(vectors[ids])
        vectors[ids] = _floats_of_ranks(ranks + total if from_step < to_step else ranks - total)

    def moves_of(self, token_id: int, vector: Floats, from_step: int) -> tuple[UInts, Floats]:
        """Return the moves of a token of this tile after `from_step`, which is at least `first_step - 1`:
        steps, shape (N,), and vectors, shape (N, D). `vector`: the row after `from_step`, shape (D,).
        """
        index = token_id - self.first_token
        span = np.arange(self.starts[index], self.starts[index + 1])
        ranks = _cumulative_sum(self._differences(span), self._order)
        steps = self.steps[span]
        before = int(np.searchsorted(steps, from_step, side="right"))
        if before:
            ranks -= ranks[before - 1]
        ranks += _ranks_of_floats(vector)
        return steps[before:], _floats_of_ranks(ranks[before:])

    def all_moves(self, vectors: Floats) -> tuple[UInts, UInts, Floats]:
        """Return all moves, by token: ids and steps, shape (M,) each, and vectors, shape (M, D), from the
        matrix before `first_step`, shape (V, D).
        """
        owner = np.repeat(np.arange(self.tokens), np.diff(self.starts))
        ids = (self.first_token + owner).astype(np.uint32)
        ranks = self._differences(np.arange(len(self.steps)))
        for _ in range(self._order):
            np.cumsum(ranks, axis=0, out=ranks)
            begins = self.starts[:-1][np.diff(self.starts) > 0]
            # The cumulative sum runs across tokens: subtract its value before each token.
            before = np.where(begins[:, None] > 0, ranks[begins - 1], np.uint32(0))
            ranks -= np.repeat(before, np.diff(self.starts)[np.diff(self.starts) > 0], axis=0)
        ranks += _ranks_of_floats(vectors[ids])
        return ids, self.steps, _floats_of_ranks(ranks)

    def _differences(self, which: NDArray[np.int64]) -> NDArray[np.uint32]:
        codes = np.empty((len(which), self.dim), dtype="<u4")
        cells = codes.view(np.uint8).reshape(len(which), self.dim, 4)
        for plane in range(4):
            cells[:, :, plane] = self._planes[plane][which]
        sign = codes & 1
        codes >>= 1
        codes ^= np.negative(sign)
        return codes.astype(np.uint32, copy=False)


def encode_tile(
    attempt: int, span: tuple[int, int], first_token: int, counts: UInts, steps: UInts, before: Floats, vectors: Floats
) -> bytes:  # fmt: skip
    """Encode a tile. `span`: the first and the last step, inclusive. `counts`: moves of each token, shape
    (T,). `steps`: the step of each move, shape (M,), by token, then ascending. `before`: the rows before
    the first step, shape (T, D). `vectors`: the rows after each move, shape (M, D).
    """
    ranks = _ranks_of_floats(vectors)
    starts = np.concatenate([[0], np.cumsum(counts, dtype=np.int64)])
    begins = starts[:-1][counts > 0]
    first = _difference_rows(ranks, begins, _ranks_of_floats(before[counts > 0]))
    second = _difference_rows(first, begins, None)
    packed = [_pack_planes(differences) for differences in (first, second)]
    order = 1 if sum(map(len, packed[0])) <= sum(map(len, packed[1])) else 2
    index = np.concatenate([counts, steps - np.uint32(span[0])]).astype("<u4").tobytes()
    parts = [zstandard.ZstdCompressor(level=_LEVEL).compress(index), *packed[order - 1]]
    head = _HEADER.pack(
        MAGIC, VERSION, TILE_KIND, order, attempt, *span, first_token, len(counts), vectors.shape[1], len(steps),
        *map(len, parts),
    )  # fmt: skip
    return b"".join((head, *parts))


def decode_tile(data: bytes, max_bytes: int = MAX_TILE_BYTES) -> Tile:
    """Decode a tile of at most `max_bytes` unpacked, which is checked before anything is unpacked. Raises
    FrameError if the bytes are not exactly one tile of this version.
    """
    if len(data) < _HEADER.size:
        raise FrameError("the tile is cut short")
    magic, version, kind, order, attempt, first, last, first_token, tokens, dim, moves, *lengths = (
        _HEADER.unpack_from(data)
    )
    if magic != MAGIC or kind != TILE_KIND:
        raise FrameError("not a tile")
    if version != VERSION or order not in (1, 2):
        raise FrameError(f"tile version {version}.{order}; this program reads version {VERSION}")
    size = 4 * (tokens + moves + moves * dim)
    if not 1 <= dim <= MAX_DIM or first_token + tokens > MAX_VOCABULARY or first > last or size > max_bytes:
        raise FrameError("the tile is too large, or out of order")
    if len(data) != _HEADER.size + sum(lengths):
        raise FrameError("the tile is cut short, or too long")
    offsets = np.cumsum([_HEADER.size, *lengths]).tolist()
    index, *planes = (memoryview(data)[a:b] for a, b in pairwise(offsets))
    numbers = np.frombuffer(_decompress(index, 4 * (tokens + moves)), "<u4")
    counts, steps = numbers[:tokens], numbers[tokens:] + np.uint32(first)
    cells = tuple(
        np.frombuffer(plane if len(plane) == moves * dim else _decompress(plane, moves * dim), np.uint8)
        for plane in planes
    )
    starts = np.concatenate([[0], np.cumsum(counts, dtype=np.int64)])
    if starts[-1] != moves or (moves and int(steps.max()) > last):
        raise FrameError("the tile's moves do not add up")
    inside = np.ones(moves, dtype=bool)
    inside[starts[:-1][counts > 0]] = False
    if (steps[1:] <= steps[:-1])[inside[1:]].any():
        raise FrameError("the tile's steps are out of order")
    return Tile(
        attempt,
        first,
        last,
        first_token,
        dim,
        starts,
        steps,
        order,
        tuple(plane.reshape(moves, dim) for plane in cells),
    )


def _pack_planes(differences: NDArray[np.uint32]) -> list[bytes]:
    """Return the four byte planes of the zigzag-coded differences, lowest first, each compressed or raw."""
    codes = (differences << np.uint32(1)) ^ np.negative(differences >> np.uint32(31))
    planes = codes.astype("<u4", copy=False).view(np.uint8).reshape(-1, 4).T
    found: list[bytes] = []
    for plane in planes:
        plain = plane.tobytes()
        packed = zstandard.ZstdCompressor(level=_LEVEL).compress(plain)
        found.append(packed if len(packed) < _MAX_COMPRESSED_SHARE * len(plain) else plain)
    return found


def _decompress(packed: memoryview, size: int) -> bytes:
    """Decompress data whose size must be `size`; the size is checked before decompression. Raises FrameError
    if the size differs, or the data is damaged.
    """
    try:
        if zstandard.frame_content_size(packed) != size:
            raise FrameError("the tile does not have the size it states")
        return zstandard.ZstdDecompressor().decompress(packed, max_output_size=size)
    except zstandard.ZstdError as error:
        raise FrameError(f"the tile is damaged: {error}") from error


def _difference_rows(
    values: NDArray[np.uint32], begins: NDArray[np.int64], before: NDArray[np.uint32] | None
) -> NDArray[np.uint32]:
    """Return each row minus the previous one; rows at `begins` minus `before`, or unchanged if `before` is None."""
    out = values.copy()
    out[1:] -= values[:-1]
    out[begins] = values[begins] if before is None else values[begins] - before
    return out


def _cumulative_sum(differences: NDArray[np.uint32], order: int) -> NDArray[np.uint32]:
    for _ in range(order):
        np.cumsum(differences, axis=0, out=differences)
    return differences


def _difference_weights(
    nth: NDArray[np.int64], by_late: NDArray[np.int64], by_early: NDArray[np.int64], order: int
) -> NDArray[np.uint32]:
    """Return the weight of each token's nth difference (from 0, shape (N,)) of an order, 1 or 2, in the sum
    of its moves between two steps. `by_late`, `by_early`: moves of the token up to either step, shape
    (N,).
    """
    if order == 1:
        return (nth >= by_early).astype(np.uint32)
    return (by_late - np.maximum(nth, by_early)).astype(np.uint32)


def _ranks_of_floats(values: Floats) -> NDArray[np.uint32]:
    """Map floats to integers of the same order, one to one for all bit patterns."""
    bits = np.ascontiguousarray(values, dtype=np.float32).view(np.uint32)
    return bits ^ (np.negative(bits >> np.uint32(31)) | np.uint32(0x8000_0000))


def _floats_of_ranks(ranks: NDArray[np.uint32]) -> Floats:
    bits = ranks ^ ((ranks >> np.uint32(31)) - np.uint32(1) | np.uint32(0x8000_0000))
    return bits.view(np.float32)
