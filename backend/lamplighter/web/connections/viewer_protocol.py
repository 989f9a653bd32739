"""The websocket protocols of the server: uvicorn's, for viewers that only listen, and for those of a class. Viewers need not
send anything, and each frame costs server time: hence a quota.
"""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocketDisconnect
from websockets.exceptions import InvalidState
from websockets.frames import Frame
from websockets.http11 import Request

from lamplighter.web.capacity.pace import ABORT
from lamplighter.web.connections.http_protocol import (
    ConnectionConfig,
    ServerState,
    WebSocketScope,
    WebSocketsSansIOProtocol,
    connection_log,
)


class InboundQuota:
    """A count of frames and bytes in spans of a few seconds."""

    def __init__(
        self, frames: int, size: int, seconds: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Allow a number of frames and bytes (`size`) in each span; `clock` gives seconds."""
        self._most_frames = frames
        self._most_bytes = size
        self._seconds = seconds
        self._clock = clock
        self._since = clock()
        self._frames = 0
        self._bytes = 0

    def allows_bytes(self, count: int) -> bool:
        """Count bytes before they are parsed. Returns False if they exceed the quota."""
        self._begin_span()
        self._bytes += count
        return self._bytes <= self._most_bytes

    def allows_frame(self) -> bool:
        """Count a frame. Returns False if it exceeds the quota."""
        self._begin_span()
        self._frames += 1
        return self._frames <= self._most_frames

    def _begin_span(self) -> None:
        now = self._clock()
        if now - self._since >= self._seconds:
            self._since, self._frames, self._bytes = now, 0, 0


CLOSE_POLICY, CLOSE_NOT_TEXT = 1008, 1007
_UNSENT_BYTES = 32 << 10
"""Bytes that a socket buffers before its viewer counts as not reading, once in this process and once, if the system
complies, in the kernel. Large buffers would hide a slow viewer for a minute, and take memory for each of 500."""


class ViewerProtocol(WebSocketsSansIOProtocol):
    """One websocket. Messages of the viewer are dropped; the app can drop a connection whose peer does not read a close
    frame."""

    scope: WebSocketScope

    def __init__(
        self,
        config: ConnectionConfig,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        limits = config.connection_limits
        self.logger = connection_log
        self.app = _ignoring_disconnects(self.app)  # pyright: ignore
        self._gate = config.connection_gate
        self._close_seconds = limits.close_seconds
        self._quota = InboundQuota(limits.frames, limits.frame_bytes, limits.frame_seconds)
        self._excess = (
            f"a viewer may send {limits.frames} frames or {limits.frame_bytes:,} bytes "
            f"in {limits.frame_seconds:g} s; it need not send any"
        )

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._gate.upgrade(self.transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._gate.leave(self.transport)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if not self.handshake_initiated:
            # The head, which the HTTP protocol has parsed and passed on.
            super().data_received(data)
            if not self.handshake_initiated:
                self.transport.write(b"".join(self.conn.data_to_send()))
                self.transport.close()
        elif self._quota.allows_bytes(len(data)):
            super().data_received(data)
        else:
            self._close_flooding()

    def pause_writing(self) -> None:
        """Stop reading while the viewer does not read: every ping that it sends adds an unread pong."""
        super().pause_writing()
        self.transport.pause_reading()

    def resume_writing(self) -> None:
        super().resume_writing()
        if not self.transport.is_closing():
            self.transport.resume_reading()

    def handle_connect(self, event: Request) -> None:
        super().handle_connect(event)
        # The app's task exists but has not run yet.
        with suppress(AttributeError):
            self.scope["extensions"][ABORT] = self.transport.abort  # pyright: ignore

    def handle_cont(self, event: Frame) -> None:
        if self._allows_frame():
            super().handle_cont(event)

    def handle_text(self, event: Frame) -> None:
        if self._allows_frame():
            super().handle_text(event)

    def handle_bytes(self, event: Frame) -> None:
        if self._allows_frame():
            super().handle_bytes(event)

    def handle_ping(self) -> None:
        if self._allows_frame():
            super().handle_ping()

    def handle_pong(self, event: Frame) -> None:
        if self._allows_frame():
            super().handle_pong(event)

    def send_receive_event_to_app(self) -> None:
        """Drop a whole message after checking its encoding."""
        data, self.frames = b"".join(self.frames), []
        if self.curr_msg_data_type == "text" and not self.close_sent:
            try:
                data.decode()
            except UnicodeDecodeError:
                self._close_at_once(CLOSE_NOT_TEXT, "that is not UTF-8")

    def handle_parser_exception(self) -> None:
        if self.conn.close_sent is None:
            self.transport.abort()
            return
        super().handle_parser_exception()
        self.loop.call_later(self._close_seconds, self.transport.abort)

    def _allows_frame(self) -> bool:
        if self.close_sent or self.transport.is_closing():
            return False
        if self._quota.allows_frame():
            return True
        self._close_flooding()
        return False

    def _close_flooding(self) -> None:
        self._gate.counters.flooding_sockets += 1
        self._close_at_once(CLOSE_POLICY, self._excess)

    def _close_at_once(self, code: int, reason: str) -> None:
        """Send a close frame, read nothing more, and drop the connection soon."""
        self.stop_keepalive()
        try:
            if self.close_sent or not self.writable.is_set():
                raise InvalidState("a close frame was already sent, or would not be read")
            self.conn.send_close(code, reason)
        except InvalidState:
            self.transport.abort()
            return
        self.close_sent = True
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.transport.pause_reading()
        self.queue.put_nowait({"type": "websocket.disconnect", "code": code, "reason": reason})
        # Closing now, with bytes unread, would reset the connection, and the viewer might not see the reason.
        self.close_timer = self.loop.call_later(self._close_seconds, self.transport.abort)


class ClassProtocol(ViewerProtocol):
    """One websocket of the class's listener: small text messages reach the app within the viewer's quota."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Use small buffers."""
        super().connection_made(transport)
        self.transport.set_write_buffer_limits(high=_UNSENT_BYTES)
        connection: socket.socket | None = self.transport.get_extra_info("socket")
        if connection is not None:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _UNSENT_BYTES)

    def send_receive_event_to_app(self) -> None:
        is_text, data = self.curr_msg_data_type == "text", b"".join(self.frames)
        super().send_receive_event_to_app()
        if is_text and not self.close_sent and not self.transport.is_closing():
            self.queue.put_nowait({"type": "websocket.receive", "text": data.decode()})


def _ignoring_disconnects(app: ASGIApp) -> ASGIApp:
    """Return an app that ends quietly when its viewer disconnects during a send."""

    async def quiet(scope: Scope, receive: Receive, send: Send) -> None:
        with suppress(WebSocketDisconnect):
            await app(scope, receive, send)

    return quiet
