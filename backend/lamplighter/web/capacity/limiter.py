"""A limit on work done at a time, whose free places go round: one to each waiting caller, then one to each again.

In a queue in order of arrival, one client that sends a hundred requests at once makes all others wait for a hundred. Here
a client's requests wait for each other, and those of another client for one of them.

Places may be threads, or slots for the making of large bodies. A slot stands for memory: a body takes more of them the
larger it is, but holds none while it is sent, so slow readers do not matter here. One slot is reserved for the presenter,
and while the presenter waits for more, no other client gets one.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter, deque
from collections.abc import Callable
from contextlib import suppress
from itertools import takewhile

from lamplighter.web.capacity.caller import PRESENTER, Caller

Release = Callable[[], None]

SLOTS = 4
_SLOT_BYTES = 64 << 20
"""Bytes of memory that one slot stands for."""
WAIT_SECONDS = 5.0
"""Longest wait for a slot, on the event loop: a body takes seconds to make, and waiting costs nothing."""
_VIEWER_WAIT_SECONDS = 20.0
"""Longest wait of a class's viewer, whose bodies are made one after another."""
MAX_CALLERS = 500
"""Maximum callers that wait: a whole class."""
_MAX_WAITING = 32
"""Maximum requests that wait, of callers with more than one: a few callers must not fill the queue."""
_MAX_VIEWER_WAITING = 8
"""Maximum requests of one viewer that wait: a browser sends six at once."""
_RETRY_SECONDS = (2, 6)


class BusyError(Exception):
    """A refusal for now: asked again after `retry_after` seconds, the same request may be answered."""

    def __init__(self, detail: str) -> None:
        """Set the reason, a sentence for the person who waits."""
        super().__init__(detail)
        # Drawn at random, so that those refused together do not come back together.
        self.retry_after = random.randint(*_RETRY_SECONDS)


class Limiter:
    """Places for work. Belongs to one event loop."""

    def __init__(
        self,
        places: int,
        viewer_works: int = 1,
        rest: Callable[[str], float] | None = None,
        *,
        reserved: int = 0,
        wait_seconds: float | None = None,
        max_callers: int = MAX_CALLERS,
    ) -> None:
        """Start with this many free places. An address has at most half of them.

        Args:
            places: how many there are.
            viewer_works: how many works one viewer of a class has at a time.
            rest: returns for how many seconds a session must not begin another; None: none rests.
            reserved: how many places only the presenter takes.
            wait_seconds: longest wait for a place, after which a caller is refused; None: no limit, nor one on how many wait.
            max_callers: how many callers wait at a time.
        """
        self._places = places
        self._viewer_works = viewer_works
        self._rest = rest
        self._reserved = reserved
        self._shared = max(1, places - reserved)
        self.wait_seconds = wait_seconds
        self._max_callers = max_callers
        self._alarm: asyncio.TimerHandle | None = None
        self._taken: Counter[Caller] = Counter()
        self._works: Counter[Caller] = Counter()
        self._waiting: dict[Caller, deque[tuple[int, asyncio.Future[Release]]]] = {}
        """The works that wait, by caller in the order of the turns."""
        self.refused = 0
        """Works refused so far."""

    @property
    def free(self) -> int:
        """Return the number of free places."""
        return self._places - self._taken.total()

    async def acquire(self, caller: Caller, size: int = 0) -> Release:
        """Take one place, or more for a work that takes `size` bytes of memory, when they are free and it is the caller's turn.

        Returns:
            A function that gives them back; calling it again does nothing.

        Raises:
            BusyError: the places did not become free in time, or too many callers wait for them.
        """
        release = self.take(caller, size)
        if release is None and self.wait_seconds is None:
            return await self._wait(caller, size)
        if release is None and not self._is_crowded(caller):
            seconds = self.wait_seconds if caller.session is None else _VIEWER_WAIT_SECONDS
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    release = await self._wait(caller, size)
        if release is None:
            self.refused += 1
            raise BusyError(
                "this server is making as many large answers as it can at once: try again in a few seconds"
            )
        return release

    def take(self, caller: Caller, size: int = 0) -> Release | None:
        """Take places as `acquire` does, now; None if that is not possible."""
        count = self._count_places(caller, size)
        if self._rest_of(caller) or not self._has_room(caller, count):
            return None
        self._taken[caller] += count
        self._works[caller] += 1
        holding = [count]

        def release() -> None:
            if holding:
                self._taken[caller] -= holding.pop()
                self._works[caller] -= 1
                self._taken += Counter()
                self._works += Counter()
                self._give_turns()

        return release

    def waiting(self, caller: Caller | None = None) -> int:
        """Return how many works wait, of all callers or of one."""
        if caller is not None:
            return len(self._waiting.get(caller, ()))
        return sum(map(len, self._waiting.values()))

    def _max_places(self, caller: Caller) -> int:
        """Return how many places a caller may have at a time."""
        if caller.presenter:
            return self._places
        return self._shared if caller.address is None else min(self._shared, max(1, self._places // 2))

    def _count_places(self, caller: Caller, size: int) -> int:
        """Return how many places a work takes: however much memory it takes, it begins when no other runs."""
        return min(self._max_places(caller), 1 + size // _SLOT_BYTES)

    def _may_have(self, caller: Caller, count: int) -> bool:
        """Return whether a caller may have so many places more once they are free."""
        if caller.session is not None and self._works[caller] >= self._viewer_works:
            return False
        return count <= self._max_places(caller) - self._taken[caller]

    def _has_room(self, caller: Caller, count: int) -> bool:
        """Return whether a caller may have so many places more, of those that are free, not reserved, and not kept for another
        caller."""
        if not self._may_have(caller, count) or count > self.free:
            return False
        others = self._taken.total() - self._taken[PRESENTER]
        return caller.presenter or (others + count <= self._shared and not self._is_behind(caller))

    def _is_behind(self, caller: Caller) -> bool:
        """Return whether free places are kept for another caller: the presenter where
        places are reserved, or the first in turn. A large work would
        never find enough of them while smaller ones take each at once.
        """
        if self._reserved and self.waiting(PRESENTER):
            return True
        return any(
            not self._rest_of(other) and self._may_have(other, self._count_places(other, queue[0][0]))
            for other, queue in takewhile(lambda item: item[0] != caller, self._waiting.items())
        )

    def _is_crowded(self, caller: Caller) -> bool:
        """Return whether so many wait that a caller must not wait too. The presenter always may."""
        if caller.presenter:
            return False
        own = self.waiting(caller)
        if not own:
            return len(self._waiting) >= self._max_callers
        return self.waiting() >= _MAX_WAITING or (caller.session is not None and own >= _MAX_VIEWER_WAITING)

    async def _wait(self, caller: Caller, size: int) -> Release:
        granted: asyncio.Future[Release] = asyncio.get_running_loop().create_future()
        entry = (size, granted)
        self._waiting.setdefault(caller, deque()).append(entry)
        self._set_alarm()
        try:
            return await granted
        except asyncio.CancelledError:
            if granted.done() and not granted.cancelled():
                granted.result()()
            else:
                self._leave(caller, entry)
                # Others may have waited for its turn.
                self._give_turns()
            raise

    def _give_turns(self) -> None:
        """Give the free places to those who wait, as far as they go."""
        while self._give_one():
            pass
        self._set_alarm()

    def _give_one(self) -> bool:
        """Give the first caller that may have them the places for one work. Return whether there was one."""
        for caller in list(self._waiting):
            while (queue := self._waiting.get(caller)) and (release := self.take(caller, queue[0][0])):
                entry = queue[0]
                self._leave(caller, entry)
                if entry[1].done():
                    # It was cancelled, and has not noticed yet.
                    release()
                    continue
                entry[1].set_result(release)
                if caller in self._waiting:
                    # Its next one comes after those of all others.
                    self._waiting[caller] = self._waiting.pop(caller)
                return True
        return False

    def _set_alarm(self) -> None:
        """Look again when the first waiting caller has rested."""
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        rests = [rest for caller in self._waiting if (rest := self._rest_of(caller)) > 0]
        if rests:
            self._alarm = asyncio.get_running_loop().call_later(min(rests), self._give_turns)

    def _rest_of(self, caller: Caller) -> float:
        return 0.0 if caller.session is None or self._rest is None else self._rest(caller.session)

    def _leave(self, caller: Caller, entry: tuple[int, asyncio.Future[Release]]) -> None:
        queue = self._waiting.get(caller)
        if queue is not None and entry in queue:
            queue.remove(entry)
            if not queue:
                del self._waiting[caller]


def body_slots(
    slots: int = SLOTS,
    wait_seconds: float = WAIT_SECONDS,
    rest: Callable[[str], float] | None = None,
    *,
    max_callers: int = MAX_CALLERS,
) -> Limiter:
    """Return the limiter of large bodies that are made at a time, of which a viewer has one."""
    return Limiter(slots, rest=rest, reserved=1, wait_seconds=wait_seconds, max_callers=max_callers)
