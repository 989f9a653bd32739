"""How one vector moves through the steps: its length, how far it goes, how far it turns."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Doubles = NDArray[np.float64]


class Motion(NamedTuple):
    """Of each of N steps, shape (N,) each; NaN where there is nothing to say."""

    length: Doubles
    """Euclidean norm."""
    displacement: Doubles
    """Euclidean distance from the step before; NaN at the first."""
    turned: Doubles
    """Degrees between the vector and the one before; NaN at the first, and where one of them has no length."""
    turned_since_first: Doubles
    """Degrees between the vector and the first."""


def motion(
    vectors: NDArray[np.float32], first: Doubles | None = None, before: Doubles | None = None
) -> Motion:
    """The motion of a vector.

    Args:
        vectors: shape (N, D), N at least 1: after each of some steps.
        first: shape (D,): what `turned_since_first` is measured from; None: the first of these.
        before: shape (D,): the vector at the step before the first of these; None: there is none.
    """
    here = vectors.astype(np.float64)
    start = here[0] if first is None else first
    nothing = np.full(here.shape[1], np.nan)
    previous = np.vstack([nothing if before is None else before, here[:-1]])
    return Motion(
        np.linalg.norm(here, axis=1),
        np.linalg.norm(here - previous, axis=1),
        _degrees(previous, here),
        _degrees(start[np.newaxis, :], here),
    )


def _degrees(a: Doubles, b: Doubles) -> Doubles:
    """Angles between rows. Kahan's formula: what an arc cosine says of small angles is mostly rounding."""
    lengths_a = np.linalg.norm(a, axis=1, keepdims=True)
    lengths_b = np.linalg.norm(b, axis=1, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        units_a, units_b = a / lengths_a, b / lengths_b
    apart = np.linalg.norm(units_a - units_b, axis=1)
    together = np.linalg.norm(units_a + units_b, axis=1)
    return np.degrees(2 * np.arctan2(apart, together))
