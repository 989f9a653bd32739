"""The lag of the event loop: how much later than asked a sleeping task wakes up."""

from __future__ import annotations

import asyncio
import math
from collections import deque

_INTERVAL = 0.25
_WINDOW = 60.0


class LoopLag:
    """The lags measured in the last minute."""

    def __init__(self, interval: float = _INTERVAL, window: float = _WINDOW) -> None:
        """Start without any. `interval`: seconds between two measurements; `window`: seconds that count."""
        self._interval, self._window = interval, window
        self._measured: deque[tuple[float, float]] = deque(maxlen=math.ceil(window / interval))

    async def measure_forever(self) -> None:
        """Measure until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + self._interval
            await asyncio.sleep(self._interval)
            self.note_lag(loop.time(), loop.time() - due)

    def note_lag(self, now: float, seconds: float) -> None:
        """Note a lag, measured at a time of the loop's clock."""
        self._measured.append((now, max(0.0, seconds)))

    def quantiles(self) -> dict[str, float] | None:
        """Return the lag below which half of the last minute's were, 99 of 100, and all, in seconds; None if there are
        none.
        """
        if not self._measured:
            return None
        newest = self._measured[-1][0]
        lags = sorted(lag for at, lag in self._measured if at > newest - self._window)
        return {name: lags[math.ceil(float(name) * len(lags)) - 1] for name in ("0.5", "0.99", "1")}
