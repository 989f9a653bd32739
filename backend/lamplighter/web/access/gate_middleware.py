"""The middleware that lets requests reach an app only through its gate."""

from __future__ import annotations

from typing import Protocol

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lamplighter.web.access.decision import Decision, Kind
from lamplighter.web.access.request_headers import Headers, is_page_wanted
from lamplighter.web.access.security_headers import with_security_headers
from lamplighter.web.access.session_watch import CLOSE_NOT_ALLOWED
from lamplighter.web.capacity.activity import Activity
from lamplighter.web.hosts import Origin
from lamplighter.web.http.plain_pages import unknown_page
from lamplighter.web.http.problems import problem_response


class RequestGate(Protocol):
    """The gate of one listener."""

    activity: Activity

    async def admit(self, kind: Kind, method: str, path: str, headers: Headers, peer: str | None) -> Decision:
        """Decide whether a request may pass, reading the disk in a thread."""
        ...

    def page_url(self, address: Origin | None = None) -> str: ...

    def guard_socket(self, decision: Decision, receive: Receive, send: Send) -> tuple[Receive, Send]: ...


class GateMiddleware:
    """ASGI middleware that lets requests reach the app only through the gate."""

    def __init__(self, app: ASGIApp, gate: RequestGate) -> None:
        self._app = app
        self._gate = gate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        client = scope.get("client")
        decision = await self._gate.admit(
            scope["type"],
            scope.get("method", ""),
            scope["path"],
            scope["headers"],
            client[0] if client else None,
        )
        scope.setdefault("state", {})["presenter"] = decision.presenter
        scope["state"]["address"] = decision.address
        scope["state"]["session"] = decision.session
        scope["state"]["viewer"] = decision.viewer
        scope["state"]["pusher"] = decision.pusher
        scope["state"]["may_see_text"] = decision.may_see_text
        if decision.client is not None:
            scope["client"] = (decision.client, 0)
        if decision.allowed and decision.rule is not None and not decision.rule.polled:
            self._gate.activity.note()
        if scope["type"] == "websocket":
            await self._handle_websocket(decision, scope, receive, send)
        else:
            await self._handle_http(decision, scope, receive, send)

    async def _handle_http(self, decision: Decision, scope: Scope, receive: Receive, send: Send) -> None:
        own_host = self._gate.page_url(decision.address) == f"{decision.address}/"
        secure = with_security_headers(send, decision.address, own_host=own_host)
        if not decision.allowed or decision.rule is None:
            if decision.status == 404 and is_page_wanted(scope["headers"], scope["path"]):
                await unknown_page(self._gate.page_url(decision.address))(scope, receive, secure)
                return
            extra: dict[str, str] = {}
            if decision.status == 405:
                extra["Allow"] = decision.allow
            elif decision.status == 401:
                extra["WWW-Authenticate"] = "Bearer"
            await problem_response(decision.status, decision.detail, headers=extra)(scope, receive, secure)
            return
        if scope["method"] == "HEAD":
            # The HTTP server drops the body, so routes only need to handle GET.
            scope = {**scope, "method": "GET"}
            # Routes with large bodies check this flag, to avoid producing an unused body.
            scope["state"]["head"] = True
        await self._app(scope, _capped(receive, decision.rule.body_limit), secure)

    async def _handle_websocket(self, decision: Decision, scope: Scope, receive: Receive, send: Send) -> None:
        if decision.allowed:
            receive, send = self._gate.guard_socket(decision, receive, send)
            await self._app(scope, receive, send)
            return
        await receive()
        if decision.status in (401, 404):
            # The caller may be our page, which can read the reason only once the socket is open.
            await send({"type": "websocket.accept"})
        await send(
            {
                "type": "websocket.close",
                "code": 4404 if decision.status == 404 else CLOSE_NOT_ALLOWED,
                "reason": decision.detail,
            }
        )


def _capped(receive: Receive, limit: int) -> Receive:
    got = 0

    async def capped() -> Message:
        nonlocal got
        message = await receive()
        if message["type"] == "http.request":
            got += len(message.get("body", b""))
            if got > limit:
                raise HTTPException(413, f"that is more than the {limit:,} bytes allowed here")
        return message

    return capped
