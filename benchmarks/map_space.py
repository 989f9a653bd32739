"""Made-up spaces for the map's speed: clusters, as words have, of any size."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def town(rng: np.random.Generator, size: int, dim: int) -> NDArray[np.float32]:
    """Clusters of some forty rows. Shape (size, dim)."""
    centres = rng.normal(size=(max(2, size // 40), dim))
    return (centres[rng.integers(0, len(centres), size)] + 0.8 * rng.normal(size=(size, dim))).astype(
        np.float32
    )


def moved_a_little(rng: np.random.Generator, vectors: NDArray[np.float32], count: int) -> None:
    """Move `count` rows by a sixth of what sets them apart from their cluster; written into `vectors`."""
    some = rng.choice(len(vectors), count, replace=False)
    vectors[some] += 0.15 * rng.normal(size=(count, vectors.shape[1])).astype(np.float32)
