"""The exact nearest neighbours of a space that moves, kept from frame to frame.

A row that moved is ranked against all others. Of every other row, the moved ones are struck off its list and
those that are near enough now are put in; nothing else can have changed. So that a row that lost a neighbour
need not be ranked anew each time, lists are longer than asked for (`SLACK`), and each has an *edge*: it holds
every row at least as near as that. Only where fewer are left than are asked for is the row ranked against
all again.

The result is that of `geometry.neighbours.nearest`, to the rounding of a float32 product. Memory is bounded:
one block of similarities, and some 12 bytes an entry.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numba
import numpy as np
from numpy.typing import NDArray

from lamplighter.geometry.neighbours import BLOCK_BYTES, differing_rows, unit_rows
from lamplighter.projection.gpu import Products, products_of

SLACK = 0.5
"""Entries kept beyond those asked for, as a share of them."""
CADENCE = 256
"""Frames in which every row is ranked anew at least once, whether it needs to be or not: a few rows in each."""
MOST = 0.5
"""When a larger share of the rows moved, all are ranked: repairing would cost as much."""


@dataclass(frozen=True)
class Refresh:
    """What one update did."""

    moved: int
    """Rows that differ from those of the last frame."""
    ranked: int
    """Rows that were ranked against all others."""
    changed: NDArray[np.bool_]
    """Shape (V,): whose neighbours, or the cosines with them, are not what they were."""


class Neighbours:
    """The `k` nearest of every row, of the last space given. One thread only."""

    def __init__(self, k: int) -> None:
        """Nothing is known before the first `update`; `k` is lowered to V - 1 there."""
        self.wanted = k
        self._k = 0
        self._vectors: NDArray[np.float32] | None = None
        self._next = 0

    @property
    def ids(self) -> NDArray[np.int32]:
        """Nearest first, equal cosines by id, the row itself left out; a view. Shape (V, min(k, V - 1))."""
        return self._ids[:, : self._k]

    @property
    def cosines(self) -> NDArray[np.float32]:
        """Of the same neighbours. Shape (V, min(k, V - 1))."""
        return np.clip(self._cosines[:, : self._k], -1, 1)

    def update(self, vectors: NDArray[np.float32]) -> Refresh:
        """Take in the next space, shape (V, D). What moved is found by comparing with the last one."""
        last = self._vectors
        if last is None or last.shape != vectors.shape:
            self._begin(vectors)
            return self._all(len(vectors))
        moved = differing_rows(vectors, last)
        if len(moved) == 0:
            return Refresh(0, 0, np.zeros(len(vectors), dtype=np.bool_))
        rows = vectors[moved]
        last[moved] = rows
        self._products.replace(moved, unit_rows(rows))
        if len(moved) > MOST * len(vectors):
            return self._all(len(moved))
        return self._repair(moved)

    def _begin(self, vectors: NDArray[np.float32]) -> None:
        size = len(vectors)
        self._k = min(self.wanted, size - 1)
        kept = min(size - 1, self._k + max(8, int(SLACK * self._k)))
        self._vectors = np.array(vectors, dtype=np.float32, order="C")
        self._products: Products = products_of(unit_rows(vectors))
        self._ids = np.zeros((size, kept), dtype=np.int32)
        self._cosines = np.zeros((size, kept), dtype=np.float32)
        self._counts = np.zeros(size, dtype=np.int32)
        self._edge_ids = np.zeros(size, dtype=np.int32)
        self._edges = np.zeros(size, dtype=np.float32)
        self._block = np.empty((max(1, min(size, BLOCK_BYTES // (4 * size))), size), dtype=np.float32)

    def _all(self, moved: int) -> Refresh:
        size = len(self._ids)
        for _ in self._ranked(np.arange(size)):
            pass
        return Refresh(moved, size, np.ones(size, dtype=np.bool_))

    def _repair(self, moved: NDArray[np.int64]) -> Refresh:
        size = len(self._ids)
        went = np.zeros(size, dtype=np.bool_)
        went[moved] = True
        changed = went.copy()
        _strike(self._ids, self._cosines, self._counts, self._k, went, changed)
        for some, similar in self._ranked(moved):
            _offer(
                similar, some, self._ids, self._cosines, self._counts, self._edges, self._edge_ids,
                self._k, went, changed,
            )  # fmt: skip
        poor = self._counts < self._k
        # Beside those that ran out, a few in turn.
        turn = (self._next + np.arange(-(-size // CADENCE))) % size
        self._next = int(turn[-1]) + 1
        poor[turn] = True
        poor[moved] = False
        again = np.flatnonzero(poor)
        for _ in self._ranked(again):
            pass
        changed[again] = True
        return Refresh(len(moved), len(moved) + len(again), changed)

    def _ranked(self, rows: NDArray[np.int64]) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float32]]]:
        """Rank rows against all, block by block; gives each block's rows, (B,), and cosines, (B, V)."""
        for start in range(0, len(rows), len(self._block)):
            some = rows[start : start + len(self._block)]
            similar = self._products.of(some, self._block[: len(some)])
            _rank(similar, some, self._ids, self._cosines, self._counts, self._edges, self._edge_ids)
            yield some, similar


@numba.njit(cache=True)
def _strike(
    ids: NDArray[np.int32],
    cosines: NDArray[np.float32],
    counts: NDArray[np.int32],
    k: int,
    went: NDArray[np.bool_],
    changed: NDArray[np.bool_],
) -> None:
    """Take the rows that moved off the lists of the others."""
    for row in range(ids.shape[0]):
        if went[row]:
            continue
        count = 0
        for at in range(counts[row]):
            if went[ids[row, at]]:
                if at < k:
                    changed[row] = True
                continue
            ids[row, count] = ids[row, at]
            cosines[row, count] = cosines[row, at]
            count += 1
        counts[row] = count


@numba.njit(cache=True)
def _insert(
    ids: NDArray[np.int32], cosines: NDArray[np.float32], count: int, cosine: float, token: int
) -> int:
    """Put one into a list of `count`, in order; where it is full, the last falls out. Returns where it is."""
    at = min(count, len(ids) - 1)
    while at > 0 and (cosine > cosines[at - 1] or (cosine == cosines[at - 1] and token < ids[at - 1])):
        ids[at] = ids[at - 1]
        cosines[at] = cosines[at - 1]
        at -= 1
    ids[at] = token
    cosines[at] = cosine
    return at


@numba.njit(cache=True)
def _rank(
    similar: NDArray[np.float32],
    rows: NDArray[np.int64],
    ids: NDArray[np.int32],
    cosines: NDArray[np.float32],
    counts: NDArray[np.int32],
    edges: NDArray[np.float32],
    edge_ids: NDArray[np.int32],
) -> None:
    """Make the lists of `rows` anew, shape (B,), from their cosines with all, shape (B, V)."""
    size, kept = similar.shape[1], ids.shape[1]
    for b in range(len(rows)):
        row = rows[b]
        own_ids, own = ids[row], cosines[row]
        # Those that were nearest are near still: as many as are wanted lie at least this near.
        near_enough = np.float32(-np.inf)
        if counts[row] == kept:
            near_enough = np.float32(np.inf)
            for at in range(kept):
                near_enough = min(near_enough, similar[b, own_ids[at]])
        count = 0
        least = np.float32(-np.inf)
        for token in range(size):
            cosine = similar[b, token]
            # Tokens come by id: an equal cosine ranks after those that are there.
            if cosine < near_enough or cosine <= least or token == row:
                continue
            _insert(own_ids, own, count, cosine, token)
            if count < kept:
                count += 1
            if count == kept:
                least = own[kept - 1]
        counts[row] = count
        if kept == size - 1:
            edges[row], edge_ids[row] = -np.inf, size
        else:
            edges[row], edge_ids[row] = own[kept - 1], own_ids[kept - 1]


@numba.njit(cache=True)
def _offer(
    similar: NDArray[np.float32],
    rows: NDArray[np.int64],
    ids: NDArray[np.int32],
    cosines: NDArray[np.float32],
    counts: NDArray[np.int32],
    edges: NDArray[np.float32],
    edge_ids: NDArray[np.int32],
    k: int,
    went: NDArray[np.bool_],
    changed: NDArray[np.bool_],
) -> None:
    """Put `rows`, which moved, into the list of every row that did not move and is near enough."""
    size, kept = similar.shape[1], ids.shape[1]
    for b in range(len(rows)):
        token = rows[b]
        for row in range(size):
            cosine = similar[b, row]
            if cosine < edges[row] or went[row]:
                continue
            if cosine == edges[row] and token > edge_ids[row]:
                continue
            at = _insert(ids[row], cosines[row], counts[row], cosine, token)
            if at < k:
                changed[row] = True
            counts[row] = min(counts[row] + 1, kept)
            if counts[row] == kept and kept < size - 1:
                edges[row], edge_ids[row] = cosines[row, kept - 1], ids[row, kept - 1]
