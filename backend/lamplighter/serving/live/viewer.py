"""A connected viewer: its channels, its send queue, and the tasks of its websocket: one sends, one listens, and the first
to end ends them all.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field

from starlette.websockets import WebSocket, WebSocketDisconnect

from lamplighter.serving.live.send_queue import MessageKind, SendQueue, TooFarBehindError, ViewerMessage
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


Work = Coroutine[object, object, None]


async def run_socket(
    websocket: WebSocket,
    ended: asyncio.Future[CloseConnection],
    *,
    sending: Work,
    listening: Work,
    playing: Work | None = None,
) -> None:
    """Serve an accepted socket until its viewer leaves, stops reading, or is closed, which `ended` announces.

    `sending` raises `CloseConnection` to close the socket; `listening` ends when the viewer has left; `playing`
    is further work, which ends with the socket.
    """
    player = asyncio.create_task(playing) if playing is not None else None
    sender = asyncio.create_task(sending)
    listener = asyncio.create_task(listening)
    try:
        await asyncio.wait({sender, listener, ended}, return_when=asyncio.FIRST_COMPLETED)
        if listener.done() or websocket.client_state.name == "DISCONNECTED":
            return
        closed = ended.result() if ended.done() else sender.exception()
    finally:
        tasks = [task for task in (sender, listener, player) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        ended.cancel()
    if not isinstance(closed, CloseConnection):
        if closed is not None and not isinstance(closed, WebSocketDisconnect | RuntimeError):
            raise closed
        return
    try:
        async with asyncio.timeout(1.0):
            await websocket.close(closed.code, closed.reason)
    except (TimeoutError, RuntimeError):
        # The peer does not even read the close frame.
        pass
    if closed.code == CLOSE_TOO_SLOW:
        abort(websocket)


async def send_in_time(websocket: WebSocket, data: bytes | str, seconds: float) -> None:
    """Send one message. Raises CloseConnection if the viewer did not take it within `seconds`."""
    try:
        async with asyncio.timeout(seconds):
            await (websocket.send_text(data) if isinstance(data, str) else websocket.send_bytes(data))
    except TimeoutError:
        raise CloseConnection(CLOSE_TOO_SLOW, "reading too slowly") from None
