"""The gate in front of the class's listener. It knows viewers and nobody else: the presenter's credentials mean nothing here.

It decides by the same first steps as the presenter's gate (`access/decision.py`): proxy, `Host`, `Origin`,
`Sec-Fetch-Site`. Then by the one table of what the class may ask for, and by the viewer's session.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from enum import Enum
from functools import partial

from starlette.types import Receive, Send

from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_store import NoSuchRunError
from lamplighter.serving.classroom.classroom import Classroom
from lamplighter.serving.classroom.viewer_session import ViewerSession
from lamplighter.web.access.decision import Decision, Kind, check_origin, find_own_rule
from lamplighter.web.access.request_headers import (
    Headers,
    came_through_a_proxy,
    cookie_values,
    single_header,
)
from lamplighter.web.capacity.activity import Activity
from lamplighter.web.capacity.caller import Caller, Network, is_in_network
from lamplighter.web.capacity.thread_pools import Pool, ThreadPools
from lamplighter.web.hosts import Origin
from lamplighter.web.http.route_table import RouteRule

_MOST_LOOKS = 48
"""Requests of one viewer that wait for a look at the disk: as many as it may have under way behind this gate."""
_LANDING_PATHS = ("/",)
_NO_CREDENTIALS = (
    "the presenter's credentials mean nothing here: present on the machine that runs Lamplighter"
)
_TOO_MANY = "you sent more requests at once than one viewer may: try again in a few seconds"


class ClassAccess(Enum):
    """The people who may use a route of the class."""

    OPEN = "open"
    """Anyone who can connect."""
    MEMBER = "member"
    """Everyone who has joined."""
    TEXT = "text"
    """Everyone who has joined, where the text of the run is given to the class."""
    ASSISTANT = "assistant"
    """A viewer whom the presenter raised."""


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
        """Guard the class's listener.

        Args:
            classroom: the class.
            find_run: finds the run of an id, or raises NoSuchRunError; called in threads.
            activity: notes when somebody is here; shared with the presenter's gate.
            port: the port of the address people use; part of the cookie's name.
            trusted: the proxy in front, whose forwarded headers count; None: nobody's do, and they are refused.
        """
        self.activity = activity
        self.addresses: Sequence[Origin] = ()
        """The addresses of the class, the one people use first; set while it listens."""
        self.rules: list[RouteRule] = []
        self.access: Mapping[tuple[str, str], ClassAccess] = {}
        """Who may use each route, by its method and its path."""
        self.pools = ThreadPools()
        """The threads in which the gate looks at the disk: those of the app, whose turns and credit hold here too."""
        self._classroom = classroom
        self._find_run = find_run
        self._port = port
        self._trusted = trusted

    def page_url(self, address: Origin | None = None) -> str:
        """Return the URL of the class's page; it ends in a slash."""
        address = address or (self.addresses[0] if self.addresses else None)
        return f"{address or ''}/"

    def cookie_name(self, address: Origin) -> str:
        """Return the name of a viewer's cookie; over https, browsers hold its prefix to what it says."""
        return f"{'__Host-' if address.scheme == 'https' else ''}lamplighter-class-{self._port}"

    def guard_socket(self, decision: Decision, receive: Receive, send: Send) -> tuple[Receive, Send]:
        """Return what a socket receives and sends by; the class's hub closes those of ended sessions itself."""
        return receive, send

    async def admit(self, kind: Kind, method: str, path: str, headers: Headers, peer: str | None) -> Decision:
        """Decide as `decide` does, and let pass what asks for a text that is given."""
        decision = self.decide(kind, method, path, headers, peer)
        if decision.text_of is None:
            return decision
        caller = Caller(session=decision.viewer)
        if self.pools.waiting(Pool.CHEAP, caller) >= _MOST_LOOKS:
            return replace(decision, status=429, detail=_TOO_MANY)
        look = partial(self._may_see_text_of, decision.text_of)
        if await self.pools.run_in(Pool.CHEAP, look, caller=caller):
            return replace(decision, allowed=True, status=200, detail="")
        return decision

    def decide(self, kind: Kind, method: str, path: str, headers: Headers, peer: str | None) -> Decision:
        """Decide whether a request may pass. One for a run's text may not, as far as this can tell without the disk."""
        client = None
        if came_through_a_proxy(headers):
            if self._trusted is None or not is_in_network(peer, self._trusted):
                detail = "this address takes nothing from a proxy it was not told of: see --trust-proxy"
                return Decision(False, status=403, detail=detail)
            client = _forwarded_client(headers)
        elif self._trusted is not None and not is_in_network(peer, self._trusted):
            return Decision(False, status=403, detail="this address is reached through its proxy only")
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
        # A route that the table lacks is nobody's.
        access = self.access.get(key)
        status, detail = self._refusal(access, session, rule, own_origin)
        text_of = None
        if access is ClassAccess.TEXT and not status:
            status, detail = 403, "the presenter has not given the text of this run to the class"
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
        """Return the id of the session that the head of a request names; None behind a proxy, whose connections are those
        of many."""
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
            return 403, "only an assistant may do that: the presenter raises one by hand"
        return 0, ""


def _forwarded_client(headers: Headers) -> str | None:
    """Return the address that the trusted proxy saw: the last one it wrote, since those before it may be made up."""
    found = [value.decode("latin-1") for name, value in headers if name.lower() == b"x-forwarded-for"]
    last = ",".join(found).rpartition(",")[2].strip()
    try:
        return str(ipaddress.ip_address(last))
    except ValueError:
        return None
