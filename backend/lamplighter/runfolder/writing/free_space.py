"""The free space on a run's file system: snapshots pause when it runs low, and resume when there is more."""

from __future__ import annotations

import errno
import shutil
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

import apsw

Done = TypeVar("Done")

NO_ROOM = (apsw.FullError, apsw.IOError)
"""Errors of a writer's transaction when the disk is full, a quota is exhausted, or a file has reached its maximum
size. The transaction is rolled back completely, and can be retried."""

_RESERVE, _RESERVE_SHARE = 200_000_000, 0.05
_NEEDED, _NEEDED_SHARE = 16_000_000, 0.25
"""Space for a write-ahead log and a checkpoint while snapshots pause; at most this share of a small file system."""
_AGAIN_AT = 1.5
_LOOK_EVERY, _LONGEST_PAUSE = 0.25, 60.0
_SAID = (
    "the disk is nearly full ({}): snapshots pause, loss and lit rows are still kept; make room, and snapshots go"
    " on by themselves"
)
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class DiskRoom:
    """A monitor of the free space.

    Below a reserve, moved rows and keyframes pause, which leaves the space to scalars, checkpoints and other
    programs' files; well above the reserve they resume. Unlike with the disk budget, nothing is final.
    """

    def __init__(self, path: Path, *, paused: bool = False) -> None:
        """Watch the file system of `path`, starting with snapshots paused or not."""
        self._path = path
        self.paused = paused
        """True while snapshots wait for space."""
        self._due = 0.0
        self._pause = _LOOK_EVERY

    def look(self) -> str | None:
        """Measure the free space, at most four times a second, and pause or resume.

        Returns:
            A message about the change; None if nothing changed.
        """
        if (now := time.monotonic()) < self._due:
            return None
        self._due = now + _LOOK_EVERY
        try:
            usage = shutil.disk_usage(self._path)
        except OSError:
            return None
        needed = min(_NEEDED, _NEEDED_SHARE * usage.total)
        reserve = min(_RESERVE, max(needed, _RESERVE_SHARE * usage.total))
        if not self.paused and usage.free < reserve:
            self.paused = True
            return _SAID.format(f"{usage.free / 1e6:,.1f} MB are free")
        if self.paused and usage.free >= _AGAIN_AT * reserve:
            self.paused = False
            return (
                "there is room on the disk again: snapshots are kept from here on, beginning with a whole one"
            )
        return None

    def pause(self, why: str) -> str:
        """Pause regardless of the free space, after a write failed. Return a message that says so."""
        self.paused = True
        # A quota does not show in the free space, so retry with growing delays.
        self._pause = min(2 * self._pause, _LONGEST_PAUSE)
        self._due = time.monotonic() + self._pause
        return _SAID.format(why)

    def fits(self) -> None:
        """Reset the retry delay after a snapshot was committed."""
        self._pause = _LOOK_EVERY


def means_full(error: BaseException) -> bool:
    """Return whether an error means that the disk is full."""
    return isinstance(error, NO_ROOM) or (isinstance(error, OSError) and error.errno in _FULL)


def insist(
    work: Callable[[], Done],
    stopped: Callable[[], object],
    who: str,
    *,
    also: tuple[type[Exception], ...] = (),
    on_wait: Callable[[], None] | None = None,
) -> Done | None:
    """Call `work` and retry it while the disk is full, from once a second to four times a minute.

    Logs once when the wait begins, and once when it ends.

    Args:
        work: the operation; must be safe to repeat after a failure.
        stopped: returns a true value to give up.
        who: name of the waiting activity for the log, such as "training".
        also: further exceptions of `work` that mean a full disk.
        on_wait: called before each wait.

    Returns:
        The result of `work`; None when stopped.
    """
    begun, pause = time.monotonic(), 0.0
    while True:
        try:
            done = work()
        except Exception as error:
            if not (means_full(error) or isinstance(error, also)):
                raise
            if not pause:
                say(f"{who} waits for room on the disk: {error}")
        else:
            if pause:
                say(f"{who} goes on after {time.monotonic() - begun:,.0f} s without room on the disk")
            return done
        if on_wait is not None:
            on_wait()
        pause = min(2 * pause or 1.0, 15.0)
        due = time.monotonic() + pause
        while time.monotonic() < due:
            if stopped():
                return None
            time.sleep(0.1)


def say(message: str) -> None:
    """Write a line to this worker's log, ignoring errors: the log may be on the full disk."""
    with suppress(OSError):
        print(message, file=sys.stderr, flush=True)
