"""The share of one viewer of a class: its number of concurrent requests and sockets.

Behind a proxy the connections of viewers cannot be told apart, and over HTTP/2 a browser asks for a whole page at once,
so requests are counted. A request beyond the share is refused after a delay, so that retrying at once gains nothing. A
viewer that has sent thousands of requests without pause is served a hundred a second from then on.
"""

from __future__ import annotations

import asyncio
from collections import Counter

from starlette.types import ASGIApp, Receive, Scope, Send

from lamplighter.web.capacity.thread_pools import ViewerCredit
from lamplighter.web.http.problems import problem_response

REQUESTS, SOCKETS = 48, 8
"""Concurrent requests and sockets of one viewer: the page has 33 files, and the hub allows four sockets."""
_EXCESS_SECONDS = 2.0
_REQUEST_SECONDS = 0.001
"""Assumed cost of a request, in seconds of the event loop."""
_TOO_MANY = "you sent more requests at once than one viewer may: try again in a few seconds"


class ViewerShareMiddleware:
    """ASGI middleware, behind the gate, that refuses requests beyond a viewer's share."""

    def __init__(self, app: ASGIApp, excess_seconds: float = _EXCESS_SECONDS) -> None:
        self._app = app
        self._excess_seconds = excess_seconds
        self._credit = ViewerCredit()
        self._under_way: Counter[tuple[str, str]] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
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
