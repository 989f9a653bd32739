"""The time that a server of others may take for one answer."""

from __future__ import annotations

import math
import threading

_SLICE = 0.5
"""Maximum seconds between two looks at whether the reader still wants the answer."""


class Patience:
    """The time that one answer may take, of which only the waiting for the server counts. Belongs to one thread."""

    def __init__(
        self,
        window: float,
        least: int,
        total: float = math.inf,
        stopped: threading.Event | None = None,
    ) -> None:
        """Allow `window` seconds of waiting for each `least` bytes, and `total` seconds of it for the whole answer.

        `stopped`: ends the waiting when it is set.
        """
        self._window, self._least, self.total = window, least, total
        self._stopped = stopped
        self._waited, self._came = 0.0, 0
        self._mark = (0.0, 0)
        """The seconds and the bytes when enough had come the last time."""

    def next_wait(self) -> float:
        """Return how many seconds to wait now before asking again, at most half a second. Raises TimeoutError
        if the server took too long, or the reader has stopped.
        """
        if self._stopped is not None and self._stopped.is_set():
            raise TimeoutError("stopped")
        left = min(self._mark[0] + self._window, self.total) - self._waited
        if left <= 0:
            raise TimeoutError(
                f"too slow: {self._came - self._mark[1]:,} bytes in {self._waited - self._mark[0]:.0f} seconds"
            )
        return min(left, _SLICE)

    def count(self, waited: float, came: int) -> None:
        """Count `waited` seconds, in which `came` bytes came."""
        self._waited += waited
        self._came += came
        if self._came - self._mark[1] >= self._least:
            self._mark = self._waited, self._came
