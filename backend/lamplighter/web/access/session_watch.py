"""A watch that closes a socket when its session ends."""

from __future__ import annotations

import asyncio

import anyio.to_thread
from starlette.types import Message, Receive, Send

from lamplighter.web.access.session_store import SessionStore

CLOSE_NOT_ALLOWED = 4403
"""Websocket close code. Final: retrying does not help."""

_LOOK_EVERY = 5.0
"""Seconds between two checks of the session, which another process may end."""


def with_session(
    sessions: SessionStore, session_id: str, receive: Receive, send: Send, every: float | None = None
) -> tuple[Receive, Send]:
    """Return a `receive` and a `send` for a socket's app. When the session ends, the peer gets a close frame and
    the app a disconnect. It is checked `every` so many seconds.
    """
    seconds = _LOOK_EVERY if every is None else every
    pending: asyncio.Task[Message] | None = None
    over = False

    async def receive_while_valid() -> Message:
        nonlocal pending, over
        while not over:
            # Keep the task for the next check, so that a received message is not lost.
            pending = pending or asyncio.create_task(_next(receive))
            try:
                done, _ = await asyncio.wait({pending}, timeout=seconds)
                if not done:
                    await anyio.to_thread.run_sync(sessions.reload)
            except asyncio.CancelledError:
                pending.cancel()
                raise
            if done:
                message, pending = pending.result(), None
                return message
            if not sessions.is_valid(session_id):
                over = True
                pending.cancel()
                await send(
                    {"type": "websocket.close", "code": CLOSE_NOT_ALLOWED, "reason": "this session was ended"}
                )
        return {"type": "websocket.disconnect", "code": CLOSE_NOT_ALLOWED}

    async def send_while_valid(message: Message) -> None:
        if over:
            raise OSError("the session of this socket has ended")
        await send(message)

    return receive_while_valid, send_while_valid


async def _next(receive: Receive) -> Message:
    return await receive()
