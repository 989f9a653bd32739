"""Failpoints: named places where a process can be made to die as by `kill -9`, for crash tests.

`LAMPLIGHTER_FAILPOINT="checkpoint-write:3"` makes a process kill itself the third time it reaches that place; separate
several with commas. `NAME:TIMES:SECONDS` limits how long a process lives after entering a block. Failpoints are armed
only by the environment, at process start; otherwise each costs one lookup in an empty dict.
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
LOG_PREFIX = "failpoint "
"""Prefix of the line that a dying process writes to standard error; the failpoint's name follows."""

_MIN_SECONDS, _MAX_SECONDS = 2e-5, 5e-3
_NO_FAILPOINT = contextlib.nullcontext()


class _Failpoint:
    """An armed failpoint and its remaining hits."""

    def __init__(self, times: int, latest: float) -> None:
        self._left = times
        self._lock = threading.Lock()
        self.max_seconds = latest

    def due(self) -> bool:
        with self._lock:
            self._left -= 1
            return self._left == 0


def parse_failpoints(text: str) -> dict[str, tuple[int, float]]:
    """Parse `LAMPLIGHTER_FAILPOINT` into (hits, maximum seconds) by name. Raises ValueError if an entry is
    not of the form NAME:TIMES or NAME:TIMES:SECONDS.
    """
    found: dict[str, tuple[int, float]] = {}
    for word in filter(None, text.split(",")):
        name, _, rest = word.partition(":")
        times, _, seconds = rest.partition(":")
        try:
            armed = int(times), float(seconds or _MAX_SECONDS)
        except ValueError:
            armed = 0, 0.0
        if not name or armed[0] < 1 or not (math.isfinite(armed[1]) and armed[1] > 0):
            raise ValueError(f"{VARIABLE}: {word!r} is not NAME:TIMES or NAME:TIMES:SECONDS")
        found[name] = armed
    return found


_armed = {name: _Failpoint(*how) for name, how in parse_failpoints(os.environ.get(VARIABLE, "")).items()}


def trigger(name: str) -> None:
    """Kill this process if failpoint `name` is armed and its count is reached."""
    if _armed and name in _armed and _armed[name].due():
        _die(name)


def trigger_within(name: str) -> AbstractContextManager[object]:
    """Kill this process at a random moment in the block, at the latest at its end, if failpoint `name` is due.

    The moment may fall inside a call into C.
    """
    if _armed and name in _armed and _armed[name].due():
        return _kill_during(name, _armed[name].max_seconds)
    return _NO_FAILPOINT


@contextlib.contextmanager
def _kill_during(name: str, latest: float) -> Generator[None]:
    # Log-uniform, so that short and long delays are equally likely.
    wait = math.exp(random.uniform(math.log(_MIN_SECONDS), math.log(max(latest, 2 * _MIN_SECONDS))))
    threading.Thread(target=_die_after, args=(name, wait), daemon=True).start()
    try:
        yield
    finally:
        _die(name)


def _die_after(name: str, wait: float) -> None:
    time.sleep(wait)
    _die(name)


def _die(name: str) -> NoReturn:
    # Not through sys.stderr: the other thread may hold its buffer or lock.
    with contextlib.suppress(OSError):
        os.write(2, f"{LOG_PREFIX}{name}\n".encode())
    # SIGTERM is TerminateProcess on Windows: as abrupt.
    os.kill(os.getpid(), signal.SIGTERM if sys.platform == "win32" else signal.SIGKILL)
    while True:  # The signal may be delivered with a delay.
        time.sleep(1)
