"""The landmarks nearest to every token of a large vocabulary, and the places that follow from theirs.

A token that is placed moves no other, so the cost grows with V x L instead of V squared. Among the five landmarks nearest to
a token, the three that lie closest together on the map count, weighed by their cosines. (The mean of all five would put a
token between two islands, where nothing like it lies.)
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lamplighter.geometry.neighbours import nearest_among, row_digests
from lamplighter.projection.layout_method import NEIGHBOURS_USED
from living_map.nearest_neighbours import NeighbourIndex
from living_map.rows import unit_rows

_ASKED = 5
_KEPT = 3


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

        Landmarks are searched for the tokens that moved. The others keep theirs, even if another has come nearer.

        Args:
            vectors: the embedding.
            own: the landmarks' neighbours among themselves, as numbers from 0 to L - 1, and their cosines, if known.
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
        places = shown[np.searchsorted(self.landmarks, self.ids[:, :_ASKED])]
        weights = np.maximum(self.cosines[:, :_ASKED] - self.cosines[:, _ASKED : _ASKED + 1], 1e-6)
        apart = np.linalg.norm(places[:, :, None] - places[:, None], axis=3)
        middle = np.einsum("vij,vj->vi", apart, weights).argmin(axis=1)
        from_middle = apart[np.arange(len(places)), middle]
        # The middle one itself, at 0, is among those kept.
        weights[from_middle > np.partition(from_middle, _KEPT - 1, axis=1)[:, _KEPT - 1 : _KEPT]] = 0
        weights /= weights.sum(axis=1, keepdims=True)
        coordinates = np.einsum("vi,vij->vj", weights, places)
        coordinates[self.landmarks] = shown
        return coordinates
