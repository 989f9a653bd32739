"""The exact nearest neighbours of a moving embedding, by cosine or by Euclid, updated from frame to frame.

By Euclid, read "squared distance below zero" for "cosine": of both, more is nearer.

A row that moved is ranked against all others. The moved rows are also removed from the lists of all other
rows, and inserted again where they are near enough; no other entry can have changed. Lists are longer than
requested (`SLACK`), so that losing a neighbour does not force a new ranking, and each has an *edge*: the list
holds every row at least as near as that. A row is ranked against all again only where fewer neighbours are
left than were requested.

The result equals that of ranking all rows again, to the rounding of a float32 product. Memory is
bounded: one block of similarities, and about 12 bytes per list entry.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray

from living_map.gpu_neighbours import RowProducts, make_row_products
from living_map.ranking import (
    NeighbourLists,
    empty_lists,
    insert_later,
    insert_moved,
    rank_tile,
    remove_moved,
    take_near,
)
from living_map.rows import Metric, comparable_rows, differing_rows, ways_moved
from living_map.two_threads import run_each, split_range

SLACK = 0.5
"""Additional entries in each list, as a fraction of the requested ones."""
REFRESH_PERIOD = 256
"""Frames within which every row is ranked again at least once, a few rows in each frame, if that takes no more than
`MAX_REFRESHED` of them."""
MAX_REFRESHED = 64
"""Maximum rows ranked again in a frame only because it is their turn."""
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
        """Return the neighbours' ids, nearest first, equal cosines by id, as a view, (V, min(k, V - 1))."""
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
        """Update to the next embedding, (V, D). Rows that moved are found by comparison with the last one.
        `known`: the neighbours in this embedding, from an index for as many, in place of ranking all rows.
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
        """Drop rows and append others, and update to the next embedding. `stay`: shape (S,), ascending: the
        rows of the last embedding that remain, as the first S of `vectors`, (V, D); they may have moved.
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
        _take_lists(before, stay, self._k, self._lists, changed)
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
        self._lists = empty_lists(size, kept)

    def _rank_all(self, moved_count: int, known: KnownNeighbours | None) -> NeighbourUpdate:
        size, k = len(self._lists.ids), self._k
        if known is None:
            self._lists.counts[:] = 0
            self._lists.edges[:] = -np.inf
            # The product of two rows is computed once, for the lists of both.
            for rows in self._blocks(np.arange(size)):
                self._rank_block(rows, int(rows[0]))
        elif k:
            # Lists without slack, each of which ends at its edge.
            self._lists.ids[:, :k], self._lists.cosines[:, :k] = known
            self._lists.edge_ids[:], self._lists.edges[:] = known.ids[:, -1], known.cosines[:, -1]
            self._lists.counts[:] = k
        ranked = size if known is None else 0
        return NeighbourUpdate(moved_count, ranked, np.ones(size, dtype=np.bool_))

    def _repair(self, moved: NDArray[np.int64], changed: NDArray[np.bool_]) -> NeighbourUpdate:
        """Repair the lists after rows moved; `changed`, shape (V,), names those that changed before, and is changed."""
        size = len(self._lists.ids)
        is_moved = np.zeros(size, dtype=np.bool_)
        is_moved[moved] = True
        changed[moved] = True
        lists, k = self._lists, self._k
        run_each(lambda part: remove_moved(lists, k, is_moved, changed, *part), split_range(size))
        for some in self._blocks(moved):
            self._rank_block(some, moves=(is_moved, changed))
        poor = lists.counts < k
        # In addition to rows with too few neighbours, rank a few in turn.
        turn = (self._next + np.arange(min(MAX_REFRESHED, -(-size // REFRESH_PERIOD)))) % size
        self._next = int(turn[-1]) + 1
        poor[turn] = True
        poor[moved] = False
        reranked = np.flatnonzero(poor)
        for some in self._blocks(reranked):
            self._rank_block(some)
        changed[reranked] = True
        # A bound can be too high, because of rounding or of a wrong list; a list that is not full has none.
        for some in self._blocks(np.flatnonzero((is_moved | poor) & (lists.counts < lists.ids.shape[1]))):
            self._rank_block(some)
        return NeighbourUpdate(len(moved), len(moved) + len(reranked), changed)

    def _blocks(self, rows: NDArray[np.int64]) -> list[NDArray[np.int64]]:
        """Return rows, shape (N,), in blocks that are ranked together."""
        count = self._products.tile(len(self._lists.ids), max(1, len(rows)))[0]
        return [rows[start : start + count] for start in range(0, len(rows), count)]

    def _rank_block(
        self,
        rows: NDArray[np.int64],
        first: int | None = None,
        moves: tuple[NDArray[np.bool_], NDArray[np.bool_]] | None = None,
    ) -> None:
        """Rank a block of rows, shape (B,), ascending, against all.

        `first`: the first of them where all rows are ranked, block by block: they meet only those after them,
        whose lists get them in turn. `moves`: for rows that moved, which are inserted into the lists of the
        others: all rows that moved, shape (V,), and those whose first neighbours change, likewise, which is
        changed.
        """
        lists, products, size = self._lists, self._products, len(self._lists.ids)
        later = first is not None
        queries, width = products.queries(rows), products.tile(size, len(rows))[1]
        if later:
            bounds = lists.edges[rows]
        else:
            # At least as many rows as fill a list are as near as the farthest of its old entries now is.
            full = lists.counts[rows] == lists.ids.shape[1]
            bounds = np.where(full, products.least(queries, lists.ids[rows]), -np.inf)
            lists.counts[rows] = 0
            lists.edges[rows] = -np.inf

        def rank_in(part: tuple[int, int]) -> NeighbourLists:
            near = empty_lists(len(rows), lists.ids.shape[1])
            near.edges[:] = bounds
            room = np.empty(len(rows) * min(width, part[1] - part[0]), dtype=np.float32)
            for begin in range(*part, width):
                end = min(begin + width, part[1])
                similar = room[: len(rows) * (end - begin)].reshape(len(rows), -1)
                products.multiply(queries, begin, end, similar)
                rank_tile(similar, rows, begin, later, near)
                if later:
                    insert_later(similar, rows, begin, lists)
                elif moves is not None:
                    insert_moved(similar, rows, begin, lists, self._k, *moves)
            return near

        found = run_each(rank_in, split_range(size, first or 0))
        for number, near in enumerate(found, 1):
            take_near(near, rows, lists, number == len(found))


@numba.njit(cache=True)
def _take_lists(
    before: NeighbourLists, stay: NDArray[np.int64], k: int, lists: NeighbourLists, changed: NDArray[np.bool_]
) -> None:
    """Copy the lists of the rows that stay under their new numbers, without the rows that leave."""
    new_ids = np.full(before.ids.shape[0], -1, dtype=np.int32)
    for row in range(len(stay)):
        new_ids[stay[row]] = row
    for row, old in enumerate(stay):
        count = 0
        for index in range(before.counts[old]):
            token = new_ids[before.ids[old, index]]
            if token >= 0:
                lists.ids[row, count] = token
                lists.cosines[row, count] = before.cosines[old, index]
                count += 1
            elif index < k:
                changed[row] = True
        lists.counts[row] = count
        lists.edges[row] = before.edges[old]
        # The order of ids is kept, so that a neighbour that came before the edge still does.
        lists.edge_ids[row] = np.searchsorted(stay, before.edge_ids[old])
