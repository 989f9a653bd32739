"""The deadlines of one connection's requests: for a whole head, and for the pace of a body."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from lamplighter.web.connections.limits import ConnectionLimits


class RequestClock:
    """A timer that runs while a request is expected from the client, and calls back if it is late."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        limits: ConnectionLimits,
        *,
        on_late_head: Callable[[], None],
        on_slow_body: Callable[[], None],
        may_wait: Callable[[], bool],
    ) -> None:
        """Start without expecting a request.

        Args:
            loop: the event loop of the connection.
            limits: the seconds and bytes.
            on_late_head, on_slow_body: close the connection.
            may_wait: whether the client is blocked because this server does not read.
        """
        self._loop = loop
        self._limits = limits
        self._on_late_head = on_late_head
        self._on_slow_body = on_slow_body
        self._may_wait = may_wait
        self._timer: asyncio.TimerHandle | None = None
        self._expects_head = False
        self._bytes = self._all_bytes = 0
        self._seconds = self._rate = 0.0
        self._excused = False

    def expect_head(self) -> None:
        """Start the time for a whole head; further bytes of the same head do not extend it."""
        if not self._expects_head:
            self.cancel()
            self._expects_head = True
            self._timer = self._loop.call_later(self._limits.head_seconds, self._on_late_head)

    def expect_body(self, declared: int | None) -> None:
        """Measure the rate of a body from now on. `declared`: its bytes, if they are known."""
        self.cancel()
        limits = self._limits
        self._rate = float(limits.fair_body_rate)
        if declared is not None:
            self._rate = min(self._rate, declared / limits.whole_body_seconds)
        self._all_bytes, self._seconds = 0, 0.0
        self._measure()

    def add_body_bytes(self, count: int) -> None:
        """Count bytes of the body."""
        self._bytes += count
        self._all_bytes += count

    def excuse(self) -> None:
        """Skip the current measurement, because this server paused reading."""
        self._excused = True

    def cancel(self) -> None:
        """Stop the clock, because nothing is expected."""
        self._expects_head = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _measure(self) -> None:
        self._bytes = 0
        self._excused = self._may_wait()
        self._timer = self._loop.call_later(self._limits.body_seconds, self._check)

    def _check(self) -> None:
        seconds = self._limits.body_seconds
        if self._excused or self._may_wait():
            self._measure()
            return
        self._seconds += seconds
        if self._bytes >= self._limits.body_rate * seconds and self._all_bytes >= self._rate * self._seconds:
            self._measure()
        else:
            self._on_slow_body()
