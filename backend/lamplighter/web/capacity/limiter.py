"""Limits concurrent work, and serves waiting callers in turn: one place each, then again from the first.

With a first-come queue, one client that sends a hundred requests at once makes all others wait for a hundred.
Here a client's requests wait for each other, and those of another client for only one of them.

Places may be threads, or slots for making large bodies. A slot stands for memory: a larger body takes more of
them, but holds none while it is sent, so slow readers do not matter here. One slot is reserved for the
presenter, and while the presenter waits for more, other clients get none.
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
"""Maximum wait for a slot, on the event loop: a body takes seconds to make, and waiting costs nothing."""
_VIEWER_WAIT_SECONDS = 20.0
"""Maximum wait of a class viewer, whose bodies are made one after another."""
MAX_CALLERS = 500
"""Maximum waiting callers: a whole class."""
_MAX_WAITING = 32
"""Maximum waiting requests of callers with more than one, so that a few callers cannot fill the queue."""
_MAX_VIEWER_WAITING = 8
"""Maximum waiting requests of one viewer: a browser sends six at once."""
_RETRY_SECONDS = (2, 6)


class BusyError(Exception):
    """A temporary refusal: the same request may succeed after `retry_after` seconds."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        # Random, so that clients refused together do not return together.
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
        """Start with `places` free places, of which an address gets at most half.

        `viewer_works`: concurrent works of one class viewer. `rest` returns the seconds until a session may
        begin another work. `reserved` places are the presenter's. `wait_seconds`: after them a caller is
        refused; None for no limit on the wait or on the number of waiting callers, else `max_callers`.
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
        """The waiting works by caller, in order of turns."""

    @property
    def free(self) -> int:
        return self._places - self._taken.total()

    async def acquire(self, caller: Caller, size: int = 0) -> Release:
        """Take one place, or more for a work of `size` bytes, when free and the caller's turn. Returns a function
        that gives them back; further calls do nothing. Raises BusyError if they did not become free in time, or
        too many callers are waiting.
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
            raise BusyError(
                "this server is making as many large answers as it can at once: try again in a few seconds"
            )
        return release

    def take(self, caller: Caller, size: int = 0) -> Release | None:
        """Take places as `acquire` does, without waiting; None if they are not available."""
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
        if caller is not None:
            return len(self._waiting.get(caller, ()))
        return sum(map(len, self._waiting.values()))

    def _max_places(self, caller: Caller) -> int:
        if caller.presenter:
            return self._places
        return self._shared if caller.address is None else min(self._shared, max(1, self._places // 2))

    def _count_places(self, caller: Caller, size: int) -> int:
        """Return the number of places for a work; the largest work takes all, so it runs alone."""
        return min(self._max_places(caller), 1 + size // _SLOT_BYTES)

    def _may_have(self, caller: Caller, count: int) -> bool:
        if caller.session is not None and self._works[caller] >= self._viewer_works:
            return False
        return count <= self._max_places(caller) - self._taken[caller]

    def _has_room(self, caller: Caller, count: int) -> bool:
        """Return whether `count` places are free for a caller: not reserved, and not kept for another."""
        if not self._may_have(caller, count) or count > self.free:
            return False
        others = self._taken.total() - self._taken[PRESENTER]
        return caller.presenter or (others + count <= self._shared and not self._is_behind(caller))

    def _is_behind(self, caller: Caller) -> bool:
        """Return whether free places are kept for another caller: the presenter where places are reserved, or the
        first in turn. Otherwise smaller works would take every place, and a large one would never start.
        """
        if self._reserved and self.waiting(PRESENTER):
            return True
        return any(
            not self._rest_of(other) and self._may_have(other, self._count_places(other, queue[0][0]))
            for other, queue in takewhile(lambda item: item[0] != caller, self._waiting.items())
        )

    def _is_crowded(self, caller: Caller) -> bool:
        """Return whether too many callers wait for this one to wait too. The presenter always may."""
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
        while self._give_one():
            pass
        self._set_alarm()

    def _give_one(self) -> bool:
        for caller in list(self._waiting):
            while (queue := self._waiting.get(caller)) and (release := self.take(caller, queue[0][0])):
                entry = queue[0]
                self._leave(caller, entry)
                if entry[1].done():
                    # Cancelled, but the task has not noticed yet.
                    release()
                    continue
                entry[1].set_result(release)
                if caller in self._waiting:
                    # Its next work comes after those of all others.
                    self._waiting[caller] = self._waiting.pop(caller)
                return True
        return False

    def _set_alarm(self) -> None:
        """Schedule another look for when the first waiting caller has rested. One may have rested since it was
        passed over, a moment ago: without another look it would wait for good, and all others behind it.
        """
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        rests = [
            rest
            for caller, queue in self._waiting.items()
            if (rest := self._rest_of(caller))
            or self._has_room(caller, self._count_places(caller, queue[0][0]))
        ]
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
    """Return the limiter of large bodies in the making, of which a viewer has one at a time."""
    return Limiter(slots, rest=rest, reserved=1, wait_seconds=wait_seconds, max_callers=max_callers)
