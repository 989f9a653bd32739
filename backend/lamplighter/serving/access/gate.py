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

from lamplighter.serving.access.credentials import Keys
from lamplighter.serving.hosts import Address, AddressError, parse_address, parse_authority
from lamplighter.serving.http.problems import problem
from lamplighter.serving.http.route_table import Access, Rule, find_rule
from lamplighter.serving.settings import is_loopback

Headers = Sequence[tuple[bytes, bytes]]

NOT_ALLOWED = 4403
"""Websocket close code. Final: retrying does not help."""

_LANDINGS = ("/", "/launch")
"""Paths that a link on another site may lead to."""


@dataclass(frozen=True)
class Verdict:
    """The gate's decision on a request."""

    allowed: bool
    presenter: bool = False
    status: int = 200
    detail: str = ""
    allow: str = ""
    """Methods that the path allows, given with status 405."""
    rule: Rule | None = None
    address: Address | None = None
    """The server's address that the request was sent to, once it is known to be one of its own."""


class Gate:
    """The access control of one server."""

    def __init__(self, addresses: Iterable[Address], keys: Keys, *, loopback: bool, port: int) -> None:
        """Guard a server.

        Args:
            addresses: the addresses under which clients may reach the server.
            keys: the presenter's credentials.
            loopback: only this machine can connect, so reading needs no credential.
            port: the port of the address people use; part of the cookie's name.
        """
        self.addresses = tuple(addresses)
        self.keys = keys
        self.loopback = loopback
        self.cookie_name = f"lamplighter-{port}"
        self.rules: list[Rule] = []

    def launch_url(self, address: Address | None = None) -> str:
        """Return a link that makes one browser the presenter's; it works once, for some minutes."""
        return f"{address or self.addresses[0]}/launch?code={self.keys.issue_code()}"

    def judge(
        self, kind: Literal["http", "websocket"], method: str, path: str, headers: Headers, peer: str | None
    ) -> Verdict:
        """Decide whether a request may pass, and whether it comes from the presenter."""
        if self.loopback and (peer is None or not is_loopback(peer)):
            return Verdict(False, status=403, detail="only this machine may connect")
        try:
            host = _only(headers, b"host")
            origin_text = _only(headers, b"origin")
            authorization = _only(headers, b"authorization")
        except ValueError as error:
            return Verdict(False, status=400, detail=str(error))
        address = self._own(host)
        if address is None:
            return Verdict(
                False, status=403, detail=f"this server is not {(host or 'without a name')[:80]!r}"
            )
        origin = _origin(origin_text)
        if origin_text is not None and origin != address:
            return Verdict(
                False, status=403, detail="requests from another page's scripts are refused", address=address
            )
        if not _near(headers) and not (method == "GET" and path in _LANDINGS and _navigation(headers)):
            return Verdict(
                False, status=403, detail="requests from another page are refused", address=address
            )
        rule, allowed = find_rule(self.rules, kind, method, path)
        if rule is None:
            status, detail = (
                (405, f"{method} is not for this path") if allowed else (404, "there is no such page")
            )
            return Verdict(
                False, status=status, detail=detail, allow=", ".join(sorted(allowed)), address=address
            )
        return self._credentials(rule, headers, authorization, origin is not None, address)

    def _own(self, host: str | None) -> Address | None:
        for address in self.addresses:
            try:
                if host is not None and parse_authority(host, address.scheme) == address:
                    return address
            except AddressError:
                return None
        return None

    def _credentials(
        self, rule: Rule, headers: Headers, authorization: str | None, own_origin: bool, address: Address
    ) -> Verdict:
        presenter = False
        if authorization is not None:
            scheme, _, token = authorization.partition(" ")
            if scheme.lower() != "bearer" or not self.keys.is_token(token.strip()):
                return Verdict(False, status=401, detail="that is not the presenter's token", address=address)
            presenter = True
        elif rule.access is not Access.CHANGE or own_origin:
            presenter = any(self.keys.is_cookie(value) for value in _cookies(headers, self.cookie_name))
        needed = rule.access is Access.CHANGE or (rule.access is Access.READ and not self.loopback)
        if needed and not presenter:
            detail = "only the presenter may do that: open the launch link, or send the presenter's token"
            return Verdict(False, status=401, detail=detail, rule=rule, address=address)
        return Verdict(True, presenter, rule=rule, address=address)


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
        verdict = self._gate.judge(
            scope["type"],
            scope.get("method", ""),
            scope["path"],
            scope["headers"],
            client[0] if client else None,
        )
        scope.setdefault("state", {})["presenter"] = verdict.presenter
        scope["state"]["address"] = verdict.address
        if scope["type"] == "websocket":
            await self._socket(verdict, scope, receive, send)
        else:
            await self._http(verdict, scope, receive, send)

    async def _http(self, verdict: Verdict, scope: Scope, receive: Receive, send: Send) -> None:
        secure = _securing(send, verdict.address)
        if not verdict.allowed or verdict.rule is None:
            extra: dict[str, str] = {}
            if verdict.status == 405:
                extra["Allow"] = verdict.allow
            elif verdict.status == 401:
                extra["WWW-Authenticate"] = "Bearer"
            await problem(verdict.status, verdict.detail, headers=extra)(scope, receive, secure)
            return
        if scope["method"] == "HEAD":
            # The HTTP server drops the body by itself, so routes only need to handle GET.
            scope = {**scope, "method": "GET"}
            # Routes with large bodies check this flag, to avoid producing one in vain.
            scope["state"]["head"] = True
        await self._app(scope, _capped(receive, verdict.rule.body_limit), secure)

    async def _socket(self, verdict: Verdict, scope: Scope, receive: Receive, send: Send) -> None:
        if verdict.allowed:
            await self._app(scope, receive, send)
            return
        await receive()
        if verdict.status in (401, 404):
            # The caller may be our own page, which can read the reason only once the socket is open.
            await send({"type": "websocket.accept"})
        await send(
            {
                "type": "websocket.close",
                "code": 4404 if verdict.status == 404 else NOT_ALLOWED,
                "reason": verdict.detail,
            }
        )


def security_headers(address: Address | None) -> list[tuple[bytes, bytes]]:
    """Return the headers of every response. `address`: where sockets may be opened, besides the page's own
    host."""
    # Safari before 15.4 does not treat a websocket to the page's own host as 'self'.
    socket = f" {'wss' if address.scheme == 'https' else 'ws'}://{address.authority}" if address else ""
    policy = (
        "default-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; style-src 'self'; "
        f"connect-src 'self'{socket}; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )
    return [
        (b"content-security-policy", policy.encode()),
        (b"x-content-type-options", b"nosniff"),
        (b"referrer-policy", b"no-referrer"),
        (b"cross-origin-opener-policy", b"same-origin"),
        (b"cross-origin-resource-policy", b"same-origin"),
    ]


def _securing(send: Send, address: Address | None) -> Send:
    extra = security_headers(address)

    async def secured(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers: list[tuple[bytes, bytes]] = list(message.get("headers", []))
            if not any(name.lower() == b"cache-control" for name, _ in headers):
                headers.append((b"cache-control", b"no-cache"))
            message = {**message, "headers": headers + extra}
        await send(message)

    return secured


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


def _only(headers: Headers, name: bytes) -> str | None:
    found = [value for key, value in headers if key.lower() == name]
    if len(found) > 1:
        raise ValueError(f"more than one {name.decode().title()} header")
    return found[0].decode("latin-1").strip() if found else None


def _origin(text: str | None) -> Address | None:
    try:
        return None if text is None else parse_address(text)
    except AddressError:
        return None


def _values(headers: Headers, name: bytes) -> list[str]:
    return [value.decode("latin-1").strip().lower() for key, value in headers if key.lower() == name]


def _near(headers: Headers) -> bool:
    """Return whether the browser, if it sends `Sec-Fetch-Site`, reports our own page or the user as the
    initiator."""
    return all(value in ("same-origin", "none") for value in _values(headers, b"sec-fetch-site"))


def _navigation(headers: Headers) -> bool:
    return _values(headers, b"sec-fetch-mode") == ["navigate"] and _values(headers, b"sec-fetch-dest") == [
        "document"
    ]


def _cookies(headers: Headers, name: str) -> list[str]:
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
