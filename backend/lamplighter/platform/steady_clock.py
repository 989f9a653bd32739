"""A wall clock that ignores changes of the system's clock, for measuring lifetimes."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path


def _uptime() -> float:
    # The monotonic clock of Linux stops while a laptop sleeps, and so does the one that Python uses on macOS.
    for name in ("CLOCK_BOOTTIME", "CLOCK_MONOTONIC"):
        if hasattr(time, name):
            return time.clock_gettime(getattr(time, name))
    return time.monotonic()


def _find_boot() -> str | None:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return None


class SteadyClock:
    """Unix seconds by the system's clock when this clock started, plus the time since."""

    def __init__(
        self,
        wall: Callable[[], float] = time.time,
        uptime: Callable[[], float] = _uptime,
        boot: str | None = None,
    ) -> None:
        """Start the clock by the system's clock, in Unix seconds, and the seconds since the machine booted.
        `boot`: an id of this boot; None: unknown, as on any system except Linux.
        """
        self.uptime = uptime
        self.boot = boot
        self._ahead = wall() - uptime()

    def __call__(self) -> float:
        return self.uptime() + self._ahead

    def seconds_since(self, moment: float, uptime: float, boot: str | None) -> float:
        """Return the seconds since a moment recorded by another process, with its uptime and boot id. Within the same
        boot this uses the uptime, even if the clock was set; otherwise the clock.
        """
        same = boot is not None and boot == self.boot
        return max(0.0, self.uptime() - uptime if same else self() - moment)


steady_clock = SteadyClock(boot=_find_boot())
"""The clock of this process."""
