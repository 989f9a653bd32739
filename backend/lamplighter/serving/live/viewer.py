"""A connected viewer: its position in the log, and the tasks of its websocket: one sends, one listens, and the first to end
ends them all.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field

from starlette.websockets import WebSocket, WebSocketDisconnect

from lamplighter.runfolder.errors import explain_read_error, is_transient
from lamplighter.serving.live.channel_log import Sequence

SEND_SECONDS = 10.0
"""Seconds allowed for sending one message."""
CLOSE_NO_SUCH_RUN, CLOSE_TOO_SLOW, CLOSE_UNREADABLE = 4404, 4408, 4409
"""Websocket close codes; after all but "too slow", retrying does not help."""


class CloseConnection(Exception):
    """Raised to make the server close a viewer's connection."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


@dataclass(eq=False)
class Viewer:
    """One socket. It has no queue: only the position in the log differs between viewers."""

    session_id: str = ""
    """The session of a class; "": none, as for the presenter's page, and a relay's log."""
    position: Sequence | None = None
    """The position in the log up to which everything was sent; None before it joined."""
    text: bool = False
    """True while it may see the run's text."""
    told: str = ""
    """The message about the class that it was sent last."""
    to_tell: str = ""
    """The newest one."""
    news: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when there may be something to send."""
    ended: asyncio.Future[CloseConnection] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )

    def request_close(self, code: int, reason: str) -> None:
        if not self.ended.done():
            self.ended.set_result(CloseConnection(code, reason))


def close_code_for(error: Exception) -> tuple[int, str]:
    """Return the close code and the reason for a viewer whose run cannot be read."""
    if is_transient(error):
        return 1011, f"this run cannot be read at the moment: {explain_read_error(error)}"[:120]
    return CLOSE_UNREADABLE, f"this run cannot be read: {explain_read_error(error)}"[:120]


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
