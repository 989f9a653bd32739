"""The response to an unexpected error: it hides the cause, and carries the security headers."""

from __future__ import annotations

import logging

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lamplighter.web.access.security_headers import with_security_headers
from lamplighter.web.http.problems import problem_response

log = logging.getLogger(__name__)


class CrashMiddleware:
    """ASGI middleware around gate and application that answers errors that they did not catch."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def noted(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, noted)
        except ClientDisconnect:
            # The client left in the middle of its request, so there is nothing to answer.
            return
        except Exception as error:
            if started:
                # The server closes the connection, so that the client notices that the response is incomplete.
                raise
            log.exception(
                "answering %s %s", scope["method"], getattr(scope.get("route"), "path", "a request")
            )
            detail = f"something went wrong here ({type(error).__name__}); the server's log says more"
            address = scope.get("state", {}).get("address")
            await problem_response(500, detail)(scope, receive, with_security_headers(send, address))
