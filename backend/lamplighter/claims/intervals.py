"""Intervals of what was measured, and nulls: the spread that chance gives the same measure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

CLEAR = 3.0
"""Standard deviations from which on a difference is not put down to chance: of twenty draws whose own deviation is all that is
known, one in a hundred goes so far by luck."""
_SIDE = 1.96
"""Standard deviations to each side within which 95 of 100 draws of a normal distribution are."""


@dataclass(frozen=True)
class Spread:
    """The mean of several draws of a measure, and how far one of them lies from it."""

    mean: float
    deviation: float
    """Standard deviation of one draw, or the standard error of a mean."""
    draws: int
    """0 where the deviation is known by formula."""

    @property
    def low(self) -> float:
        """Return the lower end of the interval that 95 of 100 draws fall into."""
        return self.mean - _SIDE * self.deviation

    @property
    def high(self) -> float:
        """Return the upper end of that interval."""
        return self.mean + _SIDE * self.deviation

    def score(self, value: float) -> float:
        """Return how many standard deviations a value lies above the mean."""
        if self.deviation > 0:
            return (value - self.mean) / self.deviation
        return math.copysign(math.inf, value - self.mean) if value != self.mean else 0.0


def spread_of(draws: Sequence[float]) -> Spread:
    """Return the spread of single draws."""
    values = np.asarray(draws, dtype=np.float64)
    return Spread(float(values.mean()), float(values.std(ddof=1)) if len(values) > 1 else 0.0, len(values))


def mean_of(values: Sequence[float]) -> Spread:
    """Return the mean of values with its standard error as the deviation."""
    spread = spread_of(values)
    return Spread(spread.mean, spread.deviation / math.sqrt(max(1, spread.draws)), spread.draws)


def share_interval(share: float, of: int, side: float = _SIDE) -> tuple[float, float]:
    """Return the interval that the true share lies in, 95 times of 100 or `side` deviations to each side, where `share` of
    `of` tries succeeded.

    Source: Wilson 1927. Unlike the plain one it is not empty where none or all of them succeeded.
    """
    if of < 1:
        return 0.0, 1.0
    square = side**2 / of
    middle = (share + square / 2) / (1 + square)
    reach = side * math.sqrt(share * (1 - share) / of + square / (4 * of)) / (1 + square)
    return max(0.0, middle - reach), min(1.0, middle + reach)
