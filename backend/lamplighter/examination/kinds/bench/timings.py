"""Statistics of repeated timings."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lamplighter.examination.readings import round_known


def quartiles_ms(seconds: Sequence[float]) -> list[float]:
    """Return the first and third quartile, in milliseconds, of times in seconds."""
    return [round_known(1_000 * quartile) for quartile in np.quantile(seconds, (0.25, 0.75)).tolist()]
