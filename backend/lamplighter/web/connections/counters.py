"""Counters of the connections of one server, by outcome."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass


@dataclass
class ConnectionCounters:
    """Counts since the server started, except `open` and `websockets`. Written only on the event loop. Refusals are
    counted instead of logged, because a flood would fill the log."""

    open: int = 0
    """Connections open now."""
    websockets: int = 0
    """Websockets open now."""
    evicted_waiting: int = 0
    """Connections evicted for a new one before they had sent a whole request head."""
    evicted_resting: int = 0
    """Connections evicted between two requests."""
    refused_full: int = 0
    """Requests answered 503, because every place was taken."""
    refused_address: int = 0
    """Requests answered 503, because their address had used its share of the places."""
    refused_session: int = 0
    """Requests answered 429, because their viewer had used its share of the places."""
    turned_away: int = 0
    """Connections closed at once, because none could be evicted."""
    late_heads: int = 0
    """Connections closed because a request head did not arrive in time."""
    slow_bodies: int = 0
    """Connections closed because a request body arrived too slowly."""
    malformed: int = 0
    """Connections closed because they sent invalid or ambiguous HTTP."""
    flooding_sockets: int = 0
    """Websockets closed because they sent too much."""
    shed: int = 0
    """Connections closed unread, because no file descriptor was left."""


def count_ended(counters: Iterable[ConnectionCounters]) -> Counter[str]:
    ended: Counter[str] = Counter()
    for one in counters:
        ended.update(asdict(one))
    for name in ("open", "websockets"):
        del ended[name]
    return ended
