"""Compiled loops that rank rows by their cosines, tile by tile.

A tile holds the cosines of a block of rows with a range of others, and is small enough to stay in the cache until it has been
looked through.
"""

from __future__ import annotations

from typing import NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray


class NeighbourLists(NamedTuple):
    """A list of neighbours for each row, nearest first, equal cosines by id."""

    ids: NDArray[np.int32]
    """Shape (V, K)."""
    cosines: NDArray[np.float32]
    """Shape (V, K)."""
    counts: NDArray[np.int32]
    """Shape (V,), the length of each list."""
    edge_ids: NDArray[np.int32]
    """Shape (V,), like `edges`: each list holds every row at least as near as this one."""
    edges: NDArray[np.float32]


def empty_lists(size: int, kept: int) -> NeighbourLists:
    return NeighbourLists(
        ids=np.zeros((size, kept), dtype=np.int32),
        cosines=np.zeros((size, kept), dtype=np.float32),
        counts=np.zeros(size, dtype=np.int32),
        edge_ids=np.zeros(size, dtype=np.int32),
        edges=np.zeros(size, dtype=np.float32),
    )


_SCANNED = 64
"""Cosines that are looked at together, to pass over those where no row is near."""
ROUNDING = 1e-5
"""How much less than a product, relative to its size or 1, the same product may be by another order of summation."""


@numba.njit(cache=True, inline="always")
def insert(
    ids: NDArray[np.int32], cosines: NDArray[np.float32], count: int, cosine: float, token: int
) -> int:
    """Insert a token into a sorted list of `count` entries, dropping the last if full. Returns its index."""
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
def _append(lists: NeighbourLists, row: int, cosine: float, token: int) -> None:
    """Insert a token, which is nearer than the edge, into a list whose edge is at -inf until it is full."""
    kept = lists.ids.shape[1]
    count = lists.counts[row]
    insert(lists.ids[row], lists.cosines[row], count, cosine, token)
    lists.counts[row] = min(count + 1, kept)
    if lists.counts[row] == kept:
        lists.edges[row] = lists.cosines[row, kept - 1]


@numba.njit(cache=True, inline="always")
def _set_edge(lists: NeighbourLists, row: int) -> None:
    """Set the edge of a full list to its last entry, or beyond every row if it holds them all."""
    size, kept = lists.ids.shape
    if kept == size - 1:
        lists.edges[row], lists.edge_ids[row] = -np.inf, size
    else:
        lists.edges[row], lists.edge_ids[row] = lists.cosines[row, kept - 1], lists.ids[row, kept - 1]


@numba.njit(cache=True, inline="always")
def _any_reach(cosines: NDArray[np.float32], bounds: NDArray[np.float32]) -> bool:
    """Return whether one of some cosines, shape (N,), is at least its own bound. Without a branch in it, this
    is compiled to vector instructions.
    """
    found = np.int32(0)
    for index in range(len(cosines)):
        found += np.int32(cosines[index] >= bounds[index])
    return bool(found > 0)


@numba.njit(cache=True, inline="always")
def _any_above(cosines: NDArray[np.float32], bound: np.float32) -> bool:
    """Return whether one of some cosines, shape (N,), is above a bound; vector instructions, too."""
    found = np.int32(0)
    for index in range(len(cosines)):
        found += np.int32(cosines[index] > bound)
    return bool(found > 0)


@numba.njit(cache=True, nogil=True, fastmath=True)
def least_products(
    queries: NDArray[np.float32],
    rows: NDArray[np.float32],
    ids: NDArray[np.int32],
    found: NDArray[np.float32],
    first: int,
    end: int,
) -> None:
    """Write the least product of each query from `first` to `end` with the rows `ids`, shape (B, K), into `found`, shape (B,)."""
    for b in range(first, end):
        query = queries[b]
        least = np.float32(np.inf)
        for index in range(ids.shape[1]):
            other = rows[ids[b, index]]
            product = np.float32(0)
            for column in range(len(query)):
                product += query[column] * other[column]
            least = min(least, product)
        found[b] = least - np.float32(ROUNDING) * (np.float32(1) + abs(least))


@numba.njit(cache=True, nogil=True)
def rank_tile(
    similar: NDArray[np.float32], rows: NDArray[np.int64], first: int, later: bool, near: NeighbourLists
) -> None:
    """Insert a tile's rows into the lists of the block's.

    `similar`: shape (B, T), the cosines of the block's rows, (B,), with those from `first` on. Tiles come in
    ascending order. `later`: whether a row meets only those after it. `near`: B lists; the edge of one that
    is not full is a bound that its rows must exceed.
    """
    for b in range(len(rows)):
        row = rows[b]
        least = near.edges[b]
        begin = max(0, row + 1 - first) if later else 0
        for start in range(begin, similar.shape[1], _SCANNED):
            some = similar[b, start : start + _SCANNED]
            if not _any_above(some, least):
                continue
            for index in range(len(some)):
                token = first + start + index
                # Tokens come in order of id, so an equal cosine ranks after those already in the list.
                if some[index] > least and token != row:
                    _append(near, b, some[index], token)
                    least = near.edges[b]


@numba.njit(cache=True, nogil=True)
def insert_later(
    similar: NDArray[np.float32], rows: NDArray[np.int64], first: int, lists: NeighbourLists
) -> None:
    """Insert a block's rows into the lists of those of a tile's rows that come after them, while all are ranked.

    The arguments are those of `rank_tile`; `lists`: those of all rows. Blocks come in ascending order.
    """
    edges = lists.edges
    for b in range(len(rows)):
        row = rows[b]
        for start in range(max(0, row + 1 - first), similar.shape[1], _SCANNED):
            some = similar[b, start : start + _SCANNED]
            begin = first + start
            if not _any_reach(some, edges[begin : begin + _SCANNED]):
                continue
            for index in range(len(some)):
                if some[index] > edges[begin + index]:
                    _append(lists, begin + index, some[index], row)


@numba.njit(cache=True, nogil=True)
def insert_moved(
    similar: NDArray[np.float32],
    rows: NDArray[np.int64],
    first: int,
    lists: NeighbourLists,
    k: int,
    has_moved: NDArray[np.bool_],
    changed: NDArray[np.bool_],
) -> None:
    """Insert a block's rows, which moved, into the list of every row of a tile that did not move and is near
    enough. The arguments are those of `rank_tile`, and those of `remove_moved`.
    """
    kept = lists.ids.shape[1]
    counts, edges, edge_ids = lists.counts, lists.edges, lists.edge_ids
    for b in range(len(rows)):
        token = rows[b]
        for start in range(0, similar.shape[1], _SCANNED):
            some = similar[b, start : start + _SCANNED]
            begin = first + start
            if not _any_reach(some, edges[begin : begin + _SCANNED]):
                continue
            for at in range(len(some)):
                row, cosine = begin + at, some[at]
                if cosine < edges[row] or has_moved[row]:
                    continue
                if cosine == edges[row] and token > edge_ids[row]:
                    continue
                index = insert(lists.ids[row], lists.cosines[row], counts[row], cosine, token)
                if index < k:
                    changed[row] = True
                counts[row] = min(counts[row] + 1, kept)
                if counts[row] == kept:
                    _set_edge(lists, row)


@numba.njit(cache=True, nogil=True)
def take_near(near: NeighbourLists, rows: NDArray[np.int64], lists: NeighbourLists, last: bool) -> None:
    """Insert what `rank_tile` found in a range into the lists of the block's rows. Ranges come in ascending
    order. `last`: whether it is the last range, after which the lists have met all rows.
    """
    for b in range(len(rows)):
        row = rows[b]
        for index in range(near.counts[b]):
            if near.cosines[b, index] > lists.edges[row]:
                _append(lists, row, near.cosines[b, index], near.ids[b, index])
        if last:
            _set_edge(lists, row)


@numba.njit(cache=True, nogil=True)
def remove_moved(
    lists: NeighbourLists,
    k: int,
    has_moved: NDArray[np.bool_],
    changed: NDArray[np.bool_],
    first: int,
    end: int,
) -> None:
    """Remove the rows that moved, (V,), from the lists of the others, from `first` to `end`. `changed`: shape
    (V,), set for a list of whose first `k` one is removed.
    """
    ids, cosines, counts = lists.ids, lists.cosines, lists.counts
    for row in range(first, end):
        if has_moved[row]:
            continue
        count = 0
        for index in range(counts[row]):
            if has_moved[ids[row, index]]:
                if index < k:
                    changed[row] = True
                continue
            if count < index:
                ids[row, count] = ids[row, index]
                cosines[row, count] = cosines[row, index]
            count += 1
        counts[row] = count
