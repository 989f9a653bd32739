"""A clock that tells the time of day and cannot be set: a lifetime measured by it does not change when the system's clock is
set."""

from __future__ import annotations

import time
from collections.abc import Callable


def _uptime() -> float:
    # Linux's monotonic clock stands still while a laptop sleeps.
    if hasattr(time, "CLOCK_BOOTTIME"):
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    return time.monotonic()


class SteadyClock:
    """Unix seconds, as the system told them when this clock began, plus those that have passed since."""

    def __init__(self, wall: Callable[[], float] = time.time, uptime: Callable[[], float] = _uptime) -> None:
        """Begin now.

        Args:
            wall: gives Unix seconds, as the system's clock is set.
            uptime: gives seconds since this machine started.
        """
        self.uptime = uptime
        self._ahead = wall() - uptime()

    def __call__(self) -> float:
        """Return Unix seconds."""
        return self.uptime() + self._ahead

    def seconds_since(self, moment: float, uptime: float) -> float:
        """Return the seconds since a moment that another process noted by such a clock, with the machine's uptime. If the
        clock was set in between, the uptime tells; if the machine was restarted, the clock does.
        """
        passed = (self() - moment, self.uptime() - uptime)
        return min((seconds for seconds in passed if seconds >= 0), default=0.0)


steady_clock = SteadyClock()
"""The clock of this process."""
