"""The limit on large answers that are made at once: each holds a matrix, and shares the machine with the trainer.

A slot is for making an answer, never for sending it: a large answer is written to the spool as fast as it can be
made, the slot is given back, and the client reads from the spool. So it does not matter here how slowly clients read,
and slots come free within seconds.

One slot is reserved for the presenter, and while the presenter waits for more, no other client gets one. A viewer of a class
has one answer at a time, and off the loopback interface no address gets more than half of the slots. On it all clients have
the same address, and a client that wants more only opens more connections: counting per address or per connection would
limit none of them, so other programs of this machine share all slots but that one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from itertools import takewhile

from lamplighter.web.capacity.busy import BusyError
from lamplighter.web.capacity.caller import PRESENTER, Caller
from lamplighter.web.capacity.turn_limiter import Release, TurnLimiter

_SLOTS = 4
_SLOT_BYTES = 64 << 20
"""Bytes of memory that one slot stands for."""
_WAIT_SECONDS = 5.0
"""Seconds that a request waits for a slot, on the event loop: it takes seconds to make an answer, and costs nothing to
wait."""
_VIEWER_WAIT_SECONDS = 20.0
"""Seconds that a request of a class's viewer waits, whose large answers are made one after another."""
MAX_CALLERS = 500
"""Maximum callers that wait: a whole class."""
_MAX_WAITING = 32
"""Requests that wait, beyond which no caller may add a second one to its own: a few cannot fill the place where all wait."""
_VIEWER_WAITING = 8
"""Maximum of one viewer that wait: a browser asks for six things at once."""


class LargeResponseLimiter(TurnLimiter):
    """A limit on large answers made at a time. A request waits for it on the event loop, not in a thread."""

    def __init__(
        self,
        slots: int = _SLOTS,
        wait_seconds: float = _WAIT_SECONDS,
        rest: Callable[[str], float] | None = None,
        *,
        max_callers: int = MAX_CALLERS,
    ) -> None:
        """Start with this many free slots, each waited for at most `wait_seconds`. `rest` returns for how many seconds a
        session must not take one."""
        self._max_callers = max_callers
        super().__init__(slots, viewer_places=slots, rest=rest)
        self.wait_seconds = wait_seconds
        self.refused = 0
        """Answers refused so far."""

    async def acquire(self, caller: Caller, size: int = 0) -> Release:
        """Take one slot, plus more in proportion to the `size` bytes of memory that making an answer takes.

        Returns:
            A function that gives them back; calling it again does nothing.

        Raises:
            BusyError: the slots did not become free in time, or too many wait for them.
        """
        release = self.take(caller, size)
        if release is None and not self._is_crowded(caller):
            try:
                async with asyncio.timeout(
                    self.wait_seconds if caller.session is None else _VIEWER_WAIT_SECONDS
                ):
                    release = await self._wait(caller, size)
            except TimeoutError:
                pass
        if release is None:
            self.refused += 1
            raise BusyError(
                "this server is making as many large answers as it can at once: try again in a few seconds"
            )
        return release

    def has_room(self, caller: Caller, count: int) -> bool:
        """Return whether a caller may have so many slots more, of those that are not reserved for the presenter and that no
        caller before it waits for."""
        if not self._may_have(caller, count) or count > self.free:
            return False
        others = self._taken.total() - self._taken[PRESENTER]
        return caller.presenter or (others + count <= self._shared and not self._is_behind(caller))

    def count_places(self, caller: Caller, size: int) -> int:
        """Return how many slots an answer takes: however much memory it takes, it is made when no other is."""
        return min(self.most_places(caller), 1 + size // _SLOT_BYTES)

    def most_places(self, caller: Caller) -> int:
        """Return how many slots a caller may have at a time."""
        most = super().most_places(caller)
        return most if caller.presenter else min(most, self._shared)

    @property
    def _shared(self) -> int:
        """Return the slots that are not the presenter's alone."""
        return max(1, self._places - 1)

    def _may_have(self, caller: Caller, count: int) -> bool:
        """Return whether a caller may have so many slots more once they are free."""
        if caller.session is not None and self._taken[caller]:
            return False
        return count <= self.most_places(caller) - self._taken[caller]

    def _is_behind(self, caller: Caller) -> bool:
        """Return whether slots that come free are kept for another: the presenter, or the first whose turn it is. A large
        answer would never find enough of them while smaller ones take each at once.
        """
        if self.waiting(PRESENTER):
            return True
        return any(
            not self._rest_of(other) and self._may_have(other, self.count_places(other, queue[0][0]))
            for other, queue in takewhile(lambda item: item[0] != caller, self._waiting.items())
        )

    def _is_crowded(self, caller: Caller) -> bool:
        """Return whether too many wait for a caller to wait too. The presenter always may."""
        if caller.presenter:
            return False
        own = self.waiting(caller)
        if not own:
            return len(self._waiting) >= self._max_callers
        return self.waiting() >= _MAX_WAITING or (caller.session is not None and own >= _VIEWER_WAITING)
