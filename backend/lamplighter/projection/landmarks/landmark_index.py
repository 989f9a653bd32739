"""The landmarks nearest to every token of a large vocabulary, and the places that follow from theirs.

A token that is placed moves no other, so the cost grows with V x L instead of V squared.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lamplighter.geometry.neighbours import nearest_among, row_digests
from lamplighter.projection.layout_method import NEIGHBOURS_USED
from living_map.nearest_neighbours import NeighbourIndex
from living_map.placing import ASKED, place_beside
from living_map.rows import unit_rows


class LandmarkIndex:
    """The nearest landmarks of every token of the last embedding. For one thread only."""

    def __init__(self, landmarks: NDArray[np.int64]) -> None:
        """Start empty. `landmarks`: ids, ascending, shape (L,), L above `NEIGHBOURS_USED`."""
        self.landmarks = landmarks
        self.ids = np.empty((0, NEIGHBOURS_USED), dtype=np.int32)
        """Shape (V, K): ids of landmarks, nearest first, without the token itself."""
        self.cosines = np.empty((0, NEIGHBOURS_USED), dtype=np.float32)
        """Shape (V, K)."""
        self._digests: NDArray[np.uint64] | None = None
        self._own = NeighbourIndex(NEIGHBOURS_USED)

    def update(
        self, vectors: NDArray[np.float32], own: tuple[NDArray[np.int32], NDArray[np.float32]] | None = None
    ) -> None:
        """Update to the next embedding, shape (V, D), finite; V the same every time.

        Landmarks are searched for the tokens that moved. The others keep theirs, even if another has come
        nearer. `own`: the landmarks' neighbours among themselves, as numbers from 0 to L - 1, and their
        cosines, if known.
        """
        landmarks, rows = self.landmarks, vectors[self.landmarks]
        digests = row_digests(vectors)
        if self._digests is None:
            moved = np.arange(len(vectors))
            self.ids = np.empty((len(vectors), NEIGHBOURS_USED), dtype=np.int32)
            self.cosines = np.empty((len(vectors), NEIGHBOURS_USED), dtype=np.float32)
        else:
            moved = np.flatnonzero(digests != self._digests)
        self._digests = digests
        if len(moved) == 0:
            return
        others = np.setdiff1d(moved, landmarks, assume_unique=True)
        found, self.cosines[others] = nearest_among(vectors, others, unit_rows(rows), NEIGHBOURS_USED)
        self.ids[others] = landmarks[found]
        if own is None or own[0].shape[1] < NEIGHBOURS_USED:
            self._own.update(rows)
            own = self._own.ids, self._own.cosines
        self.ids[landmarks] = landmarks[own[0][:, :NEIGHBOURS_USED]]
        self.cosines[landmarks] = own[1][:, :NEIGHBOURS_USED]

    def place(self, shown: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the positions of all tokens, shape (V, 2), by those of the landmarks, shape (L, 2), which stay."""
        nearest = slice(ASKED + 1)
        numbers = np.searchsorted(self.landmarks, self.ids[:, nearest])
        coordinates = place_beside(numbers, self.cosines[:, nearest], shown)
        coordinates[self.landmarks] = shown
        return coordinates
