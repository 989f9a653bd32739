"""The limits on connections, and how many of them the open files of this process allow."""

from __future__ import annotations

from dataclasses import dataclass

from lamplighter.web.settings import SettingsError

_MOST = 4_096
"""Enough for 500 viewers with a socket and six requests each. An idle connection takes about 10 KB."""
_FEWEST = 32
_FILES = 96
"""Descriptors for everything else: pipes of the workers, SQLite files of followed runs and of eight routes at work (three
each, nine where a run is read), exports, and the few connections that are accepted before the gate sees them."""


@dataclass(frozen=True)
class ConnectionLimits:
    """How many connections there may be, how long they may take, and what a websocket may send."""

    total: int = _MOST
    """Connections open at a time."""
    head_bytes: int = 16 << 10
    """Bytes that a request head may have."""
    head_seconds: float = 10.0
    """Seconds allowed for a whole request head."""
    body_seconds: float = 10.0
    """Seconds over which the rate of a request body is measured."""
    body_rate: int = 1_024
    """Bytes a second that a request body must come with, on average over `body_seconds`."""
    frames: int = 20
    """Websocket frames that a viewer may send in `frame_seconds`."""
    frame_bytes: int = 4_096
    """Bytes that a viewer may send in `frame_seconds`."""
    frame_seconds: float = 10.0
    largest_message: int = 1_024
    """Bytes of one websocket message."""
    whole_share: bool = False
    """True if one address may take every place of the viewers: a whole class behind one router."""
    session_connections: int = 16
    """Connections that one viewer of a class may have: a browser opens six, and four sockets."""
    excess_seconds: float = 2.0
    """Seconds for which a connection beyond these waits for its refusal, so that asking again at once gains nothing."""
    close_seconds: float = 1.0
    """Seconds in which a client may take the reason why it is closed, before its connection is dropped."""

    @property
    def newcomers(self) -> int:
        """Return how many connections may be open that have not sent a whole request head yet."""
        return max(8, self.total // 4)

    @property
    def reserve(self) -> int:
        """Return how many places viewers cannot take: half for the presenter, half for those about to say who they
        are."""
        return max(8, self.total // 10)

    @property
    def share(self) -> int:
        """Return how many places one address of another machine may take. A whole class may come from one address, so
        it is not small."""
        return self.total - self.reserve if self.whole_share else self.total // 2


def fit_limits(descriptors: int | None) -> ConnectionLimits:
    """Return limits under which a process with so many descriptors does not run out of them; None: not limited.

    Raises:
        SettingsError: they leave too few connections.
    """
    if descriptors is None:
        return ConnectionLimits()
    total = min(_MOST, descriptors - max(_FILES, descriptors // 4))
    if total < _FEWEST:
        raise SettingsError(
            f"open files: this process may open {descriptors}, which leaves {max(0, total)} connections, and a server "
            f"needs {_FEWEST}; allow it at least {_FILES + _FEWEST}, better 1024 (ulimit -n 1024)"
        )
    return ConnectionLimits(total=total)
