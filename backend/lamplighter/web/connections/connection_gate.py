"""The gate before HTTP: which connections may be open, and which are evicted when there are too many.

Before a request is read, the owner of its connection is unknown. On the loopback interface every peer is 127.0.0.1, and
behind a proxy every peer is the proxy, so the presenter has no certain address, and a limit per address does not help
there. Hence two stages.

A connection that has not sent a whole request head is *waiting*. There is always room for one more: over the limit, the
one that has waited longest is evicted. An honest client sends its head within milliseconds of connecting, so idle
sockets only evict each other. Each address of another machine gets at most half of these places.

With its first head a connection asks to be *served*. Viewers cannot take the last places, the reserve. When all other
places are taken, a connection that *rests* between two requests is evicted (HTTP allows that; a browser reconnects),
and if none rests the request is answered 503. The presenter, identified by the credentials in the head, may use half of
the reserve. The other half is kept for waiting connections, because the presenter must send a head to be identified. A
websocket or a response in progress is never evicted; responses have minimum rates.

The head of a viewer of a class names its session. A session has only a few places, from all addresses together. Beyond
them one of its resting connections is closed, or the request is refused.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Container, Iterable
from dataclasses import asdict, dataclass

from lamplighter.web.capacity.caller import Network, counted_address, is_in_network
from lamplighter.web.connections.limits import ConnectionLimits


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


FULL = "every place of this server is taken: close an unused viewer, or try again in a few seconds"
SHARE_TAKEN = (
    "your address has used its share of this server's connections: close some, or try again in a few seconds"
)
SESSION_SHARE_TAKEN = (
    "you have the maximum number of connections for one viewer: close some, or try again in a few seconds"
)


class ConnectionGate:
    """The open connections of one server. Belongs to one event loop."""

    def __init__(
        self, limits: ConnectionLimits, counters: ConnectionCounters, trusted: Network | None = None
    ) -> None:
        """Start without connections. `trusted`: a proxy in front, which carries the connections of many people."""
        self._limits = limits
        self._trusted = trusted
        self.counters = counters
        # Each in order of arrival, with the address that the connection counts for.
        self._waiting: dict[asyncio.Transport, str] = {}
        self._resting: dict[asyncio.Transport, str] = {}
        self._busy: dict[asyncio.Transport, str] = {}
        self._websockets: set[asyncio.Transport] = set()
        self._waiting_by_address: Counter[str] = Counter()
        self._served_by_address: Counter[str] = Counter()
        self._sessions: dict[asyncio.Transport, str] = {}
        self._served_by_session: dict[str, set[asyncio.Transport]] = {}

    def enter(self, transport: asyncio.Transport, peer: str | None) -> bool:
        """Admit a new connection, evicting another if necessary. Returns False if it was closed at once."""
        address = self._counted_address(peer)
        if address and self._waiting_by_address[address] >= self._limits.newcomers // 2:
            self._evict_waiting(next(other for other, whose in self._waiting.items() if whose == address))
        elif len(self._waiting) >= self._limits.newcomers or self._open() >= self._limits.total:
            if self._waiting:
                self._evict_waiting(next(iter(self._waiting)))
            elif not self._evict_resting():
                self.counters.turned_away += 1
                transport.abort()
                return False
        self._waiting[transport] = address
        self._waiting_by_address[address] += 1
        self.counters.open = self._open()
        return True

    def admit_request(
        self, transport: asyncio.Transport, is_presenter: Callable[[], bool], session: str | None = None
    ) -> str | None:
        """Give a connection a place for a request whose head has arrived. Returns None, or the reason why there is
        no place.

        `is_presenter` is called only if it matters; `session` is given if its connections are counted.
        """
        if session is not None and not self._has_place_left(transport, session):
            self.counters.refused_session += 1
            return SESSION_SHARE_TAKEN
        refusal = self._admit(transport, is_presenter)
        if refusal is None:
            self._count_for(transport, session)
        return refusal

    def _admit(self, transport: asyncio.Transport, is_presenter: Callable[[], bool]) -> str | None:
        if transport in self._resting:
            self._busy[transport] = self._resting.pop(transport)
        if transport in self._busy:
            return None
        address = self._waiting.get(transport)
        if address is None:
            return FULL
        refusal = self._refusal(address)
        if refusal is not None and not (self._has_reserve_left() and is_presenter()):
            if refusal == FULL:
                self.counters.refused_full += 1
            else:
                self.counters.refused_address += 1
            return refusal
        del self._waiting[transport]
        _decrement(self._waiting_by_address, address)
        self._busy[transport] = address
        self._served_by_address[address] += 1
        return None

    def rest(self, transport: asyncio.Transport) -> None:
        """Note that a connection has received its response and may be evicted."""
        address = self._busy.pop(transport, None)
        if address is not None:
            self._resting[transport] = address

    def upgrade(self, transport: asyncio.Transport) -> None:
        self._websockets.add(transport)
        self.counters.websockets = len(self._websockets)

    def leave(self, transport: asyncio.Transport) -> None:
        """Forget a connection. Does nothing if it is already forgotten."""
        address = self._waiting.pop(transport, None)
        if address is not None:
            _decrement(self._waiting_by_address, address)
        served = self._busy.pop(transport, None)
        if served is None:
            served = self._resting.pop(transport, None)
        if served is not None:
            _decrement(self._served_by_address, served)
        self._count_for(transport, None)
        self._websockets.discard(transport)
        self.counters.open = self._open()
        self.counters.websockets = len(self._websockets)

    def _refusal(self, address: str) -> str | None:
        """Return why no further connection can be served, after making room if possible."""
        if address and self._served_by_address[address] >= self._limits.share:
            return None if self._evict_resting(address) else SHARE_TAKEN
        if self._served() >= self._limits.total - self._limits.reserve:
            return None if self._evict_resting() else FULL
        return None

    def _has_place_left(self, transport: asyncio.Transport, session: str) -> bool:
        """Return whether a session may have this connection, after making room if possible."""
        served = self._served_by_session.get(session, set())
        if transport in served or len(served) < self._limits.session_connections:
            return True
        return self._evict_resting(among=served)

    def _count_for(self, transport: asyncio.Transport, session: str | None) -> None:
        before = self._sessions.pop(transport, None)
        if before is not None:
            self._served_by_session[before].discard(transport)
            if not self._served_by_session[before]:
                del self._served_by_session[before]
        if session is not None:
            self._sessions[transport] = session
            self._served_by_session.setdefault(session, set()).add(transport)

    def _counted_address(self, peer: str | None) -> str:
        if self._trusted is not None and is_in_network(peer, self._trusted):
            return ""
        return counted_address(peer) or ""

    def _has_reserve_left(self) -> bool:
        return self._served() < self._limits.total - self._limits.reserve // 2

    def _open(self) -> int:
        return len(self._waiting) + self._served()

    def _served(self) -> int:
        return len(self._busy) + len(self._resting)

    def _evict_waiting(self, transport: asyncio.Transport) -> None:
        self.counters.evicted_waiting += 1
        self.leave(transport)
        transport.abort()

    def _evict_resting(
        self, address: str | None = None, among: Container[asyncio.Transport] | None = None
    ) -> bool:
        """Close the connection that has rested longest, of one address, among some, or of all. Returns False if
        none rests.
        """
        found = next(
            (
                other
                for other, whose in self._resting.items()
                if address in (None, whose) and (among is None or other in among)
            ),
            None,
        )
        if found is None:
            return False
        self.counters.evicted_resting += 1
        self.leave(found)
        found.abort()
        return True


def _decrement(counter: Counter[str], address: str) -> None:
    counter[address] -= 1
    if not counter[address]:
        del counter[address]
