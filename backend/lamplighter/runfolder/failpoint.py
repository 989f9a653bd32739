"""Named places where a process can be made to die as `kill -9` would have it, for the tests of surviving.

`LAMPLIGHTER_FAILPOINT="checkpoint-write:3"` makes a process kill itself the third time it comes to that place;
several are parted by commas. `NAME:TIMES:SECONDS` bounds how long after entering a stretch it may live on. Only
the environment arms a place, at the start of the process; one that is not armed costs a look into an empty dict.
"""

from __future__ import annotations

import contextlib
import math
import os
import random
import signal
import sys
import threading
import time
from collections.abc import Generator
from contextlib import AbstractContextManager
from typing import NoReturn

VARIABLE = "LAMPLIGHTER_FAILPOINT"
MARK = "failpoint "
"""What the line begins with that a dying process writes to its standard error; the place follows."""

_SOONEST, _LATEST = 2e-5, 5e-3
_NOTHING = contextlib.nullcontext()


class _Armed:
    """A place at which this process is to die, and how often it has been there."""

    def __init__(self, times: int, latest: float) -> None:
        self._left = times
        self._lock = threading.Lock()
        self.latest = latest

    def due(self) -> bool:
        with self._lock:
            self._left -= 1
            return self._left == 0


def parse(text: str) -> dict[str, tuple[int, float]]:
    """What `LAMPLIGHTER_FAILPOINT` arms: times and most seconds by the name of the place.

    Raises:
        ValueError: it is not of the form NAME:TIMES or NAME:TIMES:SECONDS.
    """
    found: dict[str, tuple[int, float]] = {}
    for word in filter(None, text.split(",")):
        name, _, rest = word.partition(":")
        times, _, seconds = rest.partition(":")
        try:
            armed = int(times), float(seconds or _LATEST)
        except ValueError:
            armed = 0, 0.0
        if not name or armed[0] < 1 or not (math.isfinite(armed[1]) and armed[1] > 0):
            raise ValueError(f"{VARIABLE}: {word!r} is not NAME:TIMES or NAME:TIMES:SECONDS")
        found[name] = armed
    return found


_armed = {name: _Armed(*how) for name, how in parse(os.environ.get(VARIABLE, "")).items()}


def here(name: str) -> None:
    """Die at this place if it is armed and this is the time."""
    if _armed and name in _armed and _armed[name].due():
        _die(name)


def within(name: str) -> AbstractContextManager[object]:
    """Die at some moment while the block runs, inside a call into C as likely as not; at its end at the latest."""
    if _armed and name in _armed and _armed[name].due():
        return _doomed(name, _armed[name].latest)
    return _NOTHING


@contextlib.contextmanager
def _doomed(name: str, latest: float) -> Generator[None]:
    # Short stretches are as likely to be hit as long ones.
    wait = math.exp(random.uniform(math.log(_SOONEST), math.log(max(latest, 2 * _SOONEST))))
    threading.Thread(target=_die_after, args=(name, wait), daemon=True).start()
    try:
        yield
    finally:
        _die(name)


def _die_after(name: str, wait: float) -> None:
    time.sleep(wait)
    _die(name)


def _die(name: str) -> NoReturn:
    # Not through sys.stderr, whose buffer or lock may be what the other thread is at.
    with contextlib.suppress(OSError):
        os.write(2, f"{MARK}{name}\n".encode())
    if sys.platform == "win32":
        os.kill(os.getpid(), signal.SIGTERM)  # TerminateProcess: as abrupt.
    else:
        os.kill(os.getpid(), signal.SIGKILL)
    while True:  # A signal to oneself is delivered before long, not always at once.
        time.sleep(1)
