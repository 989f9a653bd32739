"""The processor time that a viewer of a class may take before it has to rest between two works.

Turns alone are not enough: a viewer who asks without pause has a thread at work all the time, which shares the processor
with all others. So a viewer has a credit, which comes back slowly; a page that opens never uses it up. A viewer without
credit rests after each work, but never for long: one who explores a large run still gets every answer.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

CREDIT_SECONDS = 2.0
RATE = 0.1
"""Seconds of credit that come back in a second."""
LONGEST_REST = 2.0
_MAX_KNOWN = 1_000


@dataclass
class _Account:
    left: float
    at: float


class ViewerCredit:
    """The credit of each viewer. Belongs to one event loop."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Start with all of it. `clock` gives seconds."""
        self._clock = clock
        self._accounts: dict[str, _Account] = {}

    def charge(self, session: str, seconds: float) -> None:
        """Take off the processor time of a work that has just ended."""
        now = self._clock()
        account = self._accounts.pop(session, _Account(CREDIT_SECONDS, now))
        left = min(CREDIT_SECONDS, account.left + RATE * (now - account.at)) - seconds
        # What a rest does not make up for is forgiven, or a long work would be followed by a rest for each later one.
        self._accounts[session] = _Account(max(left, -RATE * LONGEST_REST), now)
        if len(self._accounts) > _MAX_KNOWN:
            del self._accounts[next(iter(self._accounts))]

    def rest(self, session: str) -> float:
        """Return the seconds until a viewer's next work may begin; 0: now."""
        account = self._accounts.get(session)
        if account is None:
            return 0.0
        return max(0.0, -account.left / RATE - (self._clock() - account.at))
