"""The state of the class's listener, and how routes start and stop it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from lamplighter.web.hosts import Origin

_SECONDS = 10.0


class ClassListener(Protocol):
    """The part of the server that listens for the class. Belongs to the event loop."""

    async def start(self) -> None:
        """Start to listen; raises SettingsError if that fails."""
        ...

    async def stop(self) -> None:
        """Close every connection of the class and stop listening."""
        ...


@dataclass
class ClassListening:
    """The class's listener, as routes see it."""

    available: bool = False
    """True if the server was started with a class."""
    listening: bool = False
    addresses: Sequence[Origin] = ()
    """The addresses at which people reach the class, the likeliest first."""
    _listener: ClassListener | None = field(default=None, repr=False)
    loop: asyncio.AbstractEventLoop | None = field(default=None, repr=False)
    """The listener's event loop, once it runs."""

    @property
    def encrypted(self) -> bool:
        return bool(self.addresses) and self.addresses[0].scheme == "https"

    def attach(self, listener: ClassListener) -> None:
        self._listener = listener

    def start(self) -> None:
        """Return once it listens; raises SettingsError if it cannot. Call it from a thread other than the loop's."""
        if self._listener is not None:
            self._wait_for(self._listener.start())

    def stop(self) -> None:
        """Close the class's connections and stop listening. Call it from a thread other than the loop's."""
        if self._listener is not None:
            self._wait_for(self._listener.stop())

    def _wait_for(self, work: Awaitable[None]) -> None:
        async def run() -> None:
            await work

        assert self.loop is not None
        asyncio.run_coroutine_threadsafe(run(), self.loop).result(_SECONDS)
