"""The cosine of the nearest neighbour, as measured and by chance: of many random directions some are similar."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from living_map.rows import BLOCK_BYTES, unit_rows

MAX_QUERIES = 1_000
"""Maximum rows whose nearest neighbour among all rows is found; a fixed random sample of larger matrices."""
_SEED = 0


def nearest_cosine(vectors: NDArray[np.float32]) -> float:
    """Compute the mean cosine of rows, (V, D), or a sample of them, with their nearest other row; NaN for
    fewer than two.
    """
    if len(vectors) < 2:
        return float("nan")
    units = unit_rows(vectors)
    queries = np.arange(len(units))
    if len(queries) > MAX_QUERIES:
        queries = np.random.default_rng(_SEED).choice(len(units), MAX_QUERIES, replace=False)
    total = 0.0
    block = max(1, BLOCK_BYTES // (4 * len(units)))
    for start in range(0, len(queries), block):
        rows = queries[start : start + block]
        cosines = units[rows] @ units.T
        cosines[np.arange(len(rows)), rows] = -np.inf
        total += float(cosines.max(axis=1).sum(dtype=np.float64))
    return float(np.clip(total / len(queries), -1, 1))


@lru_cache(maxsize=64)
def nearest_cosine_by_chance(size: int, dim: int, seed: int = _SEED) -> float:
    """Compute the `nearest_cosine` of `size` random directions: that of random rows of any lengths."""
    return nearest_cosine(np.random.default_rng(seed).standard_normal((size, dim), dtype=np.float32))


def random_cosine_deviation(dim: int) -> float:
    """Return the standard deviation of the cosine of two random directions in `dim` dimensions; its mean is 0."""
    return float(dim**-0.5)
