"""The sessions of the class, and the places that they have in it.

A session has a place in the class once its page has opened a socket, so a full class is full of pages. A session that
has only joined takes no place. Such sessions are limited too: to a few of each address that ask for nothing, since a page
takes seconds to open, and to the size of a class for those that ask, as pages do while there is no run. Those of the
newest address go first.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from lamplighter.platform.steady_clock import SteadyClock, steady_clock
from lamplighter.serving.classroom.presence import OPENING_SECONDS, Presence, unknown_presence
from lamplighter.serving.classroom.sessions_file import read_sessions, write_sessions
from lamplighter.serving.classroom.viewer_session import ViewerSession
from lamplighter.serving.schemas.classroom import Role
from lamplighter.web.access.presenter_session import browser_words, digest_of
from lamplighter.web.connections.inbound_quota import InboundQuota

log = logging.getLogger(__name__)

LIFETIME = 12 * 3600.0
"""Seconds after which a session is over: a school day."""
ASSISTS_A_SECOND = 5
"""Things that one assistant may do in a second."""
ADDRESS_SILENT, ADDRESS_UNOPENED, ALL_UNOPENED = 30, 500, 1_000
"""Sessions without a page: of one address those that ask for nothing, all of one address, and all of them."""


class UnopenedError(RuntimeError):
    """An error for a join from an address that has joined often without opening a page."""


class ViewerSessions:
    """The sessions of one class. Not thread-safe: `Classroom` guards it."""

    def __init__(self, folder: Path, most: int, clock: SteadyClock = steady_clock) -> None:
        """Begin without any.

        Args:
            folder: the folder of runs, which has the file.
            most: how many there may be with a page.
            clock: tells the time.
        """
        self.most = most
        self._clock = clock
        self._folder = folder
        self._written = True
        self._by_digest: dict[str, ViewerSession] = {}
        # Each of 500 viewers is looked up whenever the class changes.
        self._digests: dict[str, str] = {}
        self._presences: dict[str, Presence] = {}
        self._assisted: dict[str, InboundQuota] = {}
        self._number = 0

    def __iter__(self) -> Iterator[ViewerSession]:
        """Return the sessions, the first that joined first."""
        return iter(sorted(self._by_digest.values(), key=lambda session: session.number))

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._by_digest)

    def begin(self, user_agent: str, address: str) -> tuple[ViewerSession, str]:
        """Begin a session. Returns it with the value of its cookie, which only its browser knows.

        Args:
            user_agent: the browser's own words about itself.
            address: the address that it comes from.

        Raises:
            OverflowError: there are as many as there may be, and none has been gone for long.
            UnopenedError: too many joined from this address within seconds.
        """
        self._end_old()
        self._make_room_for_unopened(address)
        if self._is_full() and self._longest_gone() is None:
            raise OverflowError(f"{self.most} are here already, and no more can be")
        cookie = secrets.token_urlsafe(32)
        self._number += 1
        session = ViewerSession(
            id=secrets.token_hex(8),
            number=self._number,
            browser=browser_words(user_agent),
            joined=self._clock(),
            cookie_digest=digest_of(cookie),
        )
        self._by_digest[session.cookie_digest] = session
        self._digests[session.id] = session.cookie_digest
        self._presences[session.id] = Presence(address, self._clock())
        return session, cookie

    def open_socket(self, session: ViewerSession) -> bool:
        """Note that a session opens a socket. With its first it takes its place, in a full class that of a viewer who has
        been gone for long, an assistant's last. Returns False if there is none; the session is over then.
        """
        if not session.has_place and self._is_full():
            gone = self._longest_gone()
            self.end(session if gone is None else gone)
            if gone is None:
                return False
        if not session.watched:
            self._by_digest[session.cookie_digest] = replace(session, watched=True)
        self._presences[session.id].open_socket(self._clock())
        return True

    def close_socket(self, session: ViewerSession) -> None:
        """Note that a session has closed a socket."""
        self._presences[session.id].close_socket(self._clock())

    def find_by_cookie(self, cookie: str) -> ViewerSession | None:
        """Return the session of a cookie's value."""
        session = self._by_digest.get(digest_of(cookie))
        if session is None or self._is_over(session):
            return None
        self._presences[session.id].asked = self._clock()
        return session

    def find(self, session_id: str) -> ViewerSession | None:
        """Return the session of an id."""
        return self._by_digest.get(self._digests.get(session_id, ""))

    def set_role(self, session: ViewerSession, role: Role) -> None:
        """Raise a viewer to an assistant, or lower one."""
        self._by_digest[session.cookie_digest] = replace(session, role=role)

    def may_assist(self, session: ViewerSession) -> bool:
        """Count something that an assistant does. Returns False if it is too much for a second."""
        quota = self._assisted.setdefault(
            session.id, InboundQuota(ASSISTS_A_SECOND, 0, 1.0, clock=self._clock)
        )
        return quota.allows_frame()

    def end(self, session: ViewerSession) -> None:
        """End a session: its cookie is worth nothing from now on."""
        self._by_digest.pop(session.cookie_digest, None)
        self._digests.pop(session.id, None)
        self._presences.pop(session.id, None)
        self._assisted.pop(session.id, None)

    def end_all(self) -> None:
        """End every session, and begin to count anew."""
        self._by_digest.clear()
        self._digests.clear()
        self._presences = {}
        self._assisted.clear()
        self._number = 0

    def read_file(self) -> list[ViewerSession]:
        """Return the sessions that the file has, on any thread."""
        return read_sessions(self._folder, self._clock)

    def take_up(self, sessions: Iterable[ViewerSession]) -> None:
        """Go on with the sessions of a file in place of these. Who is in both is as present as it was."""
        presences = self._presences
        self.end_all()
        for session in sessions:
            self._by_digest[session.cookie_digest] = session
            self._digests[session.id] = session.cookie_digest
            self._presences[session.id] = presences.get(session.id) or unknown_presence(self._clock())
            self._number = max(self._number, session.number)

    def save(self, sessions: Iterable[ViewerSession]) -> bool:
        """Write `sessions` to the file, on any thread. Returns False if it cannot be written."""
        try:
            write_sessions(self._folder, sessions, self._clock)
        except OSError as error:
            if self._written:
                log.warning("the class is kept in memory only: %s", error.strerror or error)
            self._written = False
        else:
            self._written = True
        return self._written

    def _is_full(self) -> bool:
        return sum(session.has_place for session in self._by_digest.values()) >= self.most

    def _longest_gone(self) -> ViewerSession | None:
        """Return the session whose place may go to another; None if there is none."""
        now = self._clock()
        gone = [s for s in self if s.has_place and self._presences[s.id].kept_until <= now]
        return min(
            gone, key=lambda s: (s.role == "assistant", self._presences[s.id].kept_until), default=None
        )

    def _make_room_for_unopened(self, address: str) -> None:
        """End a session that never opened its page, if there are too many of them.

        Raises:
            UnopenedError: there are too many of this address, and all of these may still be about to.
        """
        now = self._clock()
        unopened = [session for session in self if not session.has_place]
        of = {session.id: self._presences[session.id] for session in unopened}
        own = [session for session in unopened if of[session.id].address == address]
        silent = [session for session in own if of[session.id].is_silent(now)]
        if len(silent) >= ADDRESS_SILENT or len(own) >= ADDRESS_UNOPENED:
            among = silent if len(silent) >= ADDRESS_SILENT else own
            if all(of[session.id].may_open(now) for session in among):
                raise UnopenedError(
                    f"many joined within {OPENING_SECONDS:g} s and opened no page: try again in a few seconds"
                )
        elif len(unopened) >= ALL_UNOPENED:
            among = unopened
        else:
            return
        # Those who came first came before the flood.
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
        return self._clock() - session.joined >= LIFETIME
