"""The sessions of the class, kept in one private file so that a class survives a restart of the server.

The file holds digests, numbers and roles: nobody who reads it can join, or learn who was there.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import secrets
import time
from collections.abc import Container, Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, cast

from lamplighter.platform.private_modes import open_private
from lamplighter.serving.access.presenter_session import browser_words, digest_of
from lamplighter.serving.classroom.viewer_session import ViewerSession
from lamplighter.serving.schemas.classroom import Role

log = logging.getLogger(__name__)

SESSIONS_FILE = ".class-sessions.json"
LIFETIME = 12 * 3600.0
"""Seconds after which a session is over: a school day."""
_JOINING_SECONDS = 60.0
"""Seconds that the page of somebody who has just joined may take to open its socket."""
_LARGEST = 2 << 20


class ViewerSessions:
    """The sessions of one class. Not thread-safe: `Classroom` guards it."""

    def __init__(self, folder: Path, most: int) -> None:
        """Take up the sessions that a server before left in `folder`. `most`: how many there may be."""
        self.most = most
        self._path = folder / SESSIONS_FILE
        self._by_digest: dict[str, ViewerSession] = {s.cookie_digest: s for s in _read(self._path)}
        # Each of 500 viewers is looked up whenever the class changes.
        self._digests: dict[str, str] = {s.id: s.cookie_digest for s in self._by_digest.values()}
        self._number = max((s.number for s in self._by_digest.values()), default=0)

    def __iter__(self) -> Iterator[ViewerSession]:
        """Return the sessions, the first that joined first."""
        return iter(sorted(self._by_digest.values(), key=lambda session: session.number))

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._by_digest)

    def begin(self, user_agent: str, present: Container[str] | None = None) -> tuple[ViewerSession, str]:
        """Begin a session. Returns it with the value of its cookie, which only its browser knows.

        In a full class it takes the place of the oldest session that has gone: who joins again in another window leaves
        one behind each time.

        Args:
            user_agent: the browser's own words about itself.
            present: the ids of the sessions with an open socket; None: not known, so that none has gone.

        Raises:
            OverflowError: there are as many as there may be.
        """
        self._end_old()
        if len(self._by_digest) >= self.most and present is not None:
            latest = time.time() - _JOINING_SECONDS
            gone = next((s for s in self if s.id not in present and s.joined < latest), None)
            if gone is not None:
                self.end(gone)
        if len(self._by_digest) >= self.most:
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
        return session, cookie

    def find_by_cookie(self, cookie: str) -> ViewerSession | None:
        """Return the session of a cookie's value."""
        session = self._by_digest.get(digest_of(cookie))
        return session if session is not None and time.time() - session.joined < LIFETIME else None

    def find(self, session_id: str) -> ViewerSession | None:
        """Return the session of an id."""
        return self._by_digest.get(self._digests.get(session_id, ""))

    def set_role(self, session: ViewerSession, role: Role) -> None:
        """Raise a viewer to an assistant, or lower one."""
        self._by_digest[session.cookie_digest] = replace(session, role=role)

    def end(self, session: ViewerSession) -> None:
        """End a session: its cookie is worth nothing from now on."""
        self._by_digest.pop(session.cookie_digest, None)
        self._digests.pop(session.id, None)

    def end_all(self) -> None:
        """End every session, and begin to count anew."""
        self._by_digest.clear()
        self._digests.clear()
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
        and time.time() - session.joined < LIFETIME
    )
