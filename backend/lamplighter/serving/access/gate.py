"""The gate in front of every route, HTTP and websocket. It refuses every request that no rule allows.

It decides by four things, in this order: the peer (loopback, unless the server stands behind a named
address), `Host` (exactly one of this server's own), the requesting page (`Origin`, parsed and compared whole,
and `Sec-Fetch-Site`), and the caller (anonymous, or the presenter).

Browsers count two pages of one machine as one "site" whatever their ports, and cookies ignore ports
altogether. So `same-site` counts as foreign here, an Origin must be the very address the request was sent to,
and the cookie allows a change only together with such an Origin.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lamplighter.serving.access.credentials import CredentialStore
from lamplighter.serving.access.security_headers import with_security_headers
from lamplighter.serving.hosts import Origin, OriginError, parse_authority, parse_origin
from lamplighter.serving.http.problems import problem_response
from lamplighter.serving.http.route_table import Access, RouteRule, find_rule
from lamplighter.serving.settings import is_loopback

Headers = Sequence[tuple[bytes, bytes]]

CLOSE_NOT_ALLOWED = 4403
"""Websocket close code. Final: retrying does not help."""

_LANDING_PATHS = ("/", "/launch")
"""Paths that a link on another site may lead to."""


@dataclass(frozen=True)
class Decision:
    """The gate's decision on a request."""

    allowed: bool
    presenter: bool = False
    status: int = 200
    detail: str = ""
    allow: str = ""
    """Methods that the path allows, given with status 405."""
    rule: RouteRule | None = None
    address: Origin | None = None
    """The server's address that the request was sent to, once it is known to be one of its own."""


class Gate:
    """The access control of one server."""

    def __init__(
        self, addresses: Iterable[Origin], credentials: CredentialStore, *, loopback: bool, port: int
    ) -> None:
        """Guard a server.

        Args:
            addresses: the addresses under which clients may reach the server.
            credentials: the presenter's credentials.
            loopback: only this machine can connect, so reading needs no credential.
            port: the port of the address people use; part of the cookie's name.
        """
        self.addresses = tuple(addresses)
        self.credentials = credentials
        self.loopback = loopback
        self.cookie_name = f"lamplighter-{port}"
        self.rules: list[RouteRule] = []

    def issue_launch_url(self, origin: Origin | None = None) -> str:
        """Return a link that makes one browser the presenter's; it works once, for some minutes."""
        return f"{origin or self.addresses[0]}/launch?code={self.credentials.issue_code()}"

    def decide(
        self, kind: Literal["http", "websocket"], method: str, path: str, headers: Headers, peer: str | None
    ) -> Decision:
        """Decide whether a request may pass, and whether it comes from the presenter."""
        if self.loopback and (peer is None or not is_loopback(peer)):
            return Decision(False, status=403, detail="only this machine may connect")
        try:
            host = _single_header(headers, b"host")
            origin_text = _single_header(headers, b"origin")
            authorization = _single_header(headers, b"authorization")
        except ValueError as error:
            return Decision(False, status=400, detail=str(error))
        address = self._own_address(host)
        if address is None:
            return Decision(
                False, status=403, detail=f"this server is not {(host or 'without a name')[:80]!r}"
            )
        origin = _origin(origin_text)
        if origin_text is not None and origin != address:
            return Decision(
                False, status=403, detail="requests from another page's scripts are refused", address=address
            )
        if not _is_same_origin(headers) and not (
            method == "GET" and path in _LANDING_PATHS and _navigation(headers)
        ):
            return Decision(
                False, status=403, detail="requests from another page are refused", address=address
            )
        rule, allowed = find_rule(self.rules, kind, method, path)
        if rule is None:
            status, detail = (
                (405, f"{method} is not for this path") if allowed else (404, "there is no such page")
            )
            return Decision(
                False, status=status, detail=detail, allow=", ".join(sorted(allowed)), address=address
            )
        return self._check_credentials(rule, headers, authorization, origin is not None, address)

    def _own_address(self, host: str | None) -> Origin | None:
        for address in self.addresses:
            try:
                if host is not None and parse_authority(host, address.scheme) == address:
                    return address
            except OriginError:
                return None
        return None

    def _check_credentials(
        self, rule: RouteRule, headers: Headers, authorization: str | None, own_origin: bool, address: Origin
    ) -> Decision:
        presenter = False
        if authorization is not None:
            scheme, _, token = authorization.partition(" ")
            if scheme.lower() != "bearer" or not self.credentials.is_token(token.strip()):
                return Decision(
                    False, status=401, detail="that is not the presenter's token", address=address
                )
            presenter = True
        elif rule.access is not Access.CHANGE or own_origin:
            presenter = any(
                self.credentials.is_cookie(value) for value in _cookie_values(headers, self.cookie_name)
            )
        needed = rule.access is Access.CHANGE or (rule.access is Access.READ and not self.loopback)
        if needed and not presenter:
            detail = "only the presenter may do that: open the launch link, or send the presenter's token"
            return Decision(False, status=401, detail=detail, rule=rule, address=address)
        return Decision(True, presenter, rule=rule, address=address)


class GateMiddleware:
    """ASGI middleware that lets requests reach the app only through the gate."""

    def __init__(self, app: ASGIApp, gate: Gate) -> None:
        """Guard `app`."""
        self._app = app
        self._gate = gate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Admit or refuse one request or socket."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        client = scope.get("client")
        decision = self._gate.decide(
            scope["type"],
            scope.get("method", ""),
            scope["path"],
            scope["headers"],
            client[0] if client else None,
        )
        scope.setdefault("state", {})["presenter"] = decision.presenter
        scope["state"]["address"] = decision.address
        if scope["type"] == "websocket":
            await self._handle_websocket(decision, scope, receive, send)
        else:
            await self._handle_http(decision, scope, receive, send)

    async def _handle_http(self, decision: Decision, scope: Scope, receive: Receive, send: Send) -> None:
        secure = with_security_headers(send, decision.address)
        if not decision.allowed or decision.rule is None:
            extra: dict[str, str] = {}
            if decision.status == 405:
                extra["Allow"] = decision.allow
            elif decision.status == 401:
                extra["WWW-Authenticate"] = "Bearer"
            await problem_response(decision.status, decision.detail, headers=extra)(scope, receive, secure)
            return
        if scope["method"] == "HEAD":
            # The HTTP server drops the body by itself, so routes only need to handle GET.
            scope = {**scope, "method": "GET"}
            # Routes with large bodies check this flag, to avoid producing one in vain.
            scope["state"]["head"] = True
        await self._app(scope, _capped(receive, decision.rule.body_limit), secure)

    async def _handle_websocket(self, decision: Decision, scope: Scope, receive: Receive, send: Send) -> None:
        if decision.allowed:
            await self._app(scope, receive, send)
            return
        await receive()
        if decision.status in (401, 404):
            # The caller may be our own page, which can read the reason only once the socket is open.
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


def _single_header(headers: Headers, name: bytes) -> str | None:
    found = [value for key, value in headers if key.lower() == name]
    if len(found) > 1:
        raise ValueError(f"more than one {name.decode().title()} header")
    return found[0].decode("latin-1").strip() if found else None


def _origin(text: str | None) -> Origin | None:
    try:
        return None if text is None else parse_origin(text)
    except OriginError:
        return None


def _header_values(headers: Headers, name: bytes) -> list[str]:
    return [value.decode("latin-1").strip().lower() for key, value in headers if key.lower() == name]


def _is_same_origin(headers: Headers) -> bool:
    """Return whether the browser, if it sends `Sec-Fetch-Site`, reports our own page or the user as the
    initiator."""
    return all(value in ("same-origin", "none") for value in _header_values(headers, b"sec-fetch-site"))


def _navigation(headers: Headers) -> bool:
    return _header_values(headers, b"sec-fetch-mode") == ["navigate"] and _header_values(
        headers, b"sec-fetch-dest"
    ) == ["document"]


def _cookie_values(headers: Headers, name: str) -> list[str]:
    found: list[str] = []
    for key, value in headers:
        if key.lower() == b"cookie":
            for part in value.decode("latin-1").split(";"):
                label, _, content = part.strip().partition("=")
                if label == name:
                    found.append(content)
    return found


def caller_is_presenter(state: Any) -> bool:
    """Return whether the gate found the caller to be the presenter; `state` is the request's state."""
    return bool(getattr(state, "presenter", False))
