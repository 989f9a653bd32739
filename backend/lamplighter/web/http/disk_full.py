"""The answer of every route that finds the disk full, and the line of log that says so once a minute."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

log = logging.getLogger(__name__)

DISK_FULL = (
    "the disk is full: make room on it, then ask again. Nothing that was recorded is lost, and what waits for room goes"
    " on by itself"
)
_LOG_SECONDS = 60.0


class DiskFullLog:
    """The log of requests that found the disk full: a line a minute, with how many they were."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin with the first; `clock` gives seconds."""
        self._clock = clock
        self._next_line = float("-inf")
        self._unsaid = 0

    def note(self, error: BaseException) -> None:
        """Write a line about an error, unless another was written less than a minute ago."""
        self._unsaid += 1
        if (now := self._clock()) < self._next_line:
            return
        log.warning(
            "the disk is full (%s); requests refused for it since the last line: %d", error, self._unsaid
        )
        self._unsaid, self._next_line = 0, now + _LOG_SECONDS
