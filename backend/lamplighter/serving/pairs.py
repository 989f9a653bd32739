"""The distance between two vectors through the steps."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Doubles = NDArray[np.float64]


class Apart(NamedTuple):
    """Distances at each of N steps, each array of shape (N,); NaN where undefined."""

    distance: Doubles
    """Euclidean distance."""
    cosine: Doubles
    """Cosine of the angle between the two; NaN where either has zero length."""


def apart(a: NDArray[np.float32], b: NDArray[np.float32]) -> Apart:
    """Measure the distance between two series of vectors, row by row.

    Args:
        a: shape (N, D).
        b: shape (N, D).
    """
    one, other = a.astype(np.float64), b.astype(np.float64)
    lengths = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        cosine = np.einsum("nd,nd->n", one, other) / lengths
    return Apart(np.linalg.norm(one - other, axis=1), np.clip(cosine, -1, 1))
