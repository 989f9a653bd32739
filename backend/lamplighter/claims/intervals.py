"""Intervals of measured values, and nulls: the spread of the same measure under chance."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

CLEAR = 3.0
"""Standard deviations beyond which a difference is not attributed to chance: with the deviation estimated
from twenty draws, one draw in a hundred lies that far away.
"""
_SIDE = 1.96
"""Half-width of the 95 % interval of a normal distribution, in standard deviations."""


@dataclass(frozen=True)
class Spread:
    """The mean and standard deviation of several draws of a measure."""

    mean: float
    deviation: float
    """Standard deviation of one draw, or the standard error of a mean."""
    draws: int
    """0 if the deviation is known by formula."""

    @property
    def low(self) -> float:
        return self.mean - _SIDE * self.deviation

    @property
    def high(self) -> float:
        return self.mean + _SIDE * self.deviation

    def score(self, value: float) -> float:
        """Return the distance of a value above the mean, in standard deviations."""
        if self.deviation > 0:
            return (value - self.mean) / self.deviation
        return math.copysign(math.inf, value - self.mean) if value != self.mean else 0.0


def spread_of(draws: Sequence[float]) -> Spread:
    values = np.asarray(draws, dtype=np.float64)
    return Spread(float(values.mean()), float(values.std(ddof=1)) if len(values) > 1 else 0.0, len(values))


def mean_of(values: Sequence[float]) -> Spread:
    """Return the mean of values with its standard error as the deviation."""
    spread = spread_of(values)
    return Spread(spread.mean, spread.deviation / math.sqrt(max(1, spread.draws)), spread.draws)


def share_interval(share: float, of: int, side: float = _SIDE) -> tuple[float, float]:
    """Return the 95 % confidence interval of `share` of `of` trials, or that of `side` deviations (Wilson
    1927). Unlike the normal interval, it is not empty when none or all succeeded.
    """
    if of < 1:
        return 0.0, 1.0
    square = side**2 / of
    middle = (share + square / 2) / (1 + square)
    reach = side * math.sqrt(share * (1 - share) / of + square / (4 * of)) / (1 + square)
    return max(0.0, middle - reach), min(1.0, middle + reach)
