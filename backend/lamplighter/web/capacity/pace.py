"""The minimum pace of clients: a rate for a whole answer, and a maximum pause.

It applies to every HTTP answer. Only the time the server waits for the client counts, not the time to make
the answer. A body is sent in small pieces, each once the previous has nearly left, so a connection never
buffers more. A client that reads too slowly is dropped together with its buffered bytes.
"""

from __future__ import annotations

from time import monotonic

import anyio
import anyio.lowlevel
from starlette.types import ASGIApp, Message, Receive, Scope, Send

ABORT = "lamplighter.abort"
"""The scope extension that drops a connection at once, with its unsent bytes."""
_MIN_RATE = 64 << 10
_GRACE_SECONDS = 5.0
_LONGEST_PAUSE = 30.0
_PIECE_BYTES = 1 << 16


class SendPace:
    """The minimum rate, in bytes per second over the whole answer, and the extra time a client has."""

    def __init__(
        self,
        rate: float = _MIN_RATE,
        grace_seconds: float = _GRACE_SECONDS,
        longest_pause: float = _LONGEST_PAUSE,
    ) -> None:
        self.rate = rate
        self.grace_seconds = grace_seconds
        self.longest_pause = longest_pause
        self.dropped = 0
        """Number of clients dropped for reading too slowly."""

    def seconds_left(self, sent: int, waited: float) -> float:
        return max(0.0, min(self.longest_pause, self.grace_seconds + sent / self.rate - waited))


class PaceMiddleware:
    """ASGI middleware that sends HTTP answers as fast as clients read, and drops slow clients."""

    def __init__(self, app: ASGIApp, pace: SendPace) -> None:
        self._app = app
        self._pace = pace

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        sent, waited = 0, 0.0

        async def send_in_time(message: Message) -> None:
            nonlocal sent, waited
            begun = monotonic()
            with anyio.move_on_after(self._pace.seconds_left(sent, waited)) as waiting:
                await send(message)
            if waiting.cancelled_caught:
                dropping.cancel()
                await anyio.lowlevel.checkpoint()
            waited += monotonic() - begun
            sent += len(message.get("body", b""))

        async def send_in_pieces(message: Message) -> None:
            body = memoryview(message.get("body", b""))
            if len(body) <= _PIECE_BYTES:
                await send_in_time(message)
                return
            for offset in range(0, len(body), _PIECE_BYTES):
                piece = body[offset : offset + _PIECE_BYTES]
                await send_in_time({**message, "body": piece, "more_body": True})
            # The server waits before it writes, so only an empty last piece waits for the previous ones.
            if not message.get("more_body", False):
                await send_in_time({**message, "body": b""})

        with anyio.CancelScope() as dropping:
            await self._app(scope, receive, send_in_pieces)
        if dropping.cancelled_caught:
            self._pace.dropped += 1
            await abort_connection(scope)


async def abort_connection(scope: Scope) -> None:
    """Drop the connection of a request with its unsent bytes."""
    abort = scope.get("extensions", {}).get(ABORT)
    if abort is not None:
        abort()
        # Let the server notice before the app returns, or it logs an incomplete answer.
        await anyio.lowlevel.checkpoint()
