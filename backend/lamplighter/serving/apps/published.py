"""A server of published runs: a request that would write to one is refused, with a sentence that says why."""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

from lamplighter.contract.reason import Reason
from lamplighter.web.http.problems import problem_response

_READING = ("GET", "HEAD")
_OF_NO_RUN = ("/launch", "/api/session", "/api/launches", "/api/class", "/api/estimates")
"""Where the paths begin that change no run: who may do what, a class, a price."""
_WHY = (
    "this run is published, and is read where it lies: it cannot be asked, changed, forked or exported here. Bring it to"
    " this machine with lamplighter import, and open it there"
)


class PublishedRunsMiddleware:
    """Refuses every request, except those listed, that is not for reading."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if (
            scope["type"] == "http"
            and scope["method"] not in _READING
            and not scope["path"].startswith(_OF_NO_RUN)
        ):
            refusal = problem_response(409, _WHY, reason=Reason("run_is_published"))
            await refusal(scope, receive, send)
            return
        await self._app(scope, receive, send)
