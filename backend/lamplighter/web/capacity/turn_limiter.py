"""A limit on what is done at a time, whose free places go to those who wait in turn: first one of each, then again.

In a queue in order of arrival, one client that asks a hundred times at once makes everybody else wait for a hundred. Here
the requests of one client wait for each other, and those of another for one of them.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Callable

from lamplighter.web.capacity.caller import Caller

Release = Callable[[], None]


class TurnLimiter:
    """Places for work. Belongs to one event loop."""

    def __init__(self, places: int, viewer_places: int, rest: Callable[[str], float] | None = None) -> None:
        """Start with this many free places.

        Args:
            places: how many there are.
            viewer_places: how many one viewer of a class takes at most; an address takes half of all.
            rest: returns for how many seconds a session must not take one; None: for none.
        """
        self._places = places
        self._viewer_places = viewer_places
        self._rest = rest
        self._alarm: asyncio.TimerHandle | None = None
        self._taken: Counter[Caller] = Counter()
        self._waiting: dict[Caller, deque[tuple[int, asyncio.Future[Release]]]] = {}
        """Those who wait, by caller in the order of the turns."""

    @property
    def free(self) -> int:
        """Return the number of free places."""
        return self._places - self._taken.total()

    async def acquire(self, caller: Caller, size: int = 0) -> Release:
        """Take a place as soon as there is one, and it is the caller's turn. `size` is the size of the work.

        Returns:
            A function that gives it back; calling it again does nothing.
        """
        release = self.take(caller, size)
        return await self._wait(caller, size) if release is None else release

    def take(self, caller: Caller, size: int = 0) -> Release | None:
        """Take a place as `acquire` does, now; None if that is not possible."""
        count = self.count_places(caller, size)
        if self._rest_of(caller) or not self.has_room(caller, count):
            return None
        self._taken[caller] += count
        holding = [count]

        def release() -> None:
            if holding:
                self._taken[caller] -= holding.pop()
                self._taken += Counter()
                self._give_turns()

        return release

    def has_room(self, caller: Caller, count: int) -> bool:
        """Return whether a caller may have so many places more."""
        return count <= min(self.free, self.most_places(caller) - self._taken[caller])

    def count_places(self, caller: Caller, size: int) -> int:
        """Return how many places a work of this size takes."""
        return 1

    def most_places(self, caller: Caller) -> int:
        """Return how many places a caller may have at a time."""
        if caller.session is not None:
            return self._viewer_places
        return self._places if caller.address is None else max(1, self._places // 2)

    def waiting(self, caller: Caller | None = None) -> int:
        """Return how many wait, in all or of one caller."""
        if caller is not None:
            return len(self._waiting.get(caller, ()))
        return sum(map(len, self._waiting.values()))

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
        """Give what is free to those who wait, as far as it goes."""
        while self._give_round():
            pass
        self._set_alarm()

    def _give_round(self) -> bool:
        """Give each caller that waits one place, as far as there are any. Return whether one got a place."""
        given = False
        for caller in list(self._waiting):
            while (queue := self._waiting.get(caller)) and (release := self.take(caller, queue[0][0])):
                entry = queue[0]
                self._leave(caller, entry)
                if entry[1].done():
                    # It was cancelled, and has not noticed yet.
                    release()
                    continue
                entry[1].set_result(release)
                given = True
                if caller in self._waiting:
                    # Its next one comes after those of all others.
                    self._waiting[caller] = self._waiting.pop(caller)
                break
        return given

    def _set_alarm(self) -> None:
        """Look again when the first of those who wait has rested."""
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
