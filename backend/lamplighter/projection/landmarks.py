"""The landmarks nearest to every token of a large vocabulary, and the places that follow from theirs.

A token that is placed moves no other, so the cost grows with V x L instead of V squared.

The neighbours of 128,256 rows among 20,000 landmarks cost as many products as there are columns. So columns are
reduced to `WIDTH`: the rows' products with the strongest right singular vectors of unit rows, found by subspace
iteration (Halko, Martinsson and Tropp 2011) on a sample of the landmarks. Trust is measured against the neighbours in
the full width.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lamplighter.geometry.neighbours import nearest_among, row_digests
from lamplighter.projection.umap_view import NEIGHBOURS_USED
from lamplighter.wire.row_source import RowSource
from living_map.nearest_neighbours import NeighbourIndex
from living_map.placing import ASKED, place_beside
from living_map.rows import split_rows, unit_rows

WIDTH = 256
"""The number of directions; tables of no more columns are taken as they are."""
_SAMPLE_BYTES = 128 << 20
"""Maximum bytes of the landmarks from which the directions are found."""
_EXTRA, _ITERATIONS = 32, 4


class PrincipalRows:
    """The rows of the last embedding in few directions. For one thread only."""

    def __init__(self, landmarks: NDArray[np.int64]) -> None:
        """Start empty. `landmarks`: the rows whose directions count, ascending, shape (L,)."""
        self._landmarks = landmarks
        self._digests: NDArray[np.uint64] | None = None
        self._basis = np.empty((0, 0), dtype=np.float32)
        self._rows = np.empty((0, 0), dtype=np.float32)

    def reduce(self, vectors: RowSource) -> NDArray[np.float32]:
        """Return the rows of the next embedding, (V, D), as (V, `WIDTH`); a narrow one as it is. V and D stay
        the same. Unchanged rows keep theirs; if most have changed, directions are found again.
        """
        size, dim = vectors.shape
        if dim <= WIDTH:
            return vectors[:]
        digests = row_digests(vectors)
        moved = np.arange(size) if self._digests is None else np.flatnonzero(digests != self._digests)
        self._digests = digests
        if 2 * len(moved) > size:
            moved = np.arange(size)
            self._basis = _find_directions(vectors, self._landmarks)
            self._rows = np.empty((size, WIDTH), dtype=np.float32)
        for some in split_rows(len(moved), dim):
            self._rows[moved[some]] = unit_rows(vectors[moved[some]]) @ self._basis
        return self._rows


def _find_directions(vectors: RowSource, landmarks: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return orthonormal columns, shape (D, `WIDTH`)."""
    dim, random = vectors.shape[1], np.random.default_rng(0)
    count = min(len(landmarks), max(2 * WIDTH, _SAMPLE_BYTES // (4 * dim)))
    sample = np.empty((count, dim), dtype=np.float32)
    chosen = np.sort(random.choice(landmarks, count, replace=False))
    for some in split_rows(count, dim):
        sample[some] = unit_rows(vectors[chosen[some]])
    found = random.standard_normal((dim, WIDTH + _EXTRA), dtype=np.float32)
    for _ in range(_ITERATIONS):
        found = np.linalg.qr(sample.T @ (sample @ found))[0]
    # The subspace is a little larger than needed: keep its strongest directions.
    _, _, turn = np.linalg.svd(sample @ found, full_matrices=False)
    return np.ascontiguousarray(found @ turn[:WIDTH].T)


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
