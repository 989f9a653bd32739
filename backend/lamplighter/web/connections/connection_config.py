"""The configuration of uvicorn, extended for our protocols."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence

import uvicorn
from starlette.types import ASGIApp

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
