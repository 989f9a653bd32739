"""The room on the file system a run lies on: snapshots pause when it gets short, and go on when there is more."""

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
"""What a writer's transaction raises when the disk is full, a quota is used up, or a file may grow no further.
All of the transaction is undone: it can be tried again."""

_RESERVE, _RESERVE_SHARE = 200_000_000, 0.05
_NEEDED, _NEEDED_SHARE = 16_000_000, 0.25
"""What a write-ahead log and a checkpoint take while snapshots pause; of a small file system at most a share."""
_AGAIN_AT = 1.5
_LOOK_EVERY, _LONGEST_PAUSE = 0.25, 60.0
_SAID = (
    "the disk is nearly full ({}): snapshots pause, loss and lit rows are still kept; make room, and snapshots go"
    " on by themselves"
)
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class DiskRoom:
    """Watches the free space. Below a reserve moved rows and keyframes pause, so that scalars, checkpoints and
    everybody else's files have it; well above it they go on. Unlike the disk budget, nothing here is final."""

    def __init__(self, path: Path, *, paused: bool = False) -> None:
        """Watch the file system that `path` is on. `paused`: as the run was left."""
        self._path = path
        self.paused = paused
        """Whether snapshots wait for room."""
        self._due = 0.0
        self._pause = _LOOK_EVERY

    def look(self) -> str | None:
        """Look at the free space, at most four times a second.

        Returns:
            A sentence that says what changed, if something did.
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
        """Pause whatever the free space is: something did not fit. Returns the sentence that says so."""
        self.paused = True
        # A quota does not show in the free space: what was too much is tried again ever more seldom.
        self._pause = min(2 * self._pause, _LONGEST_PAUSE)
        self._due = time.monotonic() + self._pause
        return _SAID.format(why)

    def fits(self) -> None:
        """A snapshot has been committed: what did not fit before is forgotten."""
        self._pause = _LOOK_EVERY


def means_full(error: BaseException) -> bool:
    """Whether an error says that there is no room on the disk."""
    return isinstance(error, NO_ROOM) or (isinstance(error, OSError) and error.errno in _FULL)


def insist(
    work: Callable[[], Done],
    stopped: Callable[[], object],
    who: str,
    *,
    also: tuple[type[Exception], ...] = (),
    on_wait: Callable[[], None] | None = None,
) -> Done | None:
    """Do what needs room on the disk; where there is none, wait, and do it again: from once a second to four
    times a minute. That is said once, in the log.

    Args:
        work: can be done again after it failed.
        stopped: whether to leave instead.
        who: waits, in words: "training", say.
        also: what `work` raises besides when there is no room.
        on_wait: is told before each wait.

    Returns:
        What `work` did; None when stopped.
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
    """Say something in this worker's log, which may be on the disk that is full."""
    with suppress(OSError):
        print(message, file=sys.stderr, flush=True)
