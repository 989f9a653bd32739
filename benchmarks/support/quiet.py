"""A quiet machine: the wait for one, and whether it stayed quiet while something was measured.

A load average cannot tell it alone: it says nothing of a processor that is shared with other machines, or throttled. A fixed
loop is timed before and after a measurement; if both took as long, the machine was equally fast for all of it.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable

import numpy as np

MAX_LOAD = 1.0
MAX_CHANGE = 0.1
"""The share by which the loop may differ."""
_TURNS = 5


def wait_for_quiet(
    read_load: Callable[[], float] = lambda: os.getloadavg()[0], sleep: Callable[[float], None] = time.sleep
) -> None:
    """Wait until fewer than `MAX_LOAD` processes have been ready to run, in the mean of the last minute."""
    said = False
    while (load := read_load()) >= MAX_LOAD:
        if not said:
            print(f"waiting for a load below {MAX_LOAD:g}, now {load:.1f}", file=sys.stderr)
            said = True
        sleep(5)


def time_reference() -> float:
    """Return the seconds that a fixed loop takes by the clock, the median of five: Python, products and memory."""
    random = np.random.default_rng(0)
    square, long = random.normal(size=(400, 400)), random.normal(size=4_000_000)
    took: list[float] = []
    for _ in range(_TURNS):
        begun = time.perf_counter()
        total = 0
        for number in range(1_000_000):
            total += number & 7
        for _ in range(20):
            _ = square @ square
            long.sum()
        took.append(time.perf_counter() - begun)
    return float(np.median(took))


def is_disturbed(before: float, after: float) -> bool:
    """Return whether the loop's times differ by more than a tenth of the shorter one."""
    return max(before, after) > (1 + MAX_CHANGE) * min(before, after)
