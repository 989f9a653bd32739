"""Counters of what became of the connections of one server."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass


@dataclass
class ConnectionCounters:
    """Counts since the server started, but for `open` and `websockets`. Written on the event loop alone; a refusal is
    counted here and has no line of its own in a log, which a flood would fill."""

    accepted: int = 0
    open: int = 0
    """Connections open now."""
    websockets: int = 0
    """Websockets open now."""
    evicted_waiting: int = 0
    """Connections closed for a newcomer before they had sent a whole request head."""
    evicted_resting: int = 0
    """Connections closed for another between two requests."""
    refused_full: int = 0
    """Requests answered 503, because every place was taken."""
    refused_address: int = 0
    """Requests answered 503, because their address had its share of the places."""
    refused_session: int = 0
    """Requests answered 429, because their viewer had its share of the places."""
    turned_away: int = 0
    """Connections closed at once, because there was nothing to evict."""
    late_heads: int = 0
    """Connections closed because a request head did not come in time."""
    slow_bodies: int = 0
    """Connections closed because a request body came too slowly."""
    malformed: int = 0
    """Connections closed because what they sent is not HTTP, or is ambiguous."""
    flooding_sockets: int = 0
    """Websockets closed because they sent too much."""
    shed: int = 0
    """Connections closed unread, because no file descriptor was left."""


def count_ended(counters: Iterable[ConnectionCounters]) -> Counter[str]:
    """Return how many connections were ended on all listeners, by the name of the field that counts them."""
    ended: Counter[str] = Counter()
    for one in counters:
        ended.update(asdict(one))
    for name in ("accepted", "open", "websockets"):
        del ended[name]
    return ended
