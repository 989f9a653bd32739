"""The tasks of one websocket: one sends, one listens, and the first to end ends them all."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine

from starlette.websockets import WebSocket, WebSocketDisconnect

from lamplighter.serving.live.viewer import CLOSE_TOO_SLOW, CloseConnection, abort

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
