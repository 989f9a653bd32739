"""Separate pools of threads, so that work of one kind never waits behind work of another.

Few threads each, because routes share the machine with the trainer. What waits for a thread waits on the event loop,
at most one request per connection. The presenter's requests have threads of their own: a class that reads as fast as
it can does not keep a run from being paused.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import TypeVar

import anyio
import anyio.to_thread

from lamplighter.serving.capacity.exclusive_work import InProgressError

Result = TypeVar("Result")


class Pool(Enum):
    """A pool of threads that a route may name."""

    NONE = "none"
    """No thread: the route runs on the event loop, and must not block."""
    CHANGE = "change"
    """Changes, which only the presenter may make."""
    CHEAP = "cheap"
    """Reads of a few files or rows."""
    DEAR = "dear"
    """Reads that may rebuild a matrix, or read all steps of a run."""
    MAKING = "making"
    """The making of large answers, each of which holds a slot. No route names it."""


_THREADS = {Pool.CHANGE: 4, Pool.CHEAP: 4, Pool.DEAR: 4, Pool.MAKING: 4}
_PRESENTER_THREADS = {Pool.CHEAP: 3, Pool.DEAR: 2}


class ThreadPools:
    """The pools of one server. Belongs to one event loop."""

    def __init__(self) -> None:
        self._anyone = {pool: anyio.CapacityLimiter(threads) for pool, threads in _THREADS.items()}
        self._presenter = self._anyone | {
            pool: anyio.CapacityLimiter(threads) for pool, threads in _PRESENTER_THREADS.items()
        }

    async def run_in(self, pool: Pool, work: Callable[[], Result], *, presenter: bool = False) -> Result:
        """Run `work` in a thread of a pool and return its result.

        Work that needs what another thread is computing gives its thread back, waits on the event loop, and is begun
        anew; so it must be safe to repeat up to that point.
        """
        limiter = (self._presenter if presenter else self._anyone)[pool]
        while True:
            try:
                return await anyio.to_thread.run_sync(work, limiter=limiter)
            except InProgressError as error:
                await error.wait()
