"""The values of a noisy, drifting series that stand out from those around them, with how many would by chance.

Each value is compared with a line through the medians of the four before and the four after it, so that neither a trend nor
one other outlier moves what is expected. The deviation is divided by the robust spread of such deviations nearby. How often
chance alone gives a deviation of that size is told by Student's t distribution, whose tail is fitted to the deviations of the
series in the opposite direction, without the largest two percent: what is wrong with some values moves them one way, and would
otherwise hide itself. (Of a skewed series, to all deviations.) The number expected in the whole series is that probability times the length (the E value of sequence
search: Karlin and Altschul 1990).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

FIRST = 20
"""The values at the beginning that are not judged: a training falls too steeply there."""
MIN_VALUES = 40
"""The fewest values among which one can stand out."""

_SIDE = 4
_NEAR = 50
"""Values on each side whose deviations tell the spread."""
_LEAST_SPREAD = 0.2
"""The least spread, as a share of the median spread: equal values side by side make the next no outlier."""
_TAIL_FREEDOMS = (2.0, 2.5, 3.0, 3.5, 4.0, 5.0, 6.0, 8.0)
"""Degrees of freedom that the tail may have, heaviest tail first. More than 8 would claim thinner tails than a few hundred
values can show."""
_TAIL, _MIDDLE = 0.98, 0.5


@dataclass(frozen=True)
class Deviations:
    """How far each value of a series is from what the values around it foretell."""

    expected: NDArray[np.float64]
    """The values that those around foretell, shape (N,)."""
    spreads: NDArray[np.float64]
    """The deviation in robust standard deviations, signed, shape (N,); 0 for the first, which are not judged."""
    by_chance: NDArray[np.float64]
    """The number of values in the whole series that chance alone would put so far off, shape (N,)."""


def measure_deviations(values: NDArray[np.float64], *, skewed: bool = False) -> Deviations | None:
    """Return the deviations of a series; None if it is too short, or constant.

    Args:
        values: finite values, shape (N,).
        skewed: whether its noise is larger in one direction.
    """
    if len(values) < MIN_VALUES:
        return None
    expected = _expected(values)
    off = values - expected
    spread = _nearby_spread(off)
    least = _LEAST_SPREAD * float(np.median(spread))
    if least <= 0:
        return None
    spreads = off / np.maximum(spread, least)
    spreads[:FIRST] = 0.0
    judged = spreads[FIRST:]
    up = judged > 0
    if skewed:
        chances = _chances(np.abs(judged), np.abs(judged))
    else:
        chances = np.where(up, _chances(judged, -judged[~up]), _chances(-judged, judged[up]))
    by_chance = np.full(len(values), np.inf)
    by_chance[FIRST:] = len(judged) * chances
    return Deviations(expected, spreads, by_chance)


def _expected(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the line through the medians of the values before and after each; near the ends it is extended."""
    count, width = len(values), 2 * _SIDE + 1
    starts = np.clip(np.arange(count) - _SIDE, 0, count - width)
    places = starts[:, None] + np.arange(width)
    # The window without the value itself: 2 _SIDE places, in order.
    others = places[places != np.arange(count)[:, None]].reshape(count, 2 * _SIDE)
    before, after = others[:, :_SIDE], others[:, _SIDE:]
    low, high = np.median(values[before], axis=1), np.median(values[after], axis=1)
    from_, to = before.mean(axis=1), after.mean(axis=1)
    return low + (high - low) * (np.arange(count) - from_) / (to - from_)


def _nearby_spread(off: NDArray[np.float64]) -> NDArray[np.float64]:
    width = min(2 * _NEAR + 1, len(off))
    medians = np.median(sliding_window_view(np.abs(off), width), axis=1)
    starts = np.clip(np.arange(len(off)) - width // 2, 0, len(off) - width)
    return 1.4826 * medians[starts]


def _chances(sizes: NDArray[np.float64], quiet: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the probability of a deviation of at least each size, in either direction, by the t distribution that fits the
    sizes of quiet deviations, without the largest."""
    from scipy.special import stdtr, stdtrit

    middle, tail = np.quantile(quiet, (_MIDDLE, _TAIL))
    freedoms = np.array(_TAIL_FREEDOMS)
    ratios = stdtrit(freedoms, (1 + _TAIL) / 2) / stdtrit(freedoms, (1 + _MIDDLE) / 2)
    # The thinnest tail that is no thinner than the one seen.
    freedom = freedoms[max(int((ratios >= tail / middle).sum()) - 1, 0)]
    unit = middle / stdtrit(freedom, (1 + _MIDDLE) / 2)
    return 2 * stdtr(freedom, -np.maximum(sizes, 0.0) / unit)
