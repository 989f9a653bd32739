"""Work that one thread does for all, while the others wait without holding a thread."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Generator
from contextlib import contextmanager

_BRIEF_SECONDS = 0.01
"""Seconds that a thread waits for another anyway: most work ends sooner than a request restarts."""
_LOOK_SECONDS = 0.02


class InProgressError(Exception):
    """Raised when another thread is doing this work: `wait` for its end, then restart the request."""

    def __init__(self, lock: threading.Lock) -> None:
        super().__init__("another thread is doing this work")
        self._lock = lock

    async def wait(self) -> None:
        # An event would have to reach each event loop from a thread, for waits that are rare and short.
        while self._lock.locked():  # noqa: ASYNC110
            await asyncio.sleep(_LOOK_SECONDS)


class SingleFlight:
    """A lock for long work, which no thread waits for."""

    def __init__(self) -> None:
        self._lock = threading.Lock()

    @contextmanager
    def alone(self) -> Generator[None]:
        """Hold the lock. If another thread holds it, raise InProgressError: `ThreadPools.run_in` waits and starts
        the work again.
        """
        if not self._lock.acquire(timeout=_BRIEF_SECONDS):
            raise InProgressError(self._lock)
        try:
            yield
        finally:
            self._lock.release()
