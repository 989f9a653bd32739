"""The places of rows that are not laid out, beside their nearest that are."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

ASKED = 5
"""Number of neighbours asked for a row's place."""
_KEPT = 3
"""Number of them that count: those that lie closest together. The mean of all would put a row between two islands."""


def place_beside(
    ids: NDArray[np.integer], cosines: NDArray[np.float32], placed: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Return the place of each row, (N, 2), by its nearest among the rows that have one. Among the five
    nearest, the three that lie closest together on the map count, weighed by their cosines; with none on it,
    the middle of the map. `ids`: shape (N, K), nearest first; those of `placed` are below L.
    """
    known = ids < len(placed)
    # The nearest of those that are on the map, in their order.
    first = np.argsort(~known, axis=1, kind="stable")[:, : ASKED + 1]
    known = np.take_along_axis(known, first, axis=1)
    near = np.take_along_axis(cosines, first, axis=1)
    beyond = near[:, -1:]
    known, near = known[:, :ASKED], near[:, :ASKED]
    places = placed[np.where(known, np.take_along_axis(ids, first, axis=1)[:, :ASKED], 0)]
    weights = np.where(known, np.maximum(near - beyond, 1e-6), 0)
    apart = np.linalg.norm(places[:, :, None] - places[:, None], axis=3)
    middle = np.where(known, np.einsum("vij,vj->vi", apart, weights), np.inf).argmin(axis=1)
    from_middle = np.where(known, apart[np.arange(len(ids)), middle], np.inf)
    # The middle one itself, at 0, is among those kept.
    last = min(_KEPT, from_middle.shape[1]) - 1
    weights[from_middle > np.partition(from_middle, last, axis=1)[:, last : last + 1]] = 0
    total = weights.sum(axis=1, keepdims=True)
    means = np.einsum("vi,vij->vj", weights / np.maximum(total, 1e-12), places)
    return np.where(total > 0, means, placed.mean(axis=0)).astype(np.float32)
