"""The tally of refused requests between two lines of the audit log.

However many there are, a line comes once a minute, and ever more rarely, down to once an hour, while they go on: whoever
is refused cannot fill the log, nor push out of it what was changed.
"""

from __future__ import annotations

import ipaddress
from collections import Counter
from typing import Any

_FIRST_SECONDS = 60.0
_LONGEST_SECONDS = 3_600.0
_MAX_NETWORKS = 64
_NETWORKS_TOLD = 4
_OTHERS = "others"


class RefusalTally:
    """The refusals since the last report, by reason and by network. Times are seconds of a monotonic clock."""

    def __init__(self, first: float = _FIRST_SECONDS, longest: float = _LONGEST_SECONDS) -> None:
        """Start with none. `first` and `longest`: seconds between two reports, at first and in the end."""
        self._first, self._longest = first, longest
        self._pause = first
        self._reasons: Counter[str] = Counter()
        self._networks: Counter[str] = Counter()
        self._due: float | None = None
        self._reported = float("-inf")

    @property
    def total(self) -> int:
        """Return how many were refused since the last report."""
        return self._reasons.total()

    def add(self, reason: str, peer: str | None, now: float) -> bool:
        """Add one. Returns whether it is the first since the last report."""
        network = shorten_address(peer)
        full = len(self._networks) >= _MAX_NETWORKS and network not in self._networks
        self._reasons[reason] += 1
        self._networks[_OTHERS if full else network] += 1
        if self._due is not None:
            return False
        goes_on = now < self._reported + self._pause
        self._pause = min(2 * self._pause, self._longest) if goes_on else self._first
        self._due = now + self._pause
        return True

    def is_due(self, now: float) -> bool:
        """Return whether a report is due."""
        return self._due is not None and now >= self._due

    def seconds_left(self, now: float) -> float | None:
        """Return the seconds until a report is due; None if there is nothing to report."""
        return None if self._due is None else max(0.0, self._due - now)

    def report(self, now: float) -> dict[str, Any]:
        """Return what was refused, and begin anew."""
        networks = dict(self._networks.most_common(_NETWORKS_TOLD))
        if rest := self._networks.total() - sum(networks.values()):
            networks[_OTHERS] = networks.get(_OTHERS, 0) + rest
        report = {"refused": dict(sorted(self._reasons.items())), "from": networks}
        self._reasons.clear()
        self._networks.clear()
        self._due, self._reported = None, now
        return report


def shorten_address(peer: str | None) -> str:
    """Return the network of an address, which may be kept where the address of a person may not: /24, or /48."""
    try:
        address = ipaddress.ip_address((peer or "").partition("%")[0])
    except ValueError:
        return "unknown"
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is None:
            return str(ipaddress.IPv6Network((address, 48), strict=False))
        address = address.ipv4_mapped
    return str(ipaddress.IPv4Network((address, 24), strict=False))
