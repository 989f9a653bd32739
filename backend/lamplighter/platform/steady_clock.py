"""A clock that tells the time of day and cannot be set: a lifetime measured by it does not change when the system's clock is
set."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path


def _uptime() -> float:
    # Linux's monotonic clock stands still while a laptop sleeps, and so does that which Python uses on macOS.
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
    """Unix seconds, as the system told them when this clock began, plus those that have passed since."""

    def __init__(
        self,
        wall: Callable[[], float] = time.time,
        uptime: Callable[[], float] = _uptime,
        boot: str | None = None,
    ) -> None:
        """Begin now.

        Args:
            wall: gives Unix seconds, as the system's clock is set.
            uptime: gives seconds since this machine started.
            boot: names this start of the machine; None: not known, as on any system but Linux.
        """
        self.uptime = uptime
        self.boot = boot
        self._ahead = wall() - uptime()

    def __call__(self) -> float:
        """Return Unix seconds."""
        return self.uptime() + self._ahead

    def seconds_since(self, moment: float, uptime: float, boot: str | None) -> float:
        """Return the seconds since a moment that another process noted by such a clock, with the machine's uptime and boot.
        Since the same boot the uptime tells, even if the clock was set; else the clock does.
        """
        same = boot is not None and boot == self.boot
        return max(0.0, self.uptime() - uptime if same else self() - moment)


steady_clock = SteadyClock(boot=_find_boot())
"""The clock of this process."""
