"""The spacing of steps, moments and maps in a packed run."""

from __future__ import annotations

from typing import TypeVar

import numpy as np

_EARLIER = 1.5
"""Exponent of the spacing: above 1, steps are denser at the beginning, where most is learned."""

T = TypeVar("T")


def early_steps(last: int, count: int) -> list[int]:
    """Return at most `count` steps from 0 to `last`, inclusive, ascending, denser at the beginning."""
    shares = np.linspace(0, 1, max(2, count)) ** _EARLIER
    return sorted({round(last * share) for share in shares.tolist()})


def thin(items: list[T], count: int) -> list[T]:
    """Return at most `count` items, evenly spread, including the first and the last."""
    if len(items) <= count:
        return items
    return [items[index] for index in np.unique(np.linspace(0, len(items) - 1, count).round().astype(int))]
