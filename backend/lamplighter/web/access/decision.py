"""The decision of a gate on a request: the headers that it checks, parsed strictly, and the checks that every gate makes
before it identifies the caller.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from starlette.requests import Request

from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.web.access.credentials import Pusher
from lamplighter.web.hosts import Origin, OriginError, parse_authority, parse_origin
from lamplighter.web.http.route_table import RouteRule, find_rule

Headers = Sequence[tuple[bytes, bytes]]

_PROXY_HEADERS = (b"forwarded", b"via", b"x-real-ip")
_PROXY_PREFIXES = (
    b"x-forwarded", b"x-original-", b"x-envoy-", b"x-arr-", b"x-azure-", b"x-proxyuser-", b"cf-", b"fastly-", b"fly-",
    b"tailscale-",
)  # fmt: skip
_PROXY_SUFFIXES = (b"client-ip", b"connecting-ip")


def single_header(headers: Headers, name: bytes) -> str | None:
    """Return the value of a header, None if it is missing; raises ValueError if there are several."""
    found = [value for key, value in headers if key.lower() == name]
    if len(found) > 1:
        raise ValueError(f"more than one {name.decode().title()} header")
    return found[0].decode("latin-1").strip() if found else None


def origin_of(text: str | None) -> Origin | None:
    """Parse an `Origin` header. Returns None if it is missing or malformed."""
    try:
        return None if text is None else parse_origin(text)
    except OriginError:
        return None


def came_through_a_proxy(headers: Headers) -> bool:
    names = [key.lower() for key, _ in headers]
    return any(
        name in _PROXY_HEADERS or name.startswith(_PROXY_PREFIXES) or name.endswith(_PROXY_SUFFIXES)
        for name in names
    )


def _header_values(headers: Headers, name: bytes) -> list[str]:
    return [value.decode("latin-1").strip().lower() for key, value in headers if key.lower() == name]


def is_same_origin(headers: Headers) -> bool:
    """Return whether the browser, if it says so at all, names our page or the user as the initiator."""
    return all(value in ("same-origin", "none") for value in _header_values(headers, b"sec-fetch-site"))


def is_navigation(headers: Headers) -> bool:
    """Return whether the browser reports that the request opens a page in a tab."""
    return _header_values(headers, b"sec-fetch-mode") == ["navigate"] and _header_values(
        headers, b"sec-fetch-dest"
    ) == ["document"]


def cookie_values(headers: Headers, name: str) -> list[str]:
    found: list[str] = []
    for key, value in headers:
        if key.lower() == b"cookie":
            for part in value.decode("latin-1").split(";"):
                label, _, content = part.strip().partition("=")
                if label == name:
                    found.append(content)
    return found


def is_page_wanted(headers: Headers, path: str) -> bool:
    """Return whether a browser wants a page, rather than a program that takes a problem as JSON. Programs ask below
    `/api/`, or for other types."""
    accepted = b",".join(value for name, value in headers if name == b"accept")
    return not f"{path}/".startswith("/api/") and b"text/html" in accepted.lower()


Kind = Literal["http", "websocket"]


def _sees_all(_run: RunFolder) -> bool:
    return True


@dataclass(frozen=True)
class Decision:
    """A gate's decision on a request."""

    allowed: bool
    presenter: bool = False
    session: str | None = None
    """The id of the caller's session, if a browser's cookie named one."""
    viewer: str | None = None
    """The session id of a class's viewer, which the viewer's share of the server is counted by; None at the presenter's
    gate."""
    pusher: Pusher | None = None
    """The pusher who makes the request, if one does."""
    status: int = 200
    detail: str = ""
    allow: str = ""
    """Methods that the path allows, for status 405."""
    rule: RouteRule | None = None
    address: Origin | None = None
    """The server's address that the request was sent to, once it has been checked."""
    client: str | None = None
    """The address of the client as reported by a trusted proxy; None: the peer is the client."""
    text_of: str | None = None
    """The id of the run whose text a refused request asks for. The request may pass if the caller may see that text."""
    may_see_text: Callable[[RunFolder], bool] = _sees_all
    """A function that returns whether the caller may see the text of a run. It reads the disk."""


def caller_sees_text(request: Request, run: RunFolder) -> bool:
    """Return whether the gate lets the caller see the text of a run. This may read the disk."""
    may_see_text: Callable[[RunFolder], bool] = getattr(request.state, "may_see_text", _sees_all)
    return may_see_text(run)


def check_origin(
    addresses: Iterable[Origin],
    kind: Kind,
    method: str,
    path: str,
    headers: Headers,
    *,
    landing: tuple[str, ...],
    from_file: tuple[str, str, str] | None = None,
) -> Decision | tuple[Origin, bool]:
    """Return the address that a request was sent to and whether its `Origin` equals it, or the refusal. Links on
    other sites may open the paths in `landing`; `from_file` is the one request, as (kind, method, path), that a
    page without an origin may make.
    """
    try:
        host = single_header(headers, b"host")
        origin_text = single_header(headers, b"origin")
    except ValueError as error:
        return Decision(False, status=400, detail=str(error))
    address = _own_address(addresses, host)
    if address is None:
        return Decision(False, status=403, detail=f"this server is not {(host or 'without a name')[:80]!r}")
    origin = origin_of(origin_text)
    is_from_file = origin_text == "null" and (kind, method, path) == from_file
    if origin_text is not None and origin != address and not is_from_file:
        return Decision(
            False, status=403, detail="requests from scripts of another page are refused", address=address
        )
    if not (
        is_same_origin(headers)
        or is_from_file
        or (method == "GET" and path in landing and is_navigation(headers))
    ):
        return Decision(False, status=403, detail="requests from another page are refused", address=address)
    return address, origin is not None


def find_own_rule(
    rules: Iterable[RouteRule], kind: Kind, method: str, path: str, address: Origin
) -> Decision | RouteRule:
    rule, allowed = find_rule(rules, kind, method, path)
    if rule is not None:
        return rule
    if allowed:
        detail = f"{method} is not allowed for this path"
        return Decision(False, status=405, detail=detail, allow=", ".join(sorted(allowed)), address=address)
    return Decision(False, status=404, detail="there is no such page", address=address)


def _own_address(addresses: Iterable[Origin], host: str | None) -> Origin | None:
    for address in addresses:
        try:
            if host is not None and parse_authority(host, address.scheme) == address:
                return address
        except OriginError:
            return None
    return None
