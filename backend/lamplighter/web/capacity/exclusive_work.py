"""Work that one thread does for all who need it, while the others wait without holding a thread."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Generator
from concurrent.futures import Future
from contextlib import contextmanager, suppress

_BRIEF_SECONDS = 0.01
"""Seconds that a thread waits for another after all: most holders are done sooner than a request is begun anew."""


class InProgressError(Exception):
    """A sign that another thread is doing this work: `wait` for its end, then begin the request anew."""

    def __init__(self, done: Future[None]) -> None:
        """Set the work, which ends when `done` has a result."""
        super().__init__("another thread is doing this work")
        self._done = done

    async def wait(self) -> None:
        """Wait until the work has ended, well or not."""
        await asyncio.shield(asyncio.wrap_future(self._done))


class ExclusiveWork:
    """A lock that no thread waits for, where the work under it may take long."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._current: Future[None] | None = None

    @contextmanager
    def alone(self) -> Generator[None]:
        """Hold the lock.

        Raises:
            InProgressError: another thread holds it. `ThreadPools.run_in` waits and begins anew.
        """
        mine: Future[None] = Future()
        if (current := self._claim(mine)) is not None:
            with suppress(TimeoutError):
                current.result(_BRIEF_SECONDS)
            if (current := self._claim(mine)) is not None:
                raise InProgressError(current)
        try:
            yield
        finally:
            with self._guard:
                self._current = None
            mine.set_result(None)

    def _claim(self, mine: Future[None]) -> Future[None] | None:
        with self._guard:
            if self._current is None:
                self._current = mine
                return None
            return self._current
