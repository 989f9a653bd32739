"""Each token's nearest in the space, by which trust and districts go: those the map keeps, or else found here."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lamplighter.geometry.neighbours import all_nearest

if TYPE_CHECKING:
    from lamplighter.projection.method import MapMethod
    from lamplighter.projection.neighbours import Neighbours

REACH = 39
"""Neighbours looked at: as many as the living map keeps, as it is drawn where nobody chose."""
_FEW = 5_000
"""Tokens up to which they are found without what has to be compiled first."""

Nearest = tuple[NDArray[np.int32], NDArray[np.float32]]


class Surroundings:
    """The nearest in the space, frame by frame. Main thread only."""

    def __init__(self) -> None:
        self._own: Neighbours | None = None

    def of(self, vectors: NDArray[np.float32], method: MapMethod | None) -> Nearest | None:
        """The nearest of every token, nearest first, itself left out, and their cosines.

        Args:
            vectors: the space, shape (V, D).
            method: what made the map of just this space; None while there is none, and nothing is compiled.

        Returns:
            Ids and cosines, each of shape (V, K); None where it would take too long now.
        """
        if method is None:
            return all_nearest(vectors, REACH) if len(vectors) <= _FEW else None
        if len(vectors) <= 2:
            return None
        kept: Nearest | None = getattr(method, "nearest", None)
        if kept is not None and kept[0].shape[1] >= min(REACH, len(vectors) - 1):
            self._own = None
            return kept[0][:, :REACH], kept[1][:, :REACH]
        from lamplighter.projection.neighbours import Neighbours

        self._own = self._own or Neighbours(REACH)
        self._own.update(vectors)
        return self._own.ids, self._own.cosines
