"""The class's listener: how routes start and stop it, and the gate in front of it. The gate knows only viewers and ignores the presenter's credentials.

It starts with the same checks as the presenter's gate (`access/decision.py`): proxy, `Host`, `Origin`,
`Sec-Fetch-Site`. Then it checks the table of the class's routes and the viewer's session.
"""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import partial
from typing import Protocol

from starlette.types import Receive, Send

from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_store import NoSuchRunError
from lamplighter.serving.classroom.classroom import Classroom
from lamplighter.serving.classroom.viewer_sessions import ViewerSession
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
from lamplighter.web.capacity.activity import Activity
from lamplighter.web.capacity.caller import Caller, Network, is_in_network
from lamplighter.web.capacity.thread_pools import Pool, ThreadPools
from lamplighter.web.hosts import Origin
from lamplighter.web.http.route_table import RouteRule

_MAX_LOOKS = 48
"""Maximum requests of one viewer that wait for a disk access: as many as it may have in progress behind this gate."""
_LANDING_PATHS = ("/",)
_NO_CREDENTIALS = (
    "the presenter's credentials are not valid here: present on the machine that runs Lamplighter"
)
_TOO_MANY = "you sent more requests at once than one viewer may: try again in a few seconds"


class ClassAccess(Enum):
    """The people who may use a route of the class."""

    OPEN = "open"
    """Anyone who can connect."""
    MEMBER = "member"
    """Everyone who has joined."""
    TEXT = "text"
    """Everyone who has joined, if the class may see the text of the run."""
    ASSISTANT = "assistant"
    """A viewer whom the presenter has made an assistant."""


class ClassGate:
    """The access control of the class's listener."""

    def __init__(
        self,
        classroom: Classroom,
        find_run: Callable[[str], RunFolder],
        *,
        activity: Activity,
        port: int,
        trusted: Network | None = None,
    ) -> None:
        """Guard the class's listener. `find_run` raises NoSuchRunError, and is called in threads. `activity` is
        shared with the presenter's gate. `port` is that of the public address, part of the cookie's name.
        `trusted`: the proxy in front; None: forwarded headers are refused.
        """
        self.activity = activity
        self.addresses: Sequence[Origin] = ()
        """The addresses of the class, the public one first; set while it listens."""
        self.rules: list[RouteRule] = []
        self.access: Mapping[tuple[str, str], ClassAccess] = {}
        """Who may use each route, by its method and its path."""
        self.pools = ThreadPools()
        """The threads in which the gate reads the disk: those of the app, with the same turns and credit."""
        self._classroom = classroom
        self._find_run = find_run
        self._port = port
        self._trusted = trusted

    def page_url(self, address: Origin | None = None) -> str:
        address = address or (self.addresses[0] if self.addresses else None)
        return f"{address or ''}/"

    def cookie_name(self, address: Origin) -> str:
        """Return the name of a viewer's cookie. Over https, its prefix makes browsers restrict it to this host."""
        return f"{'__Host-' if address.scheme == 'https' else ''}lamplighter-class-{self._port}"

    def guard_socket(self, decision: Decision, receive: Receive, send: Send) -> tuple[Receive, Send]:
        """Return `receive` and `send` unchanged: the class's hub closes the sockets of ended sessions."""
        return receive, send

    async def admit(self, kind: Kind, method: str, path: str, headers: Headers, peer: str | None) -> Decision:
        """Decide as `decide` does, and admit requests for a text that the class may see."""
        decision = self.decide(kind, method, path, headers, peer)
        if decision.text_of is None:
            return decision
        caller = Caller(session=decision.viewer)
        if self.pools.waiting(Pool.PAGE, caller) >= _MAX_LOOKS:
            return replace(decision, status=429, detail=_TOO_MANY)
        look = partial(self._may_see_text_of, decision.text_of)
        if await self.pools.run_in(Pool.PAGE, look, caller=caller):
            return replace(decision, allowed=True, status=200, detail="")
        return decision

    def decide(self, kind: Kind, method: str, path: str, headers: Headers, peer: str | None) -> Decision:
        """Decide whether a request may pass, without reading the disk. A request for a run's text may not."""
        client, refusal = find_client(headers, peer, self._trusted)
        if refusal is not None:
            return Decision(False, status=403, detail=refusal)
        found = check_origin(self.addresses, kind, method, path, headers, landing=_LANDING_PATHS)
        if isinstance(found, Decision):
            return found
        address, own_origin = found
        rule = find_own_rule(self.rules, kind, method, path, address)
        if isinstance(rule, Decision):
            return rule
        try:
            authorization = single_header(headers, b"authorization")
        except ValueError as error:
            return Decision(False, status=400, detail=str(error))
        if authorization is not None:
            return Decision(False, status=401, detail=_NO_CREDENTIALS, rule=rule, address=address)
        session = self._session(headers, address)
        key = (rule.kind if kind == "websocket" else "GET" if method == "HEAD" else method, rule.path)
        # A route that the table lacks is closed to everyone.
        access = self.access.get(key)
        status, detail = self._refusal(access, session, rule, own_origin)
        text_of = None
        if access is ClassAccess.TEXT and not status:
            status, detail = 403, "the presenter has not shared the text of this run with the class"
            match = rule.pattern.match(path)
            text_of = match and match["run"]
        return Decision(
            not status,
            session=session and session.id,
            viewer=session and session.id,
            status=status or 200,
            detail=detail,
            rule=rule,
            address=address,
            client=client,
            text_of=text_of,
            may_see_text=self._classroom.may_see_text,
        )

    def _may_see_text_of(self, run_id: str) -> bool:
        try:
            return self._classroom.may_see_text(self._find_run(run_id))
        except (NoSuchRunError, OSError):
            return False

    def find_viewer(self, headers: Headers) -> str | None:
        """Return the id of the session in a request head; None behind a proxy, whose connections are shared by
        many.
        """
        if self._trusted is not None or not self.addresses:
            return None
        session = self._session(headers, self.addresses[0])
        return session and session.id

    def _session(self, headers: Headers, address: Origin) -> ViewerSession | None:
        for value in cookie_values(headers, self.cookie_name(address)):
            if session := self._classroom.find_by_cookie(value):
                return session
        return None

    def _refusal(
        self,
        access: ClassAccess | None,
        session: ViewerSession | None,
        rule: RouteRule,
        own_origin: bool,
    ) -> tuple[int, str]:
        """Return status and reason of a refusal; (0, "") if the request may pass."""
        if access is None:
            return 404, "there is no such page"
        if "POST" in rule.methods and not own_origin:
            return 403, "only this class's own page may do that"
        if access is ClassAccess.OPEN:
            return 0, ""
        if session is None:
            return 401, "join the class first, with the code on the presenter's screen"
        if access is ClassAccess.ASSISTANT and session.role != "assistant":
            return 403, "only an assistant may do that, and only the presenter appoints assistants"
        return 0, ""


def find_client(headers: Headers, peer: str | None, trusted: Network | None) -> tuple[str | None, str | None]:
    """Return the address that the proxies of `trusted` saw, None without one, and why the request is refused, None if
    it is not.
    """
    if came_through_a_proxy(headers):
        if trusted is None or not is_in_network(peer, trusted):
            return None, "this address refuses requests from an unknown proxy: see --trust-proxy"
        return _forwarded_client(headers), None
    if trusted is not None and not is_in_network(peer, trusted):
        return None, "this address is reached only through its proxy"
    return None, None


def _forwarded_client(headers: Headers) -> str | None:
    """Return the address that the trusted proxy saw: the last in the header, since those before may be forged."""
    found = [value.decode("latin-1") for name, value in headers if name.lower() == b"x-forwarded-for"]
    last = ",".join(found).rpartition(",")[2].strip()
    try:
        return str(ipaddress.ip_address(last))
    except ValueError:
        return None


_SECONDS = 10.0


class ClassListener(Protocol):
    """The part of the server that listens for the class. Belongs to the event loop."""

    async def start(self) -> None:
        """Start to listen; raises SettingsError if that fails."""
        ...

    async def stop(self) -> None:
        """Close every connection of the class and stop listening."""
        ...


@dataclass
class ClassListening:
    """The class's listener, as routes see it."""

    available: bool = False
    """True if the server was started with a class."""
    listening: bool = False
    addresses: Sequence[Origin] = ()
    """The addresses at which people reach the class, the likeliest first."""
    _listener: ClassListener | None = field(default=None, repr=False)
    loop: asyncio.AbstractEventLoop | None = field(default=None, repr=False)
    """The listener's event loop, once it runs."""

    @property
    def encrypted(self) -> bool:
        return bool(self.addresses) and self.addresses[0].scheme == "https"

    def attach(self, listener: ClassListener) -> None:
        self._listener = listener

    def start(self) -> None:
        """Return once it listens; raises SettingsError if it cannot. Call it from a thread other than the loop's."""
        if self._listener is not None:
            self._wait_for(self._listener.start())

    def stop(self) -> None:
        """Close the class's connections and stop listening. Call it from a thread other than the loop's."""
        if self._listener is not None:
            self._wait_for(self._listener.stop())

    def _wait_for(self, work: Awaitable[None]) -> None:
        async def run() -> None:
            await work

        assert self.loop is not None
        asyncio.run_coroutine_threadsafe(run(), self.loop).result(_SECONDS)
