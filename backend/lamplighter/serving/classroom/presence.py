"""The presence of a viewer: an open page has a socket, and one that only joined never had any."""

from __future__ import annotations

import math
from dataclasses import dataclass

OPENING_SECONDS = 10.0
"""Seconds that the page of a viewer who has just joined may take to open its socket."""
SILENT_SECONDS = 20.0
"""Seconds after which a session that asks for nothing has no page: without a run to watch, a page asks every 15 s."""
_KEPT_SECONDS = 600.0
"""Seconds for which the place of a closed page is kept at most: a phone that is locked for a while."""
_KEPT_TIMES = 10.0
"""Seconds for which a place is kept for each second that its page was open: pages open for a moment do not fill a class."""


@dataclass
class Presence:
    """The presence of one viewer. Its times are seconds of a clock that cannot be set."""

    address: str | None
    """The address that it joined from; None: not known, because it is kept in memory only."""
    joined: float
    asked: float = -math.inf
    """When it last asked for anything; a page does so all the time while there is no run to open a socket for."""
    sockets: int = 0
    _opened: float = 0.0
    _open_seconds: float = 0.0
    _left: float = 0.0

    def open_socket(self, now: float) -> None:
        """Note that a socket was opened."""
        if not self.sockets:
            self._opened = now
        self.sockets += 1

    def close_socket(self, now: float) -> None:
        """Note that a socket was closed."""
        self.sockets -= 1
        if not self.sockets:
            self._open_seconds += now - self._opened
            self._left = now

    def may_open(self, now: float) -> bool:
        """Return whether its page may still be about to open."""
        return now - self.joined < OPENING_SECONDS

    def is_silent(self, now: float) -> bool:
        """Return whether it has not asked for anything of late."""
        return now - self.asked >= SILENT_SECONDS

    @property
    def kept_until(self) -> float:
        """Return until when its place is kept; for ever while its page is open."""
        if self.sockets:
            return math.inf
        kept = OPENING_SECONDS + _KEPT_TIMES * self._open_seconds
        return max(self.joined, self._left) + min(_KEPT_SECONDS, kept)


def unknown_presence(now: float) -> Presence:
    """Return the presence of a session that a server before left: it is kept as long as any."""
    return Presence(None, now, _open_seconds=_KEPT_SECONDS)
