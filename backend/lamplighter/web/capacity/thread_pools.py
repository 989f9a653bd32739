"""Separate pools of threads, so that work of one kind never waits behind work of another.

Each pool has few threads, because routes share the machine with the trainer. A request waits for a thread on
the event loop, at most one per connection, and callers are served in turn. The presenter's requests have
separate threads, so neither a class that reads as fast as it can nor what pushers send delays pausing a run. A class viewer
gets a few threads of a pool, and an address without a session half of them, so that the next caller need not wait
for long work to end. A viewer who uses much CPU time rests between two works (`viewer_credit.py`). Only
programs on this machine, which all share one address, may use all threads.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from enum import Enum
from typing import NamedTuple, TypeVar

import anyio
import anyio.to_thread

from lamplighter.web.capacity.caller import ANYONE, Caller
from lamplighter.web.capacity.limiter import Limiter
from lamplighter.web.capacity.single_flight import InProgressError
from lamplighter.web.capacity.viewer_credit import ViewerCredit

Result = TypeVar("Result")


class Pool(Enum):
    """A thread pool that a route may name."""

    NONE = "none"
    """No thread: the route runs on the event loop, and must not block."""
    CHANGE = "change"
    """Changes, for the presenter only."""
    PUSH = "push"
    """Fragments that pushers send: checking one takes seconds."""
    PAGE = "page"
    """The files of the page, and the list of runs: never waits for the store of a run, which others may make slow."""
    CHEAP = "cheap"
    """Reads of a few files or rows."""
    DEAR = "dear"
    """Reads that may rebuild a matrix, or read all steps of a run."""
    MAKING = "making"
    """Making large answers, each of which holds a slot. No route names it."""


class _Threads(NamedTuple):
    """The threads of a pool."""

    shared: int
    viewer: int = 1
    """Maximum per class viewer. Its further requests wait for its own."""
    presenter: int = 0
    """Threads that the presenter alone uses; 0: it shares the others."""


_THREADS = {
    Pool.CHANGE: _Threads(4),
    Pool.PUSH: _Threads(2),
    Pool.PAGE: _Threads(3, viewer=2, presenter=1),
    Pool.CHEAP: _Threads(4, viewer=2, presenter=3),
    Pool.DEAR: _Threads(4, presenter=2),
    Pool.MAKING: _Threads(4),
}


class ThreadPools:
    """The pools of one server. Belongs to one event loop."""

    def __init__(self) -> None:
        self.credit = ViewerCredit()
        """The CPU time left to each class viewer."""
        self._anyone = {
            # The maker of a large body has already rested, before it took a slot.
            pool: Limiter(of.shared, of.viewer, None if pool is Pool.MAKING else self.credit.rest)
            for pool, of in _THREADS.items()
        }
        self._presenter = self._anyone | {
            pool: Limiter(of.presenter, of.presenter) for pool, of in _THREADS.items() if of.presenter
        }
        # The limiter has already chosen who may have a thread.
        self._threads = anyio.CapacityLimiter(sum(of.shared + of.presenter for of in _THREADS.values()))

    def waiting(self, pool: Pool, caller: Caller) -> int:
        return self._limiter(pool, caller).waiting(caller)

    async def run_in(self, pool: Pool, work: Callable[[], Result], *, caller: Caller = ANYONE) -> Result:
        """Run `work` in a thread of a pool and return its result.

        Work that needs what another thread is computing gives its thread back, waits on the event loop, and
        is restarted; so it must be safe to repeat up to that point.
        """
        limiter = self._limiter(pool, caller)
        took = 0.0

        def measured() -> Result:
            nonlocal took
            begun = time.thread_time()
            try:
                return work()
            finally:
                took = time.thread_time() - begun

        while True:
            release = await limiter.acquire(caller)
            try:
                return await anyio.to_thread.run_sync(measured, limiter=self._threads)
            except InProgressError as error:
                in_progress = error
            finally:
                if caller.session is not None:
                    self.credit.charge(caller.session, took)
                release()
            await in_progress.wait()

    def _limiter(self, pool: Pool, caller: Caller) -> Limiter:
        return (self._presenter if caller.presenter else self._anyone)[pool]
