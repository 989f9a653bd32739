"""Lists of neighbours, and what becomes of them when rows arrive and leave."""

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


@numba.njit(cache=True)
def take_lists(
    before: NeighbourLists, stay: NDArray[np.int64], k: int, lists: NeighbourLists, changed: NDArray[np.bool_]
) -> None:
    """Copy the lists of the rows that stay under their new numbers, without the rows that leave."""
    new_ids = np.full(before.ids.shape[0], -1, dtype=np.int32)
    for row in range(len(stay)):
        new_ids[stay[row]] = row
    for row in range(len(stay)):
        old = stay[row]
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
