"""The watch over a socket that a session lets in: it closes when the session ends."""

from __future__ import annotations

import asyncio

import anyio.to_thread
from starlette.types import Message, Receive, Send

from lamplighter.web.access.session_store import SessionStore

CLOSE_NOT_ALLOWED = 4403
"""Websocket close code. Final: retrying does not help."""

_LOOK_EVERY = 5.0
"""Seconds between two looks at the session, which may end in another process."""


def with_session(
    sessions: SessionStore, session_id: str, receive: Receive, send: Send, every: float | None = None
) -> tuple[Receive, Send]:
    """Return a `receive` and a `send` for a socket's app. When the session ends, the peer is told, and the app hears that
    the socket is closed.

    Args:
        sessions: the server's sessions.
        session_id: the session that lets the socket in.
        receive: the socket's.
        send: the socket's.
        every: seconds between two looks at the session.
    """
    seconds = _LOOK_EVERY if every is None else every
    pending: asyncio.Task[Message] | None = None
    over = False

    async def receive_while_valid() -> Message:
        nonlocal pending, over
        while not over:
            # The task outlives one look: a message that was taken must not be lost with it.
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
