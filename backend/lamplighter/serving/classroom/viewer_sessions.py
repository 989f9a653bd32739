"""The sessions of the class, kept in one private file so that a class survives a restart of the server.

The file holds digests, numbers and roles: nobody who reads it can join, or learn who was there.

A session has a place in the class once its page has opened a socket, and a full class is full of pages. Who only joins
takes nobody's place. There are not many of those either that ask for nothing: some for each address, since a page takes
seconds to open, and the newest address's go first.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, cast

from lamplighter.platform.private_modes import open_private
from lamplighter.serving.access.presenter_session import browser_words, digest_of
from lamplighter.serving.classroom.presence import OPENING_SECONDS, Presence, unknown_presence
from lamplighter.serving.classroom.viewer_session import ViewerSession
from lamplighter.serving.connections.inbound_quota import InboundQuota
from lamplighter.serving.schemas.classroom import Role

log = logging.getLogger(__name__)

SESSIONS_FILE = ".class-sessions.json"
LIFETIME = 12 * 3600.0
"""Seconds after which a session is over: a school day."""
ASSISTS_A_SECOND = 5
"""Things that one assistant may do in a second."""
ADDRESS_UNOPENED, ALL_UNOPENED = 30, 1_000
"""Sessions without a page: of one address those that ask for nothing, and all of them."""
_LARGEST = 2 << 20


class UnopenedError(RuntimeError):
    """An error for a join from an address that has joined often without opening a page."""


class ViewerSessions:
    """The sessions of one class. Not thread-safe: `Classroom` guards it."""

    def __init__(self, folder: Path, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        """Take up the sessions that a server before left in `folder`.

        Args:
            folder: the folder of runs.
            most: how many there may be with a page.
            clock: gives seconds.
        """
        self.most = most
        self._clock = clock
        self._path = folder / SESSIONS_FILE
        self._by_digest: dict[str, ViewerSession] = {s.cookie_digest: s for s in _read(self._path)}
        # Each of 500 viewers is looked up whenever the class changes.
        self._digests: dict[str, str] = {s.id: s.cookie_digest for s in self._by_digest.values()}
        self._presences = {s.id: unknown_presence(clock()) for s in self._by_digest.values()}
        self._assisted: dict[str, InboundQuota] = {}
        self._number = max((s.number for s in self._by_digest.values()), default=0)

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
            OverflowError: there are as many as there may be, and nobody has been gone for long.
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
            joined=time.time(),
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
        if session is None or time.time() - session.joined >= LIFETIME:
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
        self._presences.clear()
        self._assisted.clear()
        self._number = 0

    def save(self) -> None:
        """Write the file. Where it cannot be written, sessions end with this process."""
        temporary = self._path.with_name(f"{self._path.name}.{secrets.token_hex(4)}")
        try:
            with open(temporary, "x", encoding="ascii", opener=open_private) as file:
                json.dump([asdict(session) for session in self], file)
            os.replace(temporary, self._path)
        except OSError as error:
            log.warning("the class is kept in memory only: %s", error.strerror or error)
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)

    def _is_full(self) -> bool:
        return sum(session.has_place for session in self._by_digest.values()) >= self.most

    def _longest_gone(self) -> ViewerSession | None:
        """Return the session whose place may go to somebody else; None if there is none."""
        now = self._clock()
        gone = [s for s in self if s.has_place and self._presences[s.id].kept_until <= now]
        return min(
            gone, key=lambda s: (s.role == "assistant", self._presences[s.id].kept_until), default=None
        )

    def _make_room_for_unopened(self, address: str) -> None:
        """End a session that never opened its page, if there are too many of them.

        Raises:
            UnopenedError: all of this address may still be about to.
        """
        now = self._clock()
        unopened = [session for session in self if not session.has_place]
        silent = [session for session in unopened if self._presences[session.id].is_silent(now)]
        own = [session for session in silent if self._presences[session.id].address == address]
        if len(own) < ADDRESS_UNOPENED and len(unopened) < ALL_UNOPENED:
            return
        among = own if len(own) >= ADDRESS_UNOPENED else silent
        over = [session for session in among if not self._presences[session.id].may_open(now)]
        if not over:
            raise UnopenedError(
                f"many joined within {OPENING_SECONDS:g} s and opened no page: try again in a few seconds"
            )
        # Those who came first came before the flood.
        came = {self._presences[one.id].address: one.number for one in reversed(unopened)}
        self.end(max(over, key=lambda one: (came[self._presences[one.id].address], one.number)))

    def _end_old(self) -> None:
        now = time.time()
        for session in list(self._by_digest.values()):
            if now - session.joined >= LIFETIME:
                self.end(session)


def _read(path: Path) -> list[ViewerSession]:
    """Return the sessions of a file; none if it is missing, damaged, or anybody's but ours."""
    try:
        if path.stat(follow_symlinks=False).st_size > _LARGEST or path.is_symlink():
            return []
        content = json.loads(path.read_text(encoding="ascii"))
        found = [ViewerSession(**cast("dict[str, Any]", entry)) for entry in content]
    except (OSError, ValueError, TypeError, RecursionError):
        return []
    return [session for session in found if _is_sound(session)]


def _is_sound(session: ViewerSession) -> bool:
    words = (session.id, session.browser, session.cookie_digest)
    return (
        all(isinstance(cast(object, word), str) for word in words)
        and isinstance(cast(object, session.number), int)
        and isinstance(cast(object, session.joined), float)
        and session.role in ("viewer", "assistant")
        and isinstance(cast(object, session.watched), bool)
        and time.time() - session.joined < LIFETIME
    )
