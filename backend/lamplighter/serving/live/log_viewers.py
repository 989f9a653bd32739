"""The viewers of one log: the place of each in it, and what it is sent next.

A viewer that keeps up gets every publication; one that lags skips to the newest state. A stalled viewer has no queue that
could grow and delays no other viewer; it is dropped after `SEND_SECONDS`.
"""

from __future__ import annotations

import asyncio
import time
from abc import ABC, abstractmethod

from starlette.websockets import WebSocket

from lamplighter.serving.live.channel_log import Entry, Sequence
from lamplighter.serving.live.viewer import Viewer, send_in_time

AT_ONCE = 20
"""Viewers served before the event loop gets a turn: this takes two milliseconds, all 500 would take fifty."""
_PATIENCE = 2.0
"""Seconds that a message may wait before its viewer skips to the newest."""


class LogViewers(ABC):
    """The viewers of one log. Belongs to the event loop."""

    def __init__(self) -> None:
        self.viewers: set[Viewer] = set()
        self.skips = 0
        """Number of times a lagging viewer skipped to the newest state."""
        self._loop = asyncio.get_running_loop()

    @abstractmethod
    def entries_after(self, position: Sequence, *, text: bool) -> list[Entry] | None:
        """Return what was published after a position, oldest first. None: there is a gap."""

    @abstractmethod
    async def state_after(self, viewer: Viewer) -> tuple[Sequence, bytes | None] | None:
        """Return the newest position with the full state there, for a viewer who has nothing or too little. None: there
        is none after the viewer's position.
        """

    def wake_viewers(self) -> None:
        """Wake the viewers in groups, so that the event loop can do other work between them."""
        self._wake(list(self.viewers))

    def _wake(self, viewers: list[Viewer]) -> None:
        for viewer in viewers[:AT_ONCE]:
            viewer.news.set()
        if len(viewers) > AT_ONCE:
            self._loop.call_soon(self._wake, viewers[AT_ONCE:])

    async def feed_log(self, websocket: WebSocket, viewer: Viewer, send_seconds: float) -> None:
        """Send a viewer all it lacks, as fast as it reads. Raises CloseConnection if it takes more than `send_seconds`
        for a message.
        """
        while True:
            viewer.news.clear()
            if not await tell(websocket, viewer, send_seconds) and not await self._send_next(
                websocket, viewer, send_seconds
            ):
                await viewer.news.wait()

    async def _send_next(self, websocket: WebSocket, viewer: Viewer, send_seconds: float) -> bool:
        waiting = self.waiting_for(viewer)
        is_late = waiting is None or (len(waiting) > 1 and time.monotonic() - waiting[0].time > _PATIENCE)
        found = await self.state_after(viewer) if is_late else None
        if found is not None:
            self.skips += viewer.position is not None
            position, data = found
        elif waiting:
            position, data = waiting[0].seq, waiting[0].data
        else:
            return False
        if data:
            await send_in_time(websocket, data, send_seconds)
        viewer.position = position
        return True

    def waiting_for(self, viewer: Viewer) -> list[Entry] | None:
        """Return what was published after a viewer's position. None if it has none, or some of it is no longer
        kept.
        """
        return None if viewer.position is None else self.entries_after(viewer.position, text=viewer.text)

    def lag(self, viewer: Viewer) -> float:
        """Return how many seconds a joined viewer's next message has waited; 0 if there is none."""
        if viewer.position is None:
            return 0.0
        waiting = self.waiting_for(viewer)
        if waiting is None:
            return float("inf")
        return time.monotonic() - waiting[0].time if waiting else 0.0


async def tell(websocket: WebSocket, viewer: Viewer, send_seconds: float) -> bool:
    """Send a viewer the newest message about the class. Returns False if it has it."""
    told = viewer.to_tell
    if told == viewer.told:
        return False
    await send_in_time(websocket, told, send_seconds)
    viewer.told = told
    return True
