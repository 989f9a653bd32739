"""The configuration of uvicorn, extended for our protocols, and the private parts of uvicorn and websockets that they
use.

An upgrade may rename any of them, so `pyproject.toml` bounds both from above. One test names each that an upgrade
removes, and another finds those that the protocols use but these tables lack.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence

import uvicorn
from starlette.types import ASGIApp
from uvicorn._types import WebSocketScope  # pyright: ignore[reportPrivateImportUsage]
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from uvicorn.server import ServerState

from lamplighter.web.connections.connection_gate import ConnectionGate
from lamplighter.web.connections.limits import ConnectionLimits

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
