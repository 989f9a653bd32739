"""A connected viewer: its channels, its send queue, and the tasks of its websocket: one sends, one listens, and the first
to end ends them all.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Collection, Coroutine, Mapping
from dataclasses import dataclass, field

from starlette.websockets import WebSocket, WebSocketDisconnect

from lamplighter.runfolder.errors import explain_read_error, is_transient
from lamplighter.serving.live.beat_picker import BEAT_SECONDS
from lamplighter.serving.live.send_queue import MessageKind, SendQueue, TooFarBehindError, ViewerMessage
from lamplighter.wire.binary import FrameError

CHANNEL_NAMES = ("pulse", "beats", "layout")
DEFAULT_CHANNELS = "pulse,layout"
_MAX_INTERVAL = 60.0
SEND_SECONDS = 10.0
"""Seconds allowed for sending one message."""
CLOSE_CANNOT_BE_SHOWN, CLOSE_NO_SUCH_RUN, CLOSE_TOO_SLOW, CLOSE_UNREADABLE = 4400, 4404, 4408, 4409
"""Websocket close codes; after all but "too slow", retrying does not help."""
CHANNEL_OF_KIND = {
    MessageKind.PULSE: "pulse",
    MessageKind.CENSUS: "pulse",
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

    def request_close(self, code: int, reason: str) -> None:
        if not self.ended.done():
            self.ended.set_result(CloseConnection(code, reason))


class QueryError(ValueError):
    """Raised for the parameters of a socket that are not valid; the message says which are."""


def close_code_for(error: Exception) -> tuple[int, str]:
    """Return the close code and the reason for a viewer whose run cannot be read."""
    if is_transient(error):
        return 1011, f"this run cannot be read at the moment: {explain_read_error(error)}"[:120]
    return CLOSE_UNREADABLE, f"this run cannot be read: {explain_read_error(error)}"[:120]


def parse_interval(query: Mapping[str, str], channels: Collection[str]) -> float | None:
    """Parse the minimum seconds between two beats in the parameter `interval`; None for a viewer without beats.
    Raises QueryError if it is not valid, or cannot be combined with the others.
    """
    if "beats" not in channels:
        if "interval" in query:
            raise QueryError("`interval` needs the channel `beats`")
        return None
    if "pulse" in channels:
        raise QueryError("`beats` take the place of `pulse`")
    text = query.get("interval")
    if text is None:
        return BEAT_SECONDS
    if (
        not re.fullmatch(r"[0-9]{1,2}(\.[0-9]{1,9})?", text)
        or not BEAT_SECONDS <= float(text) <= _MAX_INTERVAL
    ):
        raise QueryError(f"`interval` must be seconds, {BEAT_SECONDS:.2f} to {_MAX_INTERVAL:g}")
    return float(text)


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
) -> None:
    """Serve an accepted socket until its viewer leaves, stops reading, or is closed, which `ended` announces.

    `sending` raises `CloseConnection` to close the socket; `listening` ends when the viewer has left.
    """
    sender = asyncio.create_task(sending)
    listener = asyncio.create_task(listening)
    try:
        await asyncio.wait({sender, listener, ended}, return_when=asyncio.FIRST_COMPLETED)
        if listener.done() or websocket.client_state.name == "DISCONNECTED":
            return
        closed = ended.result() if ended.done() else sender.exception()
    finally:
        for task in (sender, listener):
            task.cancel()
        await asyncio.gather(sender, listener, return_exceptions=True)
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
