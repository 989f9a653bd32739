"""The share of one viewer of a class: how many requests and sockets of it are under way at once.

Behind a proxy the connections of one viewer cannot be told from those of another, and over HTTP/2 a browser asks for a
whole page at once, so what counts is the requests. One too many is refused after a while, so that asking again at once
gains nothing; and who has asked thousands of times without pause is heard a hundred times a second from then on.
"""

from __future__ import annotations

import asyncio
from collections import Counter

from starlette.types import ASGIApp, Receive, Scope, Send

from lamplighter.web.capacity.viewer_credit import ViewerCredit
from lamplighter.web.http.problems import problem_response

REQUESTS, SOCKETS = 48, 8
"""Requests and sockets of one viewer under way at once: the whole page has 33 files, and the hub leaves it four sockets."""
_EXCESS_SECONDS = 2.0
_REQUEST_SECONDS = 0.001
"""Seconds of the event loop that each request is taken to cost."""
_TOO_MANY = "you asked for as many things at once as one viewer may: try again in a few seconds"


class ViewerShareMiddleware:
    """ASGI middleware, behind the gate, that refuses what is more than a viewer's share."""

    def __init__(self, app: ASGIApp, excess_seconds: float = _EXCESS_SECONDS) -> None:
        """Serve `app`; what is too much waits for its refusal for `excess_seconds`."""
        self._app = app
        self._excess_seconds = excess_seconds
        self._credit = ViewerCredit()
        self._under_way: Counter[tuple[str, str]] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request or socket."""
        session: str | None = scope.get("state", {}).get("viewer")
        if session is None:
            await self._app(scope, receive, send)
            return
        key = (session, scope["type"])
        if self._under_way[key] >= (REQUESTS if scope["type"] == "http" else SOCKETS):
            await asyncio.sleep(self._excess_seconds)
            await problem_response(429, _TOO_MANY, headers={"Retry-After": "5"})(scope, receive, send)
            return
        self._under_way[key] += 1
        try:
            if rest := self._credit.rest(session):
                await asyncio.sleep(rest)
            self._credit.charge(session, _REQUEST_SECONDS)
            await self._app(scope, receive, send)
        finally:
            self._under_way[key] -= 1
            if not self._under_way[key]:
                del self._under_way[key]
