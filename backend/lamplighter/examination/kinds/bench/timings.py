"""Repeated readings of the stopwatch."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lamplighter.examination.readings import rounded


def quartiles_ms(seconds: Sequence[float]) -> list[float | None]:
    """Return the first and the third quartile of times in seconds, in milliseconds."""
    return [rounded(1_000 * quartile) for quartile in np.quantile(seconds, (0.25, 0.75)).tolist()]
