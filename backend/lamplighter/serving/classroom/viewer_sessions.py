"""The sessions of the class, and their places in it.

A session has a place in the class once its page has opened a socket, so a full class is full of open pages. A session
that has only joined takes no place. Such sessions are limited too: to a few silent ones per address, since a page takes
seconds to open, and to the size of a class for polling ones, since pages poll while there is no run. Those of the
newest address are ended first.

It holds digests, numbers and roles: a reader can neither join nor identify viewers.

A session is random, revocable, and only for watching. Its presence: an open page has a socket, and a session that only
joined never had one.
"""

from __future__ import annotations

import math
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Annotated

from pydantic import Field

from lamplighter.platform.steady_clock import SteadyClock, steady_clock
from lamplighter.serving.schemas.classroom import Role
from lamplighter.web.access.session_store import browser_words, digest_of
from lamplighter.web.connections.viewer_protocol import InboundQuota

OPENING_SECONDS = 10.0
"""Seconds for the page of a new viewer to open its socket."""
SILENT_SECONDS = 20.0
"""Seconds without a request after which a session has no page: without a run to watch, a page polls every 15 s."""
_KEPT_SECONDS = 600.0
"""Maximum seconds for which the place of a closed page is kept, such as for a locked phone."""
_KEPT_TIMES = 10.0
"""Seconds for which a place is kept per second that its page was open, so that briefly opened pages do not fill a
class."""


@dataclass
class Presence:
    """The presence of one viewer. Its times are seconds of a monotonic clock."""

    address: str | None
    """The address that it joined from; None: unknown, because addresses are kept only in memory."""
    joined: float
    asked: float = -math.inf
    """The time of its last request; a page polls while there is no run to open a socket for."""
    sockets: int = 0
    _opened: float = 0.0
    _open_seconds: float = 0.0
    _left: float = 0.0

    def open_socket(self, now: float) -> None:
        if not self.sockets:
            self._opened = now
        self.sockets += 1

    def close_socket(self, now: float) -> None:
        self.sockets -= 1
        if not self.sockets:
            self._open_seconds += now - self._opened
            self._left = now

    def may_open(self, now: float) -> bool:
        return now - self.joined < OPENING_SECONDS

    def is_silent(self, now: float) -> bool:
        return now - self.asked >= SILENT_SECONDS

    @property
    def kept_until(self) -> float:
        """Return the time until which its place is kept; infinity while its page is open."""
        if self.sockets:
            return math.inf
        kept = OPENING_SECONDS + _KEPT_TIMES * self._open_seconds
        return max(self.joined, self._left) + min(_KEPT_SECONDS, kept)


def unknown_presence(now: float) -> Presence:
    """Return the presence of a session from an earlier server, which is kept for the maximum time."""
    return Presence(None, now, _open_seconds=_KEPT_SECONDS)


@dataclass(frozen=True)
class ViewerSession:
    """A session of one viewer of the class, without name or address."""

    id: Annotated[str, Field(pattern="^[0-9a-f]{16}$")]
    """The public name of the session: 16 hexadecimal digits, unrelated to its secret."""
    number: Annotated[int, Field(ge=1)]
    """The position in the order of joining, from 1."""
    browser: Annotated[str, Field(max_length=100)]
    """Browser and system in fixed words, never the text that the browser sent."""
    joined: float
    """Unix seconds."""
    cookie_digest: Annotated[str, Field(max_length=64)]
    """SHA-256 of the cookie's value, which has 256 random bits."""
    role: Role = "viewer"
    watched: bool = False
    """True once its page has opened a socket. Only then does it have a place in the class."""

    @property
    def has_place(self) -> bool:
        """Return whether it counts towards the size of the class."""
        return self.watched or self.role == "assistant"


LIFETIME = 12 * 3600.0
"""Lifetime of a session in seconds: a school day."""
ASSISTS_A_SECOND = 5
"""Maximum actions of one assistant in a second."""
ADDRESS_SILENT, ADDRESS_UNOPENED, ALL_UNOPENED = 30, 500, 1_000
"""Maximum sessions without a page: silent ones of one address, all of one address, and all."""


class UnopenedError(RuntimeError):
    """A join from an address that has joined often without opening a page."""


class ViewerSessions:
    """The sessions of one class. Not thread-safe: `Classroom` guards it."""

    def __init__(self, most: int, clock: SteadyClock = steady_clock) -> None:
        """Start without sessions. `most`: the maximum number of sessions with a page."""
        self.most = most
        self.clock = clock
        self._by_digest: dict[str, ViewerSession] = {}
        # Each of 500 viewers is looked up at every change of the class.
        self._digests: dict[str, str] = {}
        self._presences: dict[str, Presence] = {}
        self._assisted: dict[str, InboundQuota] = {}
        self._number = 0

    def __iter__(self) -> Iterator[ViewerSession]:
        return iter(sorted(self._by_digest.values(), key=lambda session: session.number))

    def __len__(self) -> int:
        return len(self._by_digest)

    def begin(self, user_agent: str, address: str, cookie_digest: str) -> ViewerSession:
        """Start a session for the digest of a cookie's value, which only its browser knows.

        Raises OverflowError if the class is full and no viewer has been gone for long, UnopenedError if too
        many joined from this address within seconds.
        """
        self._end_old()
        self._make_room_for_unopened(address)
        if self._is_full() and self._longest_gone() is None:
            raise OverflowError(f"{self.most} viewers are here already, the maximum")
        self._number += 1
        session = ViewerSession(
            id=secrets.token_hex(8),
            number=self._number,
            browser=browser_words(user_agent),
            joined=self.clock(),
            cookie_digest=cookie_digest,
        )
        self._by_digest[session.cookie_digest] = session
        self._digests[session.id] = session.cookie_digest
        self._presences[session.id] = Presence(address, self.clock())
        return session

    def open_socket(self, session: ViewerSession) -> bool:
        """Note that a session opens a socket. With its first socket it takes a place; in a full class, that of a viewer
        who has been gone for long, assistants last. Returns False if there is none; the session is then over.
        """
        if not session.has_place and self._is_full():
            gone = self._longest_gone()
            self.end(session if gone is None else gone)
            if gone is None:
                return False
        if not session.watched:
            self._by_digest[session.cookie_digest] = replace(session, watched=True)
        self._presences[session.id].open_socket(self.clock())
        return True

    def close_socket(self, session: ViewerSession) -> None:
        self._presences[session.id].close_socket(self.clock())

    def find_by_cookie(self, cookie: str) -> ViewerSession | None:
        session = self._by_digest.get(digest_of(cookie))
        if session is None or self._is_over(session):
            return None
        self._presences[session.id].asked = self.clock()
        return session

    def find(self, session_id: str) -> ViewerSession | None:
        return self._by_digest.get(self._digests.get(session_id, ""))

    def set_role(self, session: ViewerSession, role: Role) -> None:
        self._by_digest[session.cookie_digest] = replace(session, role=role)

    def may_assist(self, session: ViewerSession) -> bool:
        """Count an assistant's action. Returns False if it exceeds the rate limit."""
        quota = self._assisted.setdefault(
            session.id, InboundQuota(ASSISTS_A_SECOND, 0, 1.0, clock=self.clock)
        )
        return quota.allows_frame()

    def end(self, session: ViewerSession) -> None:
        self._by_digest.pop(session.cookie_digest, None)
        self._digests.pop(session.id, None)
        self._presences.pop(session.id, None)
        self._assisted.pop(session.id, None)

    def end_all(self) -> None:
        """End every session, and restart the numbering."""
        self._by_digest.clear()
        self._digests.clear()
        self._presences = {}
        self._assisted.clear()
        self._number = 0

    def replace_sessions(self, sessions: Iterable[ViewerSession]) -> None:
        """Replace the sessions by those of a file. Sessions in both keep their presence."""
        presences, assisted = self._presences, dict(self._assisted)
        self.end_all()
        for session in sessions:
            self._by_digest[session.cookie_digest] = session
            self._digests[session.id] = session.cookie_digest
            self._presences[session.id] = presences.get(session.id) or unknown_presence(self.clock())
            self._number = max(self._number, session.number)
            if session.id in assisted:
                self._assisted[session.id] = assisted[session.id]

    def _is_full(self) -> bool:
        return sum(session.has_place for session in self._by_digest.values()) >= self.most

    def _longest_gone(self) -> ViewerSession | None:
        """Return the session whose place may be reassigned; None if there is none."""
        now = self.clock()
        gone = [s for s in self if s.has_place and self._presences[s.id].kept_until <= now]
        return min(
            gone, key=lambda s: (s.role == "assistant", self._presences[s.id].kept_until), default=None
        )

    def _make_room_for_unopened(self, address: str) -> None:
        """End a session that never opened its page, if there are too many. Raises UnopenedError if they are of
        this address and may all still be opening.
        """
        now = self.clock()
        unopened = [session for session in self if not session.has_place]
        of = {session.id: self._presences[session.id] for session in unopened}
        own = [session for session in unopened if of[session.id].address == address]
        silent = [session for session in own if of[session.id].is_silent(now)]
        if len(silent) >= ADDRESS_SILENT or len(own) >= ADDRESS_UNOPENED:
            among = silent if len(silent) >= ADDRESS_SILENT else own
            if all(of[session.id].may_open(now) for session in among):
                raise UnopenedError(
                    f"too many joins within {OPENING_SECONDS:g} s opened no page: try again in a few seconds"
                )
        elif len(unopened) >= ALL_UNOPENED:
            among = unopened
        else:
            return
        # The earliest came before the flood.
        came = {of[one.id].address: one.number for one in reversed(unopened)}

        def rank(one: ViewerSession) -> tuple[bool, bool, int, int]:
            presence = of[one.id]
            return not presence.may_open(now), presence.is_silent(now), came[presence.address], one.number

        self.end(max(among, key=rank))

    def _end_old(self) -> None:
        for session in list(self._by_digest.values()):
            if self._is_over(session):
                self.end(session)

    def _is_over(self, session: ViewerSession) -> bool:
        return self.clock() - session.joined >= LIFETIME
