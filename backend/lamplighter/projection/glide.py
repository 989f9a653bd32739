"""What is shown of a map whose places tremble: it glides after where the optimiser is, twice.

Pushes from random tokens make every place tremble. A running mean over the last frames, as averaging the iterates of
any stochastic descent (Polyak and Juditsky 1992), is both calmer and nearer to where they tremble about; but it starts
towards every new place at once, so each tremble still shows as a jerk. The running mean of that mean does not: as a
critically damped spring it gathers speed first, and a tremble is over before it has. For the same delay behind
a real motion its steps are less than half as long (at a share of 0.15, a third).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_NEAR = 1e-3
"""Of the map's diameter: a token this near to where it is going is there."""


class Glide:
    """Places that follow others, shape (V, 2)."""

    def __init__(self, places: NDArray[np.float32]) -> None:
        """Start at rest."""
        self.shown: NDArray[np.float32] = places
        """Where the tokens are: a new array each time."""
        self._middle: NDArray[np.float32] = places
        """The first mean, which what is shown follows."""

    def follow(self, reached: NDArray[np.float32], share: NDArray[np.floating] | float) -> None:
        """One frame: the middle goes a share of its way to `reached`, what is shown the same share of its way there.

        Behind what moves steadily it comes to lie 2 (1 / share - 1) frames.

        Args:
            reached: shape (V, 2).
            share: from 0 to 1, one or shape (V, 1).
        """
        self._middle = (self._middle + share * (reached - self._middle)).astype(np.float32)
        self.shown = (self.shown + share * (self._middle - self.shown)).astype(np.float32)

    def near(self, reached: NDArray[np.float32]) -> bool:
        """Whether every token is next to `reached`, and not on its way past it."""
        limit = _NEAR * float(np.hypot(*np.ptp(reached, axis=0)))
        away = max(np.abs(reached - self.shown).max(), np.abs(self._middle - self.shown).max())
        return bool(away <= limit)

    def arrive(self, reached: NDArray[np.float32]) -> None:
        """Go all the way, and be at rest."""
        self.shown = self._middle = reached
