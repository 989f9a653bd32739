"""The exact nearest neighbours of a moving embedding, by cosine or by Euclid, updated from frame to frame.

By Euclid, read "squared distance below zero" for "cosine": of both, more is nearer.

A row that moved is ranked against all others. The moved rows are also removed from the lists of all other
rows, and inserted again where they are near enough; no other entry can have changed. Lists are longer than
requested (`SLACK`), so that losing a neighbour does not force a new ranking, and each has an *edge*: the list
holds every row at least as near as that. A row is ranked against all again only where fewer neighbours are
left than were requested.

The result equals that of `geometry.neighbours.nearest_rows`, to the rounding of a float32 product. Memory is
bounded: one block of similarities, and about 12 bytes per list entry.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray

from living_map.gpu_neighbours import RowProducts, make_row_products
from living_map.metrics import Metric, comparable_rows, ways_moved
from living_map.neighbour_lists import NeighbourLists, take_lists
from living_map.rows import differing_rows

_PRODUCTS = 16 << 20
"""Products held at once, 64 MB: a matrix product of 83 rows with 50,000 others takes 1.6 times as long a row as one of 336."""
SLACK = 0.5
"""Additional entries in each list, as a fraction of the requested ones."""
REFRESH_PERIOD = 256
"""Frames within which every row is ranked again at least once, a few rows in each frame, if that takes no more than
`MAX_REFRESHED` of them."""
MAX_REFRESHED = 64
"""Maximum rows ranked again in a frame only because it is their turn."""
_SCANNED = 64
"""Cosines that are looked at together, to pass over those where no row is near."""
MAX_MOVED_SHARE = 0.5
"""Share of moved rows above which all rows are ranked, since repairing would cost as much."""


@dataclass(frozen=True)
class NeighbourUpdate:
    """The result of one update."""

    moved: int
    """Number of rows that differ from the last frame."""
    ranked: int
    """Number of rows that were ranked against all others."""
    changed: NDArray[np.bool_]
    """Shape (V,): True for tokens whose neighbours, or the cosines with them, changed."""


class KnownNeighbours(NamedTuple):
    """The `k` nearest neighbours of every row of an embedding, as an index found them."""

    ids: NDArray[np.int32]
    """Shape (V, k)."""
    cosines: NDArray[np.float32]
    """Shape (V, k), as computed: rounding can put them slightly outside of -1 to 1."""


class NeighbourIndex:
    """An index of the `k` nearest neighbours of every row of the last embedding. For one thread only."""

    def __init__(self, k: int, metric: Metric = "cosine") -> None:
        """Start empty; the first `update` lowers `k` to at most V - 1."""
        self.requested_k = k
        self._metric: Metric = metric
        self._k = 0
        self._vectors: NDArray[np.float32] | None = None
        self._next = 0
        self.travelled: NDArray[np.float32] = np.empty(0, dtype=np.float32)
        """Shape (V,): how far each row moved in the last update in which any did; infinite for one that
        has just arrived."""

    @property
    def ids(self) -> NDArray[np.int32]:
        """Return the neighbours' ids, nearest first, equal cosines by id, without the row itself; a view.
        Shape (V, min(k, V - 1))."""
        return self._lists.ids[:, : self._k]

    @property
    def cosines(self) -> NDArray[np.float32]:
        """Return the cosines with the same neighbours; by Euclid, squared distances below zero. Shape (V, min(k, V - 1))."""
        cosines = self._lists.cosines[:, : self._k]
        return np.clip(cosines, -1, 1) if self._metric == "cosine" else np.minimum(cosines, 0)

    @property
    def distances(self) -> NDArray[np.float32]:
        """Return the distances to the same neighbours: 1 less the cosine, or Euclid's. Shape (V, min(k, V - 1))."""
        if self._metric == "cosine":
            return np.maximum(np.float32(0), np.float32(1) - self.cosines)
        return np.sqrt(-self.cosines)

    def known(self) -> KnownNeighbours:
        """Return a copy of the neighbours, for a later `update` to the same embedding."""
        return KnownNeighbours(self.ids.copy(), self._lists.cosines[:, : self._k].copy())

    def update(self, vectors: NDArray[np.float32], known: KnownNeighbours | None = None) -> NeighbourUpdate:
        """Update to the next embedding, shape (V, D). Rows that moved are found by comparison with the last
        one.

        `known`: the neighbours in this embedding, from an index for as many; they are taken instead of ranking all rows.
        """
        last = self._vectors
        if last is None or last.shape != vectors.shape:
            self._allocate(vectors)
            return self._rank_all(len(vectors), known)
        moved = differing_rows(vectors, last)
        if len(moved) == 0:
            return NeighbourUpdate(0, 0, np.zeros(len(vectors), dtype=np.bool_))
        rows = vectors[moved]
        self.travelled[:] = 0
        self.travelled[moved] = ways_moved(rows, last[moved], self._metric)
        last[moved] = rows
        self._products.replace(moved, comparable_rows(rows, self._metric, self._centre))
        if len(moved) > MAX_MOVED_SHARE * len(vectors):
            return self._rank_all(len(moved), known)
        return self._repair(moved, np.zeros(len(vectors), dtype=np.bool_))

    def exchange_rows(self, stay: NDArray[np.int64], vectors: NDArray[np.float32]) -> NeighbourUpdate:
        """Drop rows and append others, and update to the next embedding.

        Args:
            stay: shape (S,), ascending: the rows of the last embedding that remain, as the first S of the next.
            vectors: shape (V, D), the next embedding: rows that stay, which may have moved, then those that arrive.
        """
        last, size = self._vectors, len(vectors)
        if (
            last is None
            or last.shape[1] != vectors.shape[1]
            or size - len(stay) > MAX_MOVED_SHARE * size
            or self._list_length(size) != self._lists.ids.shape[1]
            or min(self.requested_k, size - 1) != self._k
        ):
            self._allocate(vectors)
            return self._rank_all(size, None)
        moved = differing_rows(vectors[: len(stay)], last[stay])
        ways = ways_moved(vectors[moved], last[stay[moved]], self._metric)
        before = self._lists
        self._allocate(vectors)
        self.travelled[: len(stay)] = 0
        self.travelled[moved] = ways
        changed = np.zeros(size, dtype=np.bool_)
        take_lists(before, stay, self._k, self._lists, changed)
        return self._repair(np.concatenate((moved, np.arange(len(stay), size))), changed)

    def _list_length(self, size: int) -> int:
        """Return the number of entries of a list among `size` rows, slack included."""
        k = min(self.requested_k, size - 1)
        return min(size - 1, k + max(8, int(SLACK * k)))

    def _allocate(self, vectors: NDArray[np.float32]) -> None:
        size = len(vectors)
        self._k = min(self.requested_k, size - 1)
        kept = self._list_length(size)
        self._vectors = np.array(vectors, dtype=np.float32, order="C")
        self.travelled = np.full(size, np.inf, dtype=np.float32)
        self._centre = np.asarray(vectors, dtype=np.float32).mean(axis=0)
        rows = comparable_rows(vectors, self._metric, self._centre)
        self._products: RowProducts = make_row_products(rows, self._metric)
        self._lists = NeighbourLists(
            ids=np.zeros((size, kept), dtype=np.int32),
            cosines=np.zeros((size, kept), dtype=np.float32),
            counts=np.zeros(size, dtype=np.int32),
            edge_ids=np.zeros(size, dtype=np.int32),
            edges=np.zeros(size, dtype=np.float32),
        )
        self._block = np.empty((max(1, min(size, _PRODUCTS // size)), size), dtype=np.float32)

    def _rank_all(self, moved_count: int, known: KnownNeighbours | None) -> NeighbourUpdate:
        size, k = len(self._lists.ids), self._k
        if known is None:
            self._rank_pairs()
        elif k:
            # Lists without slack, each of which ends at its edge.
            self._lists.ids[:, :k], self._lists.cosines[:, :k] = known
            self._lists.edge_ids[:], self._lists.edges[:] = known.ids[:, -1], known.cosines[:, -1]
            self._lists.counts[:] = k
        ranked = size if known is None else 0
        return NeighbourUpdate(moved_count, ranked, np.ones(size, dtype=np.bool_))

    def _rank_pairs(self) -> None:
        """Rank all rows. The product of two rows is computed once, for the lists of both."""
        size, room = len(self._lists.ids), self._block.reshape(-1)
        self._lists.counts[:] = 0
        self._lists.edges[:] = -np.inf
        first = 0
        while first < size:
            left = size - first
            # The fewer rows are left to meet, the more fit into a block.
            rows = np.arange(first, first + min(left, len(room) // left))
            similar = room[: len(rows) * left].reshape(len(rows), left)
            _rank_pairs_of(self._products.multiply(rows, similar, first), first, self._lists)
            first += len(rows)

    def _repair(self, moved: NDArray[np.int64], changed: NDArray[np.bool_]) -> NeighbourUpdate:
        """Repair the lists after rows moved; `changed`, shape (V,), names those that changed before, and is changed."""
        size = len(self._lists.ids)
        is_moved = np.zeros(size, dtype=np.bool_)
        is_moved[moved] = True
        changed[moved] = True
        _remove_moved(self._lists, self._k, is_moved, changed)
        for some, similar in self._rank_blocks(moved):
            _insert_moved(similar, some, self._lists, self._k, is_moved, changed)
        poor = self._lists.counts < self._k
        # In addition to rows with too few neighbours, rank a few in turn.
        turn = (self._next + np.arange(min(MAX_REFRESHED, -(-size // REFRESH_PERIOD)))) % size
        self._next = int(turn[-1]) + 1
        poor[turn] = True
        poor[moved] = False
        reranked = np.flatnonzero(poor)
        for _ in self._rank_blocks(reranked):
            pass
        changed[reranked] = True
        return NeighbourUpdate(len(moved), len(moved) + len(reranked), changed)

    def _rank_blocks(
        self, rows: NDArray[np.int64]
    ) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float32]]]:
        """Rank rows against all, block by block; yields each block's rows, (B,), and cosines, (B, V)."""
        for start in range(0, len(rows), len(self._block)):
            some = rows[start : start + len(self._block)]
            similar = self._products.multiply(some, self._block[: len(some)])
            _rank(similar, some, self._lists)
            yield some, similar


@numba.njit(cache=True)
def _remove_moved(
    lists: NeighbourLists, k: int, has_moved: NDArray[np.bool_], changed: NDArray[np.bool_]
) -> None:
    """Remove the rows that moved from the lists of the others."""
    ids, cosines, counts = lists.ids, lists.cosines, lists.counts
    for row in range(ids.shape[0]):
        if has_moved[row]:
            continue
        count = 0
        for index in range(counts[row]):
            if has_moved[ids[row, index]]:
                if index < k:
                    changed[row] = True
                continue
            ids[row, count] = ids[row, index]
            cosines[row, count] = cosines[row, index]
            count += 1
        counts[row] = count


@numba.njit(cache=True, inline="always")
def _insert(
    ids: NDArray[np.int32], cosines: NDArray[np.float32], count: int, cosine: float, token: int
) -> int:
    """Insert a token into a sorted list of `count` entries, dropping the last if it is full. Returns its
    index."""
    index = min(count, len(ids) - 1)
    while index > 0 and (
        cosine > cosines[index - 1] or (cosine == cosines[index - 1] and token < ids[index - 1])
    ):
        ids[index] = ids[index - 1]
        cosines[index] = cosines[index - 1]
        index -= 1
    ids[index] = token
    cosines[index] = cosine
    return index


@numba.njit(cache=True, inline="always")
def _set_edge(lists: NeighbourLists, row: int) -> None:
    """Set the edge of a full list to its last entry, or beyond every row if it holds them all."""
    size, kept = lists.ids.shape
    if kept == size - 1:
        lists.edges[row], lists.edge_ids[row] = -np.inf, size
    else:
        lists.edges[row], lists.edge_ids[row] = lists.cosines[row, kept - 1], lists.ids[row, kept - 1]


@numba.njit(cache=True, inline="always")
def _any_reach(cosines: NDArray[np.float32], bounds: NDArray[np.float32], least: np.float32) -> bool:
    """Return whether one of some cosines, shape (N,), is at least its own bound, or at least `least`.

    Without a branch in it, this is compiled to vector instructions.
    """
    found = np.int32(0)
    for index in range(len(cosines)):
        found += np.int32(cosines[index] >= min(bounds[index], least))
    return bool(found > 0)


@numba.njit(cache=True)
def _rank(similar: NDArray[np.float32], rows: NDArray[np.int64], lists: NeighbourLists) -> None:
    """Rebuild the lists of `rows`, shape (B,), from their cosines with all, shape (B, V)."""
    size, kept = similar.shape[1], lists.ids.shape[1]
    for b in range(len(rows)):
        row = rows[b]
        own_ids, own = lists.ids[row], lists.cosines[row]
        # The old neighbours give a lower bound: at least that many rows are this near.
        near_enough = np.float32(-np.inf)
        if lists.counts[row] == kept:
            near_enough = np.float32(np.inf)
            for index in range(kept):
                near_enough = min(near_enough, similar[b, own_ids[index]])
        count = 0
        least = np.float32(-np.inf)
        for token in range(size):
            cosine = similar[b, token]
            # Tokens come in order of id, so an equal cosine ranks after those already in the list.
            if cosine < near_enough or cosine <= least or token == row:
                continue
            _insert(own_ids, own, count, cosine, token)
            if count < kept:
                count += 1
            if count == kept:
                least = own[kept - 1]
        lists.counts[row] = count
        _set_edge(lists, row)


@numba.njit(cache=True)
def _rank_pairs_of(similar: NDArray[np.float32], first: int, lists: NeighbourLists) -> None:
    """Insert a block of rows into the lists of the later rows, and those into its lists.

    Args:
        similar: shape (B, V - first), the cosines of the rows from `first` on with all from there on.
        first: the first row of the block. Blocks come in ascending order.
        lists: the lists; the edge of one that is not full is at -inf.
    """
    count, kept = len(similar), lists.ids.shape[1]
    size = first + similar.shape[1]
    edges = lists.edges
    for b in range(count):
        row = first + b
        least = edges[row]
        for start in range(row + 1, size, _SCANNED):
            some = similar[b, start - first : start - first + _SCANNED]
            if not _any_reach(some, edges[start : start + _SCANNED], least):
                continue
            for index in range(len(some)):
                token, cosine = start + index, some[index]
                # Each list is given rows in ascending order, so an equal cosine ranks after those already in it.
                if cosine > edges[token]:
                    _append(lists, token, cosine, row, kept)
                if cosine > least:
                    _append(lists, row, cosine, token, kept)
                    least = edges[row]
    # A block's rows have met all others now.
    for b in range(count):
        _set_edge(lists, first + b)


@numba.njit(cache=True, inline="always")
def _append(lists: NeighbourLists, row: int, cosine: float, token: int, kept: int) -> None:
    """Insert a token into the list of a row while all are ranked."""
    count = lists.counts[row]
    _insert(lists.ids[row], lists.cosines[row], count, cosine, token)
    lists.counts[row] = min(count + 1, kept)
    if lists.counts[row] == kept:
        lists.edges[row] = lists.cosines[row, kept - 1]


@numba.njit(cache=True)
def _insert_moved(
    similar: NDArray[np.float32],
    rows: NDArray[np.int64],
    lists: NeighbourLists,
    k: int,
    has_moved: NDArray[np.bool_],
    changed: NDArray[np.bool_],
) -> None:
    """Insert `rows`, which moved, into the list of every row that did not move and is near enough."""
    size, kept = similar.shape[1], lists.ids.shape[1]
    counts, edges, edge_ids = lists.counts, lists.edges, lists.edge_ids
    for b in range(len(rows)):
        token = rows[b]
        for row in range(size):
            cosine = similar[b, row]
            if cosine < edges[row] or has_moved[row]:
                continue
            if cosine == edges[row] and token > edge_ids[row]:
                continue
            index = _insert(lists.ids[row], lists.cosines[row], counts[row], cosine, token)
            if index < k:
                changed[row] = True
            counts[row] = min(counts[row] + 1, kept)
            if counts[row] == kept:
                _set_edge(lists, row)
