"""The source of nearest neighbours for trust and districts: the layout method's, or computed here."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lamplighter.geometry.neighbours import all_nearest
from lamplighter.projection.layout_method import NEIGHBOURS_USED

if TYPE_CHECKING:
    from lamplighter.projection.layout_method import LayoutMethod
    from living_map.nearest_neighbours import NeighbourIndex

_MAX_UNCOMPILED = 5_000
"""Largest number of tokens for which neighbours are computed without compiled code."""

NearestNeighbours = tuple[NDArray[np.int32], NDArray[np.float32]]


class NeighbourSource:
    """The nearest neighbours in the embedding, frame by frame. For the main thread only."""

    def __init__(self) -> None:
        self._own: NeighbourIndex | None = None

    def find(self, vectors: NDArray[np.float32], method: LayoutMethod | None) -> NearestNeighbours | None:
        """Return each token's nearest, nearest first, without itself, and their cosines, (V, K) each.

        `method`: the one that drew this embedding; None before the first, while no code is compiled. None if
        it would take too long now.
        """
        if method is None:
            return all_nearest(vectors, NEIGHBOURS_USED) if len(vectors) <= _MAX_UNCOMPILED else None
        if len(vectors) <= 2:
            return None
        kept: NearestNeighbours | None = getattr(method, "nearest", None)
        if kept is not None and kept[0].shape[1] >= min(NEIGHBOURS_USED, len(vectors) - 1):
            self._own = None
            return kept[0][:, :NEIGHBOURS_USED], kept[1][:, :NEIGHBOURS_USED]
        from living_map.nearest_neighbours import NeighbourIndex

        self._own = self._own or NeighbourIndex(NEIGHBOURS_USED)
        self._own.update(vectors)
        return self._own.ids, self._own.cosines
