"""Downsampling of chart series that keeps their extremes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

MIN_POINTS = 20
"""The fewest points that a caller may request."""


def keep_extremes(series: Sequence[NDArray[np.floating[Any]]], limit: int) -> NDArray[np.int64]:
    """Return the points to keep, ascending, at most `limit`: the first, the last, and the minimum and maximum of
    every series, shape (N,), in each of several equally long stretches. NaN counts as largest.

    `limit` is at least `MIN_POINTS`, and 2 more than twice the number of series.
    """
    size = len(series[0])
    if size <= limit:
        return np.arange(size)
    stretches = max(1, (limit - 2) // (2 * len(series)))
    edges = np.linspace(0, size, stretches + 1).astype(np.int64)
    kept = {0, size - 1}
    for one in series:
        values = np.where(np.isnan(one), np.inf, one)
        for low, high in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
            if low < high:
                stretch = values[low:high]
                kept |= {low + int(stretch.argmin()), low + int(stretch.argmax())}
    return np.array(sorted(kept), dtype=np.int64)
