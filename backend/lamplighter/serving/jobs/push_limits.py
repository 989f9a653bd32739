"""What one pusher may send: requests a second, bytes a day, runs, and bytes of a run."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass

from lamplighter.runfolder.fragments.fragment import MAX_FRAGMENT_BYTES
from lamplighter.web.access.credentials import Pusher
from lamplighter.web.http.problems import RefusedError

MAX_FRAGMENT_REQUEST = 256 << 20
"""Maximum bytes of a fragment that is sent."""
MAX_RUN_BYTES = 16_000_000_000
"""Maximum bytes of the record of a run that is pushed, as of one that is imported."""
_RATE, _BURST = 20.0, 100.0
"""Requests that a pusher may make each second, and at once after a pause."""
_DAY = 86_400.0
_MAX_BODIES = 2 * MAX_FRAGMENT_BYTES
"""Bytes of all bodies that are being received or checked, unpacked; a pusher may have half of them."""


@dataclass
class _Account:
    requests: float
    read_at: float
    spent: float = 0.0
    """Bytes of the last day, unpacked: they are forgotten at the daily rate."""


class PushLimits:
    """The accounts of all pushers, in memory. Thread-safe."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._accounts: dict[str, _Account] = {}
        self._receiving: dict[str, tuple[str, int]] = {}
        """Pusher and bytes by run."""
        self._lock = threading.Lock()

    def count_request(self, pusher: Pusher) -> None:
        """Count a request. Raises RefusedError (429) if the pusher asks too often, or has sent enough for today."""
        with self._lock:
            account = self._account(pusher)
            if account.requests < 1:
                raise _too_many(f"make at most {_RATE:.0f} requests a second", 1)
            if account.spent > pusher.bytes_a_day:
                wait = (account.spent - pusher.bytes_a_day) / pusher.bytes_a_day * _DAY
                raise _too_many(
                    f"send at most {pusher.bytes_a_day / 1e9:,.1f} GB a day", min(3_600, 1 + int(wait))
                )
            account.requests -= 1

    @contextmanager
    def receiving(self, pusher: Pusher, run_id: str, declared: str) -> Generator[Callable[[int], None]]:
        """Count the bytes of a body of a run, and hold room for it. Provides a function to call with its bytes
        once it is unpacked. `declared`: its `Content-Length`.

        Raises RefusedError: no length is declared (422), it is too large (413), another one of the run is on
        its way or its pusher takes half of the room (429), or all room is taken (503). The last two from the
        function, too.
        """
        # A longer one begins with zeros, and serves no honest sender.
        if not declared.isdecimal() or len(declared) > 20:
            raise RefusedError(422, "the request must say its Content-Length")
        count = int(declared)
        if count > MAX_FRAGMENT_REQUEST:
            raise RefusedError(413, f"a fragment may have at most {MAX_FRAGMENT_REQUEST:,} bytes")
        with self._lock:
            if run_id in self._receiving:
                raise _too_many("make one request about a run at a time", 1)
            self._hold(pusher, run_id, count)

        def unpack(size: int) -> None:
            with self._lock:
                self._hold(pusher, run_id, size)

        try:
            yield unpack
        finally:
            with self._lock:
                del self._receiving[run_id]

    def _hold(self, pusher: Pusher, run_id: str, size: int) -> None:
        held = self._receiving.get(run_id, ("", 0))[1]
        more = max(0, size - held)
        if (
            more + sum(one for whose, one in self._receiving.values() if whose == pusher.id)
            > _MAX_BODIES // 2
        ):
            raise _too_many(f"send at most {_MAX_BODIES // 2:,} bytes at a time", 2)
        if more + sum(one for _, one in self._receiving.values()) > _MAX_BODIES:
            raise RefusedError(503, "others are sending: go on later", headers={"Retry-After": "2"})
        self._receiving[run_id] = pusher.id, held + more
        self._account(pusher).spent += more

    def _account(self, pusher: Pusher) -> _Account:
        now = self._clock()
        account = self._accounts.setdefault(pusher.id, _Account(_BURST, now))
        passed, account.read_at = now - account.read_at, now
        account.requests = min(_BURST, account.requests + passed * _RATE)
        account.spent = max(0.0, account.spent - passed * pusher.bytes_a_day / _DAY)
        return account


def _too_many(limit: str, seconds: int) -> RefusedError:
    return RefusedError(429, f"a pusher may {limit}", headers={"Retry-After": str(seconds)})
