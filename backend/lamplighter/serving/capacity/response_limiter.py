"""The limit on large answers that are made at once: each holds a matrix, and shares the machine with the trainer.

A slot is for making an answer, never for sending it: a large answer is written to the spool as fast as it can be
made, the slot is given back, and the client reads from the spool. So it does not matter here how slowly clients read,
and slots come free within seconds.

One slot is the presenter's alone, whatever others ask for. Off the loopback interface no address gets more than half
of the slots. On it everybody has the same address, and a client that wants more only opens more connections: counting
per address or per connection would bound nobody there, so other programs of this machine share all slots but that
one.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Callable

from lamplighter.serving.capacity.busy import BusyError
from lamplighter.serving.capacity.caller import PRESENTER, Caller

_SLOTS = 4
_SLOT_BYTES = 64 << 20
"""Bytes of memory that one slot stands for."""
_WAIT_SECONDS = 5.0
"""Seconds that a request waits for a slot, on the event loop: it takes seconds to make an answer, and costs nothing to
wait."""
_MOST_WAITING = 32


class LargeResponseLimiter:
    """A limit on large answers made at a time. Belongs to one event loop; nobody waits for it in a thread."""

    def __init__(self, slots: int = _SLOTS, wait_seconds: float = _WAIT_SECONDS) -> None:
        """Start with this many free slots, each waited for at most `wait_seconds`."""
        self._slots = slots
        self.wait_seconds = wait_seconds
        self._taken: Counter[Caller] = Counter()
        self._waiting: deque[asyncio.Future[None]] = deque()
        self.refused = 0
        """Answers refused so far."""

    @property
    def free(self) -> int:
        """Return the number of free slots."""
        return self._slots - self._taken.total()

    async def acquire(self, caller: Caller, size: int = 0) -> Callable[[], None]:
        """Take one slot, plus more in proportion to the `size` bytes of memory that making an answer takes.

        Returns:
            A function that gives them back; calling it again does nothing.

        Raises:
            BusyError: the slots did not become free in time, or too many wait for them.
        """
        try:
            async with asyncio.timeout(self.wait_seconds):
                while (release := self.take(caller, size)) is None:
                    if len(self._waiting) >= _MOST_WAITING:
                        break
                    await self._wait_for_release()
        except TimeoutError:
            release = None
        if release is None:
            self.refused += 1
            raise BusyError(
                "this server is making as many large answers as it can at once: try again in a few seconds"
            )
        return release

    def take(self, caller: Caller, size: int = 0) -> Callable[[], None] | None:
        """Take slots as `acquire` does, now; None if they are not free."""
        most = self._most(caller)
        # However much memory it takes, an answer is made when no other is.
        count = min(most, 1 + size // _SLOT_BYTES)
        if self.free < count:
            return None
        if not caller.presenter:
            others = self._taken.total() - self._taken[PRESENTER]
            if others + count > self._shared or self._taken[caller] + count > most:
                return None
        self._taken[caller] += count
        holding = [count]

        def release() -> None:
            if holding:
                self._taken[caller] -= holding.pop()
                self._taken += Counter()
                for waiting in self._waiting:
                    if not waiting.done():
                        waiting.set_result(None)

        return release

    @property
    def _shared(self) -> int:
        """Return the slots that are not the presenter's alone."""
        return max(1, self._slots - 1)

    def _most(self, caller: Caller) -> int:
        if caller.presenter:
            return self._slots
        return self._shared if caller.address is None else max(1, self._slots // 2)

    async def _wait_for_release(self) -> None:
        released = asyncio.get_running_loop().create_future()
        self._waiting.append(released)
        try:
            await released
        finally:
            self._waiting.remove(released)
