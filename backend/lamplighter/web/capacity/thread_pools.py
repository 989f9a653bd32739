"""Separate pools of threads, so that work of one kind never waits behind work of another.

Each pool has few threads, because routes share the machine with the trainer. A request waits for a thread on
the event loop, at most one per connection, and callers are served in turn. The presenter's requests have
separate threads, so neither a class that reads as fast as it can nor what pushers send delays pausing a run. A class viewer
gets a few threads of a pool, and an address without a session half of them, so that the next caller need not wait
for long work to end. A viewer who uses much CPU time rests between two works (`ViewerCredit`). Only
programs on this machine, which all share one address, may use all threads.

Turns alone are not enough: a viewer who asks without pause always has a thread at work, which competes for the CPU
with all others. So each viewer has a credit, which refills slowly; opening a page never uses it up. A viewer without
credit rests after each work, but never for long: one who explores a large run still gets every answer.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple, TypeVar

import anyio
import anyio.to_thread

from lamplighter.web.capacity.caller import ANYONE, Caller
from lamplighter.web.capacity.limiter import Limiter

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


CREDIT_SECONDS = 2.0
RATE = 0.1
"""Seconds of credit regained per second."""
LONGEST_REST = 2.0
_MAX_KNOWN = 1_000


@dataclass
class _Account:
    left: float
    at: float


class ViewerCredit:
    """The credit of each viewer. Belongs to one event loop."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._accounts: dict[str, _Account] = {}

    def charge(self, session: str, seconds: float) -> None:
        now = self._clock()
        account = self._accounts.pop(session, _Account(CREDIT_SECONDS, now))
        left = min(CREDIT_SECONDS, account.left + RATE * (now - account.at)) - seconds
        # Debt beyond the maximum rest is forgiven; otherwise one long work would cause a rest after each
        # later one.
        self._accounts[session] = _Account(max(left, -RATE * LONGEST_REST), now)
        if len(self._accounts) > _MAX_KNOWN:
            del self._accounts[next(iter(self._accounts))]

    def rest(self, session: str) -> float:
        """Return the seconds until a viewer's next work may begin; 0: now."""
        account = self._accounts.get(session)
        if account is None:
            return 0.0
        return max(0.0, -account.left / RATE - (self._clock() - account.at))


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
