"""Trust in a map over all of its tokens: takes V^2 time, and bounded memory.

Trustworthiness (Venna and Kaski 2001) asks whether neighbours on the map are neighbours in the embedding, and
weighs an intruder by its rank there. Recall is the share of the nearest in the embedding that are also
nearest on the map. Distances in the embedding are cosines.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from living_map.rows import BLOCK_BYTES, unit_rows


@dataclass(frozen=True)
class FullTrust:
    """The trust in a map, computed over all tokens."""

    trust: float
    """Trustworthiness, 1 at best; NaN for fewer than three tokens."""
    recall: float
    neighbours: int
    """The number of neighbours used, k."""


def compute_full_trust(
    vectors: NDArray[np.float32], coordinates: NDArray[np.float32], neighbours: int = 10
) -> FullTrust:
    """Compute trustworthiness and recall of a map, (V, 2), ranking every token against every other. Equal
    cosines share the better rank. Takes about V^2 (D + 20) additions. `neighbours`: k; lowered to fewer than
    half the tokens, which the measure needs.
    """
    size = len(vectors)
    k = min(neighbours, (size - 1) // 2)
    if k < 1:
        return FullTrust(float("nan"), float("nan"), 0)
    units = unit_rows(vectors)
    x, y = np.ascontiguousarray(coordinates.T, dtype=np.float32)
    intrusion = kept = 0
    block = max(1, BLOCK_BYTES // (4 * size))
    for start in range(0, size, block):
        some = np.arange(start, min(size, start + block))
        rows = np.arange(len(some))
        distance = (x[some, np.newaxis] - x) ** 2 + (y[some, np.newaxis] - y) ** 2
        distance[rows, some] = np.inf
        shown = np.argpartition(distance, k - 1, axis=1)[:, :k]
        similar = units[some] @ units.T
        similar[rows, some] = -np.inf
        own = np.take_along_axis(similar, shown, axis=1)
        for column in range(k):
            ranks = 1 + np.count_nonzero(similar > own[:, column : column + 1], axis=1)
            intrusion += int(np.maximum(ranks - k, 0).sum())
            kept += int((ranks <= k).sum())
    worst = size * k * (2 * size - 3 * k - 1) / 2
    return FullTrust(1 - intrusion / worst, kept / (size * k), k)
