"""A connected viewer: its channels, its send queue, and how its connection ends."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from starlette.websockets import WebSocket

from lamplighter.serving.live.message import MessageKind, ViewerMessage
from lamplighter.serving.live.send_queue import SendQueue, TooFarBehindError
from lamplighter.wire.binary import FrameError

CHANNEL_NAMES = ("pulse", "beats", "layout", "rows")
DEFAULT_CHANNELS = "pulse,layout"
SEND_SECONDS = 10.0
"""Seconds allowed for sending one message."""
CLOSE_NO_SUCH_RUN, CLOSE_TOO_SLOW, CLOSE_UNREADABLE = 4404, 4408, 4409
CHANNEL_OF_KIND = {
    MessageKind.PULSE: "pulse",
    MessageKind.CENSUS: "pulse",
    MessageKind.ROWS: "rows",
    MessageKind.MATRIX: "rows",
    MessageKind.LINEAR: "layout",
    MessageKind.UMAP: "layout",
    MessageKind.DISTRICTS: "layout",
}


class CloseConnection(Exception):
    """Raised to make the server close a viewer's connection."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


@dataclass(eq=False)
class Viewer:
    """One connected websocket."""

    channels: frozenset[str]
    queue: SendQueue = field(default_factory=SendQueue)
    joined: bool = False
    playing: bool = False
    """True while it replays the past instead of receiving live messages."""
    dequeued: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when a message leaves the send queue."""
    first_live_messages: list[ViewerMessage] | None = None
    """The messages to send once it is live, while it is about to join."""
    join_answer: asyncio.Future[bool] | None = None
    """The run follower's answer to the waiting playback session."""
    ended: asyncio.Future[CloseConnection] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )

    def enqueue(self, messages: list[ViewerMessage]) -> None:
        """Queue the messages that belong to the viewer's channels."""
        wanted = self.channels | {"pulse"} if "beats" in self.channels else self.channels
        try:
            for message in messages:
                channel = CHANNEL_OF_KIND.get(message.kind)
                if channel is None or channel in wanted:
                    self.queue.put(message)
        except TooFarBehindError:
            self.request_close(CLOSE_TOO_SLOW, "reading too slowly")
        except FrameError as error:
            self.request_close(CLOSE_UNREADABLE, f"a step cannot be read: {error}"[:120])

    async def wait_for_room(self, limit: int) -> None:
        while self.queue.pending_count() > limit:
            self.dequeued.clear()
            await self.dequeued.wait()

    def request_close(self, code: int, reason: str) -> None:
        if not self.ended.done():
            self.ended.set_result(CloseConnection(code, reason))


def parse_channels(query: Mapping[str, str]) -> frozenset[str]:
    """Return the valid channels that a viewer asks for."""
    wanted = query.get("channels", DEFAULT_CHANNELS).split(",")
    return frozenset(name for name in wanted if name in CHANNEL_NAMES)


def abort(websocket: WebSocket) -> None:
    """Drop the connection with its unsent bytes, if the server supports that (`viewer_protocol.py`)."""
    abort: Callable[[], None] | None = websocket.scope.get("extensions", {}).get("lamplighter.abort")
    if abort is not None:
        abort()
