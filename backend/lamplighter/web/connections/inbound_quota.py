"""A quota of the data that a viewer sends. Viewers need not send anything, and each frame costs server time."""

from __future__ import annotations

import time
from collections.abc import Callable


class InboundQuota:
    """A count of frames and bytes in spans of a few seconds."""

    def __init__(
        self, frames: int, size: int, seconds: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Allow a number of frames and bytes (`size`) in each span; `clock` gives seconds."""
        self._most_frames = frames
        self._most_bytes = size
        self._seconds = seconds
        self._clock = clock
        self._since = clock()
        self._frames = 0
        self._bytes = 0

    def allows_bytes(self, count: int) -> bool:
        """Count bytes before they are parsed. Returns False if they exceed the quota."""
        self._begin_span()
        self._bytes += count
        return self._bytes <= self._most_bytes

    def allows_frame(self) -> bool:
        """Count a frame. Returns False if it exceeds the quota."""
        self._begin_span()
        self._frames += 1
        return self._frames <= self._most_frames

    def _begin_span(self) -> None:
        now = self._clock()
        if now - self._since >= self._seconds:
            self._since, self._frames, self._bytes = now, 0, 0
