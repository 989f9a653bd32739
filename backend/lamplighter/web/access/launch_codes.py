"""Launch codes: each makes one browser the presenter's, once, within a few minutes. They are kept in memory only."""

from __future__ import annotations

import hmac
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable

CODE_SECONDS = 300.0
"""Lifetime of a launch code, in seconds."""

_MAX_CODES = 1_000


def _nothing() -> None:
    pass


class LaunchCodes:
    """The launch codes of one server. Thread-safe."""

    def __init__(self) -> None:
        self._codes: OrderedDict[str, tuple[float, Callable[[], None]]] = OrderedDict()
        self._lock = threading.Lock()

    def issue_code(self, on_spent: Callable[[], None] = _nothing) -> str:
        """Create a code, which works once within `CODE_SECONDS`. `on_spent` is called when it becomes invalid, at the
        latest by `spend_all`.
        """
        code = secrets.token_urlsafe(24)
        dropped: list[Callable[[], None]] = []
        with self._lock:
            self._codes[code] = (time.monotonic() + CODE_SECONDS, on_spent)
            while len(self._codes) > _MAX_CODES:
                dropped.append(self._codes.popitem(last=False)[1][1])
        _call_each(dropped)
        return code

    def is_valid(self, offered: str) -> bool:
        with self._lock:
            return bool(self._matching(offered))

    def redeem_code(self, offered: str) -> bool:
        now = time.monotonic()
        with self._lock:
            good = self._matching(offered)
            old = [code for code, (until, _) in self._codes.items() if until < now]
            spent = [self._codes.pop(code)[1] for code in {*good, *old}]
        _call_each(spent)
        return bool(good)

    def spend_all(self) -> None:
        with self._lock:
            spent = [on_spent for _, on_spent in self._codes.values()]
            self._codes.clear()
        _call_each(spent)

    def _matching(self, offered: str) -> list[str]:
        now = time.monotonic()
        # Compare every code, so that the time taken reveals nothing about any of them.
        return [
            code
            for code, (until, _) in self._codes.items()
            if hmac.compare_digest(offered.encode(errors="replace"), code.encode()) and until >= now
        ]


def _call_each(calls: list[Callable[[], None]]) -> None:
    for call in calls:
        call()
