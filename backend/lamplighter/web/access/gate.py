"""The gate in front of every route, HTTP and websocket. It refuses every request that no rule allows.

It checks five things, in this order: the peer (loopback, unless the server has a public address), whether a proxy
    forwarded the request (which only `--behind` allows), `Host` (exactly one of this server's own), the requesting page
    (`Origin`, parsed and compared as a whole, and `Sec-Fetch-Site`), and the caller (anonymous, or the presenter).

Browsers treat all ports of one host as the same "site", and cookies ignore ports: every program on this machine that
the browser contacts by the same host name receives our cookie. So

- `same-site` counts as foreign here, and an Origin must be the very address the request was sent to;
- a launch opens the page at `lamplighter.localhost` if the browser resolves that name: it contacts no other program by
it, unless it is lured there;
- the cookie alone allows no change, at any address: a session also has a key, which the page keeps in its storage.
Storage is separate for each port, and no browser sends it by itself. A program that receives the cookie can read what
the session may read, but not more. `User-Agent` is not checked, because it is sent along with the cookie.

A launch begins with a file on the disk (`launch_file.py`), whose Origin is `null`. Such a request reaches only `POST
/launch`, which checks the code in it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import anyio
import anyio.to_thread
from starlette.types import Receive, Send

from lamplighter.platform.own_addresses import is_loopback
from lamplighter.web.access.credentials import CredentialStore, Pusher, PusherStore
from lamplighter.web.access.decision import (
    Decision,
    Headers,
    Kind,
    came_through_a_proxy,
    check_origin,
    cookie_values,
    find_own_rule,
    single_header,
)
from lamplighter.web.access.gate_middleware import with_session
from lamplighter.web.access.session_store import PresenterSession
from lamplighter.web.capacity.activity import Activity
from lamplighter.web.hosts import Origin
from lamplighter.web.http.route_table import Access, RouteRule

SESSION_KEY_HEADER = "Lamplighter-Key"
"""The header in which the page sends its session's key."""

PUSH_PATH = "/api/push/"
"""The beginning of the paths that pushers may ask for."""

_THREADS = 2
"""Maximum number of concurrent disk accesses."""
_LANDING_PATHS = ("/", "/launch")
"""Paths that links on other sites may open."""
_LAUNCH = ("http", "POST", "/launch")
"""The only request that a page without an origin may make."""
_BEHIND_A_PROXY = (
    "you are behind a proxy: start with --behind and the public address, such as "
    "--behind https://school.example/lamplighter"
)


class Gate:
    """The access control of one server."""

    def __init__(
        self,
        addresses: Iterable[Origin],
        credentials: CredentialStore,
        *,
        loopback: bool,
        port: int,
        prefix: str = "",
        pushers: PusherStore | None = None,
    ) -> None:
        """`loopback`: only this machine can connect, so reading needs no credential. `port` is part of the
        cookie's name. `prefix`: the path of the public address, which a proxy strips, "" or "/lamplighter".
        `pushers` None: nothing can be pushed.
        """
        self.addresses = tuple(addresses)
        self.credentials = credentials
        self.loopback = loopback
        self.rules: list[RouteRule] = []
        self.activity = Activity()
        """The time of the last admitted request."""
        self._threads = anyio.CapacityLimiter(_THREADS)
        self._port = port
        self._prefix = prefix
        self._pushers = pushers

    def page_url(self, address: Origin | None = None) -> str:
        """Return the URL of the page, by default at the public address; it ends in a slash."""
        address = address or self.addresses[0]
        return f"{address}{self._prefix_at(address)}/"

    def issue_launch_url(self, address: Origin | None = None) -> str:
        """Return a link that makes one browser the presenter's; it works once, for a few minutes."""
        return self.launch_url(self.credentials.codes.issue_code(), address)

    def launch_url(self, code: str, address: Origin | None = None) -> str:
        return f"{self.page_url(address)}launch?code={code}"

    def cookie_name(self, address: Origin | None = None) -> str:
        """Return the name of the presenter's cookie. Its prefix makes browsers restrict it to https and this host."""
        address = address or self.addresses[0]
        guard = "" if address.scheme == "http" else "__Secure-" if self._prefix else "__Host-"
        return f"{guard}lamplighter-{self._port}"

    def cookie_path(self, address: Origin) -> str:
        return f"{self._prefix_at(address)}/"

    def _prefix_at(self, address: Origin) -> str:
        return self._prefix if address == self.addresses[0] else ""

    async def admit(self, kind: Kind, method: str, path: str, headers: Headers, peer: str | None) -> Decision:
        """Decide as `decide` does, after reading changed sessions and the pusher whose token is offered."""
        if any(cookie_values(headers, self.cookie_name(address)) for address in self.addresses):
            await anyio.to_thread.run_sync(self.credentials.sessions.reload, limiter=self._threads)
        pusher = None
        if (
            self._pushers is not None
            and path.startswith(PUSH_PATH)
            and (token := _pusher_token(headers)) is not None
        ):
            pusher = await anyio.to_thread.run_sync(self._pushers.find_pusher, token, limiter=self._threads)
        return self.decide(kind, method, path, headers, peer, pusher)

    def decide(
        self,
        kind: Kind,
        method: str,
        path: str,
        headers: Headers,
        peer: str | None,
        pusher: Pusher | None = None,
    ) -> Decision:
        """Decide whether a request may pass, and whether it comes from the presenter, using the sessions as last
        read.
        """
        if self.loopback and (peer is None or not is_loopback(peer)):
            return Decision(False, status=403, detail="only this machine may connect")
        if self.loopback and came_through_a_proxy(headers):
            # Without `--behind`, this machine reads freely; a proxy would extend that to everyone.
            return Decision(False, status=403, detail=_BEHIND_A_PROXY)
        found = check_origin(
            self.addresses, kind, method, path, headers, landing=_LANDING_PATHS, from_file=_LAUNCH
        )
        if isinstance(found, Decision):
            return found
        address, own_origin = found
        try:
            authorization = single_header(headers, b"authorization")
            key = single_header(headers, SESSION_KEY_HEADER.lower().encode())
        except ValueError as error:
            return Decision(False, status=400, detail=str(error))
        rule = find_own_rule(self.rules, kind, method, path, address)
        if isinstance(rule, Decision):
            return rule
        if rule.access is Access.PUSH:
            return _decide_push(rule, path, pusher, address)
        session = self._session(headers, address)
        caller = _Caller(authorization, session, key, own_origin)
        return self._check_credentials(rule, caller, address)

    def guard_socket(self, decision: Decision, receive: Receive, send: Send) -> tuple[Receive, Send]:
        """Return a socket's `receive` and `send`, which close it when its session ends."""
        if decision.session is None or self.loopback:
            return receive, send
        return with_session(self.credentials.sessions, decision.session, receive, send)

    def _session(self, headers: Headers, address: Origin) -> PresenterSession | None:
        for value in cookie_values(headers, self.cookie_name(address)):
            if session := self.credentials.sessions.find_session(value, str(address)):
                return session
        return None

    def _check_credentials(self, rule: RouteRule, caller: _Caller, address: Origin) -> Decision:
        session = caller.session
        presenter = session is not None and session.has_key(caller.key)
        if rule.access is Access.CHANGE:
            presenter = presenter and caller.own_origin
        if caller.authorization is not None:
            scheme, _, token = caller.authorization.partition(" ")
            if scheme.lower() != "bearer" or not self.credentials.is_token(token.strip()):
                detail = "that is not the presenter's token"
                return Decision(False, status=401, detail=detail, address=address)
            session, presenter = None, True
        allowed = {
            Access.OPEN: True,
            Access.READ: self.loopback or presenter or session is not None,
            Access.PRESENT: presenter,
            Access.CHANGE: presenter,
            Access.PUSH: False,
        }[rule.access]
        if not allowed:
            detail = "only the presenter may do that: open the launch link, or send the presenter's token"
            return Decision(False, status=401, detail=detail, rule=rule, address=address)
        return Decision(True, presenter, session and session.id, rule=rule, address=address)


@dataclass(frozen=True)
class _Caller:
    """The credentials that a request offers."""

    authorization: str | None
    session: PresenterSession | None
    key: str | None
    own_origin: bool
    """True if the request's Origin is the address that it was sent to."""


def _pusher_token(headers: Headers) -> str | None:
    try:
        scheme, _, token = (single_header(headers, b"authorization") or "").partition(" ")
    except ValueError:
        return None
    return token.strip() if scheme.lower() == "bearer" else None


def _decide_push(rule: RouteRule, path: str, pusher: Pusher | None, address: Origin) -> Decision:
    """Decide on a request that only a pusher may make, and only about runs of its own. No other credential counts."""
    if pusher is None:
        detail = "that takes a pusher's token, and this one is wrong, has expired or was revoked (lamplighter tokens)"
        return Decision(False, status=401, detail=detail, address=address)
    found = rule.pattern.match(path)
    if found is None or not pusher.covers(found["run"]):
        detail = f"this token may write runs whose names begin with {pusher.prefix}, and no others"
        return Decision(False, status=403, detail=detail, address=address)
    return Decision(True, rule=rule, address=address, pusher=pusher)


def caller_is_presenter(state: Any) -> bool:
    """Return whether the gate found the caller to be the presenter; `state` is the request's state."""
    return bool(getattr(state, "presenter", False))
