"""A viewer's session: random, revocable, and only for watching; and its presence: an open page has a socket, and a session
that only joined never had one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from lamplighter.serving.schemas.classroom import Role

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
