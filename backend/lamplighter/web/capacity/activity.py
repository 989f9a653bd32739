"""When a server was last used, so that it can tell when the machine is idle."""

from __future__ import annotations

import threading
import time


class Activity:
    """The time of the last request to this server. Thread-safe; one thread may wait for the next request.

    Requests that an open page repeats by itself do not count: their routes declare it (`polled`).
    """

    def __init__(self) -> None:
        self._last = time.monotonic()
        self._asked = threading.Event()

    def note(self) -> None:
        self._last = time.monotonic()
        self._asked.set()

    def idle_seconds(self) -> float:
        return time.monotonic() - self._last

    def wait(self, timeout: float) -> bool:
        """Wait up to `timeout` seconds for a request. Returns whether there was one since the last call."""
        asked = self._asked.wait(timeout)
        self._asked.clear()
        return asked
