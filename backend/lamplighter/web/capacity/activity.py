"""The times at which somebody asked a server for something, by which it knows that nobody needs the machine."""

from __future__ import annotations

import threading
import time


class Activity:
    """When this server was last asked for something. Thread-safe; one thread may wait for the next time.

    What an open page asks by itself again and again does not count: it is declared with its route (`polled`).
    """

    def __init__(self) -> None:
        self._last = time.monotonic()
        self._asked = threading.Event()

    def note(self) -> None:
        """Note that somebody asks for something now."""
        self._last = time.monotonic()
        self._asked.set()

    def idle_seconds(self) -> float:
        """Return the seconds since then, or since the start."""
        return time.monotonic() - self._last

    def wait(self, timeout: float) -> bool:
        """Wait up to `timeout` seconds until somebody asks for something. Returns whether somebody has, since the last
        call."""
        asked = self._asked.wait(timeout)
        self._asked.clear()
        return asked
