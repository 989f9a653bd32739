"""Synthetic spaces of any size for the map's speed: clusters like those of words."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def made_up_clusters(rng: np.random.Generator, size: int, dim: int) -> NDArray[np.float32]:
    """Return clusters of about forty rows each, shape (size, dim)."""
    centres = rng.normal(size=(max(2, size // 40), dim))
    return (centres[rng.integers(0, len(centres), size)] + 0.8 * rng.normal(size=(size, dim))).astype(
        np.float32
    )


def move_rows(rng: np.random.Generator, vectors: NDArray[np.float32], count: int) -> None:
    """Move `count` rows of `vectors` in place, by about a sixth of their spread within the cluster."""
    some = rng.choice(len(vectors), count, replace=False)
    vectors[some] += 0.15 * rng.normal(size=(count, vectors.shape[1])).astype(np.float32)
