"""The HTTP protocol of the server: uvicorn's, with a connection gate, deadlines, and no log lines about clients.

The configuration of uvicorn is here too, extended for our protocols, with the private parts of uvicorn and websockets that
they use. An upgrade may rename any of them, so `pyproject.toml` bounds both from above. One test names each that an
upgrade removes, and another finds those that the protocols use but these tables lack.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import Any, cast

import h11
import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn._types import WebSocketScope  # pyright: ignore[reportPrivateImportUsage]
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from uvicorn.server import ServerState

from lamplighter.web.capacity.pace import ABORT
from lamplighter.web.connections.connection_gate import SESSION_SHARE_TAKEN, ConnectionGate
from lamplighter.web.connections.limits import ConnectionLimits
from lamplighter.web.http.problems import PROBLEM_MEDIA_TYPE, problem_response


class RequestClock:
    """A timer that runs while a request is expected from the client, and calls back if it is late."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        limits: ConnectionLimits,
        *,
        on_late_head: Callable[[], None],
        on_slow_body: Callable[[], None],
        may_wait: Callable[[], bool],
    ) -> None:
        """`may_wait` returns whether the client is blocked because this server does not read. The callbacks close
        the connection.
        """
        self._loop = loop
        self._limits = limits
        self._on_late_head = on_late_head
        self._on_slow_body = on_slow_body
        self._may_wait = may_wait
        self._timer: asyncio.TimerHandle | None = None
        self._expects_head = False
        self._bytes = self._all_bytes = 0
        self._seconds = self._rate = 0.0
        self._excused = False

    def expect_head(self) -> None:
        """Start the time for a whole head; further bytes of the same head do not extend it."""
        if not self._expects_head:
            self.cancel()
            self._expects_head = True
            self._timer = self._loop.call_later(self._limits.head_seconds, self._on_late_head)

    def expect_body(self, declared: int | None) -> None:
        """Measure the rate of a body from now on. `declared`: its bytes, if they are known."""
        self.cancel()
        limits = self._limits
        self._rate = float(limits.fair_body_rate)
        if declared is not None:
            self._rate = min(self._rate, declared / limits.whole_body_seconds)
        self._all_bytes, self._seconds = 0, 0.0
        self._measure()

    def add_body_bytes(self, count: int) -> None:
        self._bytes += count
        self._all_bytes += count

    def excuse(self) -> None:
        """Skip the current measurement, because this server paused reading."""
        self._excused = True

    def cancel(self) -> None:
        self._expects_head = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _measure(self) -> None:
        self._bytes = 0
        self._excused = self._may_wait()
        self._timer = self._loop.call_later(self._limits.body_seconds, self._check)

    def _check(self) -> None:
        seconds = self._limits.body_seconds
        if self._excused or self._may_wait():
            self._measure()
            return
        self._seconds += seconds
        if self._bytes >= self._limits.body_rate * seconds and self._all_bytes >= self._rate * self._seconds:
            self._measure()
        else:
            self._on_slow_body()


_AMBIGUOUS = (
    "a request must not have both Content-Length and Transfer-Encoding: send it again with one of them"
)
_NO_REQUEST = "that is not an HTTP request"
_LATE_HEAD = "the request did not arrive in time: send it again without delay"
_SLOW_BODY = "the body arrived too slowly: send it again over a faster connection"


class _RefusedHeadError(h11.RemoteProtocolError):
    """A request that is refused because of its head."""


class _WatchedConnection(h11.Connection):
    """An HTTP parser that passes each event of the client to the protocol before it is handled."""

    def __init__(self, on_event: Callable[[object], None], max_head_bytes: int) -> None:
        super().__init__(h11.SERVER, max_head_bytes)
        self._on_event = on_event

    def next_event(self) -> Any:
        event = super().next_event()
        self._on_event(event)
        return event


class GuardedHttpProtocol(H11Protocol):
    """One connection that speaks HTTP, until it becomes a websocket."""

    def __init__(
        self,
        config: ConnectionConfig,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.logger = connection_log
        self.conn = _WatchedConnection(self._watch, config.connection_limits.head_bytes)
        self._gate = config.connection_gate
        self._is_presenter = config.is_presenter
        self._find_session = config.find_session
        self._close_seconds = config.connection_limits.close_seconds
        self._excess_seconds = config.connection_limits.excess_seconds
        self._clock = RequestClock(
            self.loop,
            config.connection_limits,
            on_late_head=self._on_late_head,
            on_slow_body=self._on_slow_body,
            may_wait=self._client_may_wait,
        )
        self._method = b""
        self._refusal: tuple[int, str] | None = None
        self.app = self._with_abort(self.app)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(cast(asyncio.Transport, transport))
        if self._gate.enter(self.transport, self.client[0] if self.client else None):
            self._clock.expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._clock.cancel()
        self._gate.leave(self.transport)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.flow.read_paused:
            self._clock.excuse()
        if self.conn.their_state is h11.IDLE and not self.transport.is_closing():
            # The beginning of a head. Uvicorn has just cancelled its timeout between two requests.
            self._clock.expect_head()

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        self._clock.cancel()
        super().handle_websocket_upgrade(event)

    def on_response_complete(self) -> None:
        self._gate.rest(self.transport)
        super().on_response_complete()

    def send_400_response(self, msg: str) -> None:
        """Refuse an invalid request; uvicorn calls this when the parser fails."""
        if self._refusal is None:
            self._gate.counters.malformed += 1
        status, sentence = self._refusal or (400, _NO_REQUEST)
        if status == 429:
            self.transport.pause_reading()
            self.loop.call_later(self._excess_seconds, self._close_with, status, sentence)
        else:
            self._close_with(status, sentence)

    def _with_abort(self, app: Any) -> ASGIApp:
        """Return an app that can drop the connection together with its unsent data."""

        async def abortable(scope: Scope, receive: Receive, send: Send) -> None:
            scope["extensions"] = {**scope.get("extensions", {}), ABORT: self.transport.abort}
            await app(scope, receive, send)

        return abortable

    def _watch(self, event: object) -> None:
        if isinstance(event, h11.Request):
            self._clock.cancel()
            self._method = event.method
            self._refusal = self._refuse_head(event)
            if self._refusal is not None:
                raise _RefusedHeadError(self._refusal[1])
            if self.conn.their_state is h11.SEND_BODY:
                declared = dict(event.headers).get(b"content-length")
                self._clock.expect_body(None if declared is None else int(declared))
        elif isinstance(event, h11.Data):
            self._clock.add_body_bytes(len(event.data))
        elif isinstance(event, h11.EndOfMessage):
            self._clock.cancel()

    def _refuse_head(self, head: h11.Request) -> tuple[int, str] | None:
        names = {name for name, _ in head.headers}
        if {b"content-length", b"transfer-encoding"} <= names:
            # Two servers in a row may disagree on where such a request ends.
            self._gate.counters.malformed += 1
            return 400, _AMBIGUOUS
        reason = self._gate.admit_request(
            self.transport, lambda: self._has_credentials(head), self._find_session(list(head.headers))
        )
        return None if reason is None else (429 if reason == SESSION_SHARE_TAKEN else 503, reason)

    def _has_credentials(self, head: h11.Request) -> bool:
        path = head.target.partition(b"?")[0].decode("ascii", "replace")
        peer = self.client[0] if self.client else None
        return self._is_presenter(head.method.decode("ascii"), path, list(head.headers), peer)

    def _client_may_wait(self) -> bool:
        return self.flow.read_paused or self.conn.they_are_waiting_for_100_continue

    def _on_late_head(self) -> None:
        self._gate.counters.late_heads += 1
        if self.conn.trailing_data[0]:
            self._close_with(408, _LATE_HEAD)
        else:
            self.transport.abort()

    def _on_slow_body(self) -> None:
        self._gate.counters.slow_bodies += 1
        self._close_with(408, _SLOW_BODY)

    def _close_with(self, status: int, sentence: str) -> None:
        """Answer, unless a response has begun, and close. A route that waits for the body sees a disconnect."""
        if self.transport.is_closing():
            return
        if self.cycle and not self.cycle.response_complete:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            body = bytes(problem_response(status, sentence).body)
            headers = [
                *self.server_state.default_headers,
                (b"content-type", PROBLEM_MEDIA_TYPE.encode()),
                (b"content-length", str(len(body)).encode()),
                (b"x-content-type-options", b"nosniff"),
                (b"connection", b"close"),
                *([(b"retry-after", b"5")] if status in (429, 503) else []),
            ]
            reason = HTTPStatus(status).phrase.encode()
            head = h11.Response(status_code=status, headers=headers, reason=reason)
            self.transport.write(self.conn.send(head))
            if self._method != b"HEAD":
                self.transport.write(self.conn.send(h11.Data(data=body)))
            self.conn.send(h11.EndOfMessage())
        self.transport.close()
        self.loop.call_later(self._close_seconds, self.transport.abort)


_BACKLOG = 512
"""Maximum number of connections waiting to be accepted, enough for a class that reconnects at once."""

PresenterCheck = Callable[[str, str, Sequence[tuple[bytes, bytes]], str | None], bool]
"""A function of method, path, headers and peer that returns whether a request is the presenter's."""
SessionFinder = Callable[[Sequence[tuple[bytes, bytes]]], str | None]
"""A function of the headers that returns the session that the connection counts for; None: it is not counted."""


def _of_no_session(_: Sequence[tuple[bytes, bytes]]) -> str | None:
    return None


class ConnectionConfig(uvicorn.Config):
    """The configuration of a server with a connection gate."""

    def __init__(
        self,
        app: ASGIApp,
        gate: ConnectionGate,
        limits: ConnectionLimits,
        is_presenter: PresenterCheck,
        *,
        http: type[asyncio.Protocol],
        ws: type[asyncio.Protocol],
        find_session: SessionFinder = _of_no_session,
    ) -> None:
        """Configure uvicorn and our protocols. `is_presenter` and `find_session` read the head of a request."""
        self.connection_gate = gate
        self.connection_limits = limits
        self.is_presenter = is_presenter
        self.find_session = find_session
        super().__init__(
            app,  # pyright: ignore[reportArgumentType]
            loop="asyncio",
            http=http,
            ws=ws,
            ws_max_size=limits.largest_message,
            ws_per_message_deflate=False,
            lifespan="on",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            backlog=_BACKLOG,
            timeout_graceful_shutdown=3,
        )


connection_log = logging.getLogger("uvicorn.error.connections")
"""The log of the protocols, for internal errors. Uvicorn's warnings about client data are counted instead, because a
line for each would let clients fill the disk."""
connection_log.setLevel(logging.ERROR)


__all__ = ["H11Protocol", "ServerState", "WebSocketScope", "WebSocketsSansIOProtocol"]

HTTP_NAMES = (
    "app",
    "client",
    "conn",
    "connection_lost",
    "connection_made",
    "cycle",
    "data_received",
    "flow",
    "handle_websocket_upgrade",
    "logger",
    "loop",
    "on_response_complete",
    "send_400_response",
    "server_state",
    "transport",
)
"""Attributes of `H11Protocol` that ours uses or replaces."""
FLOW_NAMES = ("read_paused",)
CYCLE_NAMES = ("disconnected", "message_event", "response_complete")
"""Attributes of the `flow` and the `cycle` of an `H11Protocol`."""
STATE_NAMES = ("default_headers",)
"""Attributes of `ServerState`."""
WEBSOCKET_NAMES = (
    "app",
    "close_sent",
    "close_timer",
    "conn",
    "connection_lost",
    "connection_made",
    "curr_msg_data_type",
    "data_received",
    "frames",
    "handle_bytes",
    "handle_connect",
    "handle_cont",
    "handle_parser_exception",
    "handle_ping",
    "handle_pong",
    "handle_text",
    "handshake_initiated",
    "logger",
    "loop",
    "pause_writing",
    "queue",
    "resume_writing",
    "scope",
    "send_receive_event_to_app",
    "stop_keepalive",
    "transport",
    "writable",
)
"""Attributes of `WebSocketsSansIOProtocol` that ours use or replace."""
WEBSOCKET_CONNECTION_NAMES = ("close_sent", "data_to_send", "send_close")
"""Attributes of its `conn`, the connection of the library websockets."""
