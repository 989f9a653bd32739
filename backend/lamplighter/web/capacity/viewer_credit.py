"""The CPU time that a class viewer may use before it must rest between two works.

Turns alone are not enough: a viewer who asks without pause always has a thread at work, which competes for
the CPU with all others. So each viewer has a credit, which refills slowly; opening a page never uses it up. A
viewer without credit rests after each work, but never for long: one who explores a large run still gets every
answer.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

CREDIT_SECONDS = 2.0
RATE = 0.1
"""Seconds of credit regained per second."""
LONGEST_REST = 2.0
_MAX_KNOWN = 1_000


@dataclass
class _Account:
    left: float
    at: float


class ViewerCredit:
    """The credit of each viewer. Belongs to one event loop."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._accounts: dict[str, _Account] = {}

    def charge(self, session: str, seconds: float) -> None:
        now = self._clock()
        account = self._accounts.pop(session, _Account(CREDIT_SECONDS, now))
        left = min(CREDIT_SECONDS, account.left + RATE * (now - account.at)) - seconds
        # Debt beyond the maximum rest is forgiven; otherwise one long work would cause a rest after each
        # later one.
        self._accounts[session] = _Account(max(left, -RATE * LONGEST_REST), now)
        if len(self._accounts) > _MAX_KNOWN:
            del self._accounts[next(iter(self._accounts))]

    def rest(self, session: str) -> float:
        """Return the seconds until a viewer's next work may begin; 0: now."""
        account = self._accounts.get(session)
        if account is None:
            return 0.0
        return max(0.0, -account.left / RATE - (self._clock() - account.at))
