"""Smoothing of a trembling map: the displayed positions follow the optimiser's as a critically damped spring.

Pushes from random tokens make every position tremble. A running mean over the last frames, as in averaging
the iterates of any stochastic descent (Polyak and Juditsky 1992), is both calmer and nearer to the centre of
the tremble. But it starts towards every new position at once, so each tremble still shows as a jerk. The
running mean of that mean does not: like a critically damped spring it accelerates first, and a tremble is
over before it has gathered speed. For the same delay behind a real motion its steps are less than half as
long (at a share of 0.15, a third).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_NEAR = 1e-3
"""Fraction of the map's diameter within which a token counts as arrived."""


class PositionSmoother:
    """Displayed positions, shape (V, 2), that follow target positions smoothly."""

    def __init__(self, coordinates: NDArray[np.float32]) -> None:
        """Start at rest at `coordinates`."""
        self.shown: NDArray[np.float32] = coordinates
        """The displayed positions: a new array each time."""
        self._mean: NDArray[np.float32] = coordinates
        """The first running mean, which the displayed positions follow."""

    def advance(self, reached: NDArray[np.float32], share: NDArray[np.floating] | float) -> None:
        """Move the mean a share of its way to `reached`, and the displayed positions as much to the mean.

        Behind a steady motion the displayed positions lag 2 (1 / share - 1) frames. `share`: from 0 to 1, a
        scalar or shape (V, 1).
        """
        self._mean = (self._mean + share * (reached - self._mean)).astype(np.float32)
        self.shown = (self.shown + share * (self._mean - self.shown)).astype(np.float32)

    def has_arrived(self, reached: NDArray[np.float32]) -> bool:
        """Return whether every token is near its position in `reached`, and not moving past it."""
        limit = _NEAR * float(np.hypot(*np.ptp(reached, axis=0)))
        away = max(np.abs(reached - self.shown).max(), np.abs(self._mean - self.shown).max())
        return bool(away <= limit)

    def exchange_rows(self, stay: NDArray[np.int64], arrived: NDArray[np.float32]) -> None:
        """Keep the rows `stay`, and append others at rest at `arrived`, shape (N, 2)."""
        self.shown = np.concatenate((self.shown[stay], arrived))
        self._mean = np.concatenate((self._mean[stay], arrived))

    def jump_to(self, reached: NDArray[np.float32]) -> None:
        self.shown = self._mean = reached
