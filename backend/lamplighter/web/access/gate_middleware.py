"""The middleware around an app: the gate, the security headers, the answer to a crash, and the watch that closes a
socket when its session ends.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Protocol

import anyio.to_thread
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lamplighter.platform.own_addresses import is_loopback
from lamplighter.web.access.decision import Decision, Headers, Kind, is_page_wanted
from lamplighter.web.access.session_store import SessionStore
from lamplighter.web.capacity.activity import Activity
from lamplighter.web.hosts import Origin
from lamplighter.web.http.problems import problem_response, unknown_page

CLOSE_NOT_ALLOWED = 4403
"""Websocket close code. Final: retrying does not help."""

_LOOK_EVERY = 5.0
"""Seconds between two checks of the session, which another process may end."""


def with_session(
    sessions: SessionStore, session_id: str, receive: Receive, send: Send, every: float | None = None
) -> tuple[Receive, Send]:
    """Return a `receive` and a `send` for a socket's app. When the session ends, the peer gets a close frame and
    the app a disconnect. It is checked `every` so many seconds.
    """
    seconds = _LOOK_EVERY if every is None else every
    pending: asyncio.Task[Message] | None = None
    over = False

    async def receive_while_valid() -> Message:
        nonlocal pending, over
        while not over:
            # Keep the task for the next check, so that a received message is not lost.
            pending = pending or asyncio.create_task(_next(receive))
            try:
                done, _ = await asyncio.wait({pending}, timeout=seconds)
                if not done:
                    await anyio.to_thread.run_sync(sessions.reload)
            except asyncio.CancelledError:
                pending.cancel()
                raise
            if done:
                message, pending = pending.result(), None
                return message
            if not sessions.is_valid(session_id):
                over = True
                pending.cancel()
                await send(
                    {"type": "websocket.close", "code": CLOSE_NOT_ALLOWED, "reason": "this session was ended"}
                )
        return {"type": "websocket.disconnect", "code": CLOSE_NOT_ALLOWED}

    async def send_while_valid(message: Message) -> None:
        if over:
            raise OSError("the session of this socket has ended")
        await send(message)

    return receive_while_valid, send_while_valid


async def _next(receive: Receive) -> Message:
    return await receive()


_UNUSED_FEATURES = (
    "accelerometer", "camera", "display-capture", "encrypted-media", "geolocation", "gyroscope", "hid",
    "magnetometer", "microphone", "midi", "payment", "publickey-credentials-get", "screen-wake-lock", "serial", "usb",
    "xr-spatial-tracking",
)  # fmt: skip
"""Browser features that the page does not use, and that no script in it may use."""
_PERMISSIONS = ", ".join(f"{feature}=()" for feature in _UNUSED_FEATURES)
_HTTPS_SECONDS = 31_536_000
"""Seconds for which a browser that came over https must return over https."""


def security_headers(address: Origin | None, *, own_host: bool = False) -> list[tuple[bytes, bytes]]:
    """Return the headers of every response. Sockets may be opened to `address` besides the page's own host.
    `own_host`: the whole host is ours; otherwise other programs may serve plain http there.
    """
    # Safari before 15.4 does not treat a websocket to the page's own host as 'self'.
    socket = f" {'wss' if address.scheme == 'https' else 'ws'}://{address.authority}" if address else ""
    policy = (
        "default-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; style-src 'self'; "
        f"connect-src 'self'{socket}; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )
    # All programs on this machine share its names.
    stays = (
        own_host
        and address is not None
        and address.scheme == "https"
        and not _is_of_this_machine(address.host)
    )
    return [
        (b"content-security-policy", policy.encode()),
        (b"permissions-policy", _PERMISSIONS.encode()),
        (b"x-content-type-options", b"nosniff"),
        (b"referrer-policy", b"no-referrer"),
        (b"cross-origin-opener-policy", b"same-origin"),
        (b"cross-origin-resource-policy", b"same-origin"),
        *([(b"strict-transport-security", f"max-age={_HTTPS_SECONDS}".encode())] if stays else []),
    ]


def _is_of_this_machine(host: str) -> bool:
    return is_loopback(host) or host.endswith(".localhost")


def with_security_headers(send: Send, address: Origin | None, *, own_host: bool = False) -> Send:
    """Return a `send` that adds the security headers, and forbids caching unless a response allows it."""
    extra = security_headers(address, own_host=own_host)

    async def secured(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers: list[tuple[bytes, bytes]] = list(message.get("headers", []))
            if not any(name.lower() == b"cache-control" for name, _ in headers):
                headers.append((b"cache-control", b"no-cache"))
            message = {**message, "headers": headers + extra}
        await send(message)

    return secured


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
