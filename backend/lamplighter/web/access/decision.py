"""The decision of a gate on a request, and the checks that every gate makes before it identifies the caller."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from starlette.requests import Request

from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.web.access.pushers import Pusher
from lamplighter.web.access.request_headers import (
    Headers,
    is_navigation,
    is_same_origin,
    origin_of,
    single_header,
)
from lamplighter.web.hosts import Origin, OriginError, parse_authority
from lamplighter.web.http.route_table import RouteRule, find_rule

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
