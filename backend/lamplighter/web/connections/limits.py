"""The limits on connections, and how many the file descriptors of this process allow."""

from __future__ import annotations

from dataclasses import dataclass

from lamplighter.web.settings import SettingsError

_MOST = 4_096
"""Enough for 500 viewers with a socket and six requests each. An idle connection takes about 10 KB."""
_FEWEST = 32
_FILES = 96
"""Descriptors for everything else: pipes of the workers, SQLite files of followed runs and of eight running routes
(three each, nine while a run is read), exports, and the few connections that are accepted before the gate counts
them."""


@dataclass(frozen=True)
class ConnectionLimits:
    """The limits on the number and the time of connections, and on the data that websockets send."""

    total: int = _MOST
    """Maximum number of open connections."""
    head_bytes: int = 16 << 10
    """Maximum size of a request head, in bytes."""
    head_seconds: float = 10.0
    """Seconds allowed for a whole request head."""
    body_seconds: float = 10.0
    """Seconds over which the rate of a request body is measured."""
    body_rate: int = 1_024
    """Minimum rate of a request body, in bytes a second, averaged over `body_seconds`."""
    whole_body_seconds: float = 600.0
    """Seconds for a whole body, however large, unless it comes at `fair_body_rate`."""
    fair_body_rate: int = 256 << 10
    """Rate, in bytes a second on average, at which a body may take longer; one of unknown length must come so."""
    frames: int = 20
    """Websocket frames that a viewer may send in `frame_seconds`."""
    frame_bytes: int = 8_192
    """Bytes that a viewer may send in `frame_seconds`."""
    frame_seconds: float = 10.0
    largest_message: int = 4_096
    """Bytes of one websocket message."""
    whole_share: bool = False
    """True if one address may take every viewer's place, for a whole class behind one router."""
    session_connections: int = 16
    """Maximum number of connections of one viewer of a class: a browser opens six, and four sockets."""
    excess_seconds: float = 2.0
    """Seconds that a connection beyond these waits for its refusal, so that retrying at once gains nothing."""
    close_seconds: float = 1.0
    """Seconds for a client to read why its connection is closed, before the connection is dropped."""

    @property
    def newcomers(self) -> int:
        """Return the maximum number of connections that have not sent a whole request head."""
        return max(8, self.total // 4)

    @property
    def reserve(self) -> int:
        """Return the places that viewers cannot take: half for the presenter, half for waiting connections."""
        return max(8, self.total // 10)

    @property
    def share(self) -> int:
        """Return the places of one address of another machine: many, since a whole class may come from one."""
        return self.total - self.reserve if self.whole_share else self.total // 2


def fit_limits(descriptors: int | None) -> ConnectionLimits:
    """Return limits that a number of file descriptors allows; None: unlimited. Raises SettingsError if they leave
    too few connections.
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
