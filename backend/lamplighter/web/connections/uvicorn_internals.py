"""The private parts of uvicorn and websockets that our protocols use.

An upgrade may rename any of them, so `pyproject.toml` bounds both from above. One test names each that an upgrade
removes, and another finds those that the protocols use but these tables lack.
"""

from __future__ import annotations

from uvicorn._types import WebSocketScope  # pyright: ignore[reportPrivateImportUsage]
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from uvicorn.server import ServerState

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
