"""The rows of a wide, large table in its strongest directions, with which its neighbours can be searched for.

The neighbours of 128,256 rows among 20,000 landmarks cost as many products as there are columns. So columns are reduced to
`WIDTH`: the rows' products with the strongest right singular vectors of unit rows, found by subspace iteration (Halko,
Martinsson and Tropp 2011) on a sample of the landmarks. Trust is measured against the neighbours in the full width.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lamplighter.geometry.neighbours import row_digests
from lamplighter.wire.row_source import RowSource
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
        """Return the rows of the next embedding, (V, D), as (V, `WIDTH`); a narrow one as it is.

        V and D stay the same. Unchanged rows keep theirs; if most have changed, directions are found again.
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
