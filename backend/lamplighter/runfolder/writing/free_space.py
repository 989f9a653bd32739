"""The free space on a run's file system: snapshots pause when it runs low, a reserve is kept for the few writes that must
succeed even then, and all else waits.
"""

from __future__ import annotations

import errno
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import IO, TypeVar

import apsw

from lamplighter.contract.sentences import say

Done = TypeVar("Done")

DISK_FULL_ERRORS = (apsw.FullError, apsw.IOError)
"""Errors of a writer's transaction when the disk is full, a quota is exhausted, or a file has reached its maximum
size. The transaction is rolled back completely, and can be retried."""

NO_ROOM_ERRORS = (*DISK_FULL_ERRORS, OSError)
"""Errors to pass to `has_no_room`."""

_RESERVE, _RESERVE_SHARE = 200_000_000, 0.05
_MIN_RESERVE, _MIN_RESERVE_SHARE = 16_000_000, 0.25
"""Space for a write-ahead log and a checkpoint while snapshots pause, and its maximum share of a small file system."""
_RESUME_FACTOR = 1.5
_SPARE_FACTOR = 2.0
"""Multiple of the reserve that all work except training leaves free, so that it never pauses snapshots."""
_CHECK_EVERY, _MAX_RETRY_DELAY = 0.25, 60.0
_FULL_ERRNOS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_FULL_RESULTS = (
    apsw.SQLITE_IOERR_WRITE,
    apsw.SQLITE_IOERR_FSYNC,
    apsw.SQLITE_IOERR_TRUNCATE,
    apsw.SQLITE_IOERR_SHMSIZE,
)
"""SQLite's results for an exhausted quota, and for full shared memory."""


class FreeSpace:
    """A monitor of the free space.

    Below a reserve, moved rows and keyframes pause, which leaves the space for scalars, checkpoints and other programs;
    well above it they resume. Unlike with the disk budget, nothing is final.
    """

    def __init__(self, path: Path, *, paused: bool = False) -> None:
        """Monitor the file system of `path`, starting with snapshots paused or not."""
        self._path = path
        self.paused = paused
        """True while snapshots wait for space."""
        self._next_check = 0.0
        self._retry_delay = _CHECK_EVERY

    def refresh(self) -> str | None:
        """Measure the free space, at most four times a second, and pause or resume. Returns a message about
        the change; None if nothing changed.
        """
        if (now := time.monotonic()) < self._next_check:
            return None
        self._next_check = now + _CHECK_EVERY
        try:
            usage = shutil.disk_usage(self._path)
        except OSError:
            return None
        reserve = _reserved_bytes(usage.total)
        if not self.paused and usage.free < reserve:
            self.paused = True
            return say("disk_paused", why=f"{usage.free / 1e6:,.1f} MB are free")
        if self.paused and usage.free >= _RESUME_FACTOR * reserve:
            self.paused = False
            return say("disk_room")
        return None

    def pause(self, why: str) -> str:
        """Pause regardless of the free space, after a failed write. Return a message about it."""
        self.paused = True
        # The free space does not reflect a quota, so retry with growing delays.
        self._retry_delay = min(2 * self._retry_delay, _MAX_RETRY_DELAY)
        self._next_check = time.monotonic() + self._retry_delay
        return say("disk_paused", why=why)

    def reset_retry_delay(self) -> None:
        self._retry_delay = _CHECK_EVERY


def spare_bytes(path: Path) -> int:
    """Return the free bytes on the file system of `path` beyond those reserved for training; may be negative.
    Raises OSError if the file system cannot be queried.
    """
    usage = shutil.disk_usage(path)
    return round(usage.free - _SPARE_FACTOR * _reserved_bytes(usage.total))


def _reserved_bytes(total: int) -> float:
    needed = min(_MIN_RESERVE, _MIN_RESERVE_SHARE * total)
    return min(_RESERVE, max(needed, _RESERVE_SHARE * total))


def has_no_room(error: BaseException) -> bool:
    """Return whether an error of code that reads and writes means a full disk, rather than a failed read."""
    if isinstance(error, apsw.IOError):
        return getattr(error, "extendedresult", None) in _FULL_RESULTS
    return is_disk_full(error)


def is_disk_full(error: BaseException) -> bool:
    """Return whether a writer's error means that the disk is full."""
    return isinstance(error, DISK_FULL_ERRORS) or (isinstance(error, OSError) and error.errno in _FULL_ERRNOS)


def retry_while_full(
    work: Callable[[], Done],
    stopped: Callable[[], object],
    activity: str,
    *,
    also_full: tuple[type[Exception], ...] = (),
    on_wait: Callable[[], None] | None = None,
) -> Done | None:
    """Call `work`, which must be safe to repeat after a failure, and retry it while the disk is full, from
    once a second to four times a minute. Return its result; None when `stopped` returned true.

    Logs the `activity` (such as "training") once when the wait begins, and once when it ends. `also_full`:
    further exceptions of `work` that mean a full disk. `on_wait`: called before each wait.
    """
    start, pause = time.monotonic(), 0.0
    while True:
        try:
            result = work()
        except Exception as error:
            if not (is_disk_full(error) or isinstance(error, also_full)):
                raise
            if not pause:
                log_line(f"{activity} waits for room on the disk: {error}")
        else:
            if pause:
                log_line(
                    f"{activity} goes on after {time.monotonic() - start:,.0f} s without room on the disk"
                )
            return result
        if on_wait is not None:
            on_wait()
        pause = min(2 * pause or 1.0, 15.0)
        due = time.monotonic() + pause
        while time.monotonic() < due:
            if stopped():
                return None
            time.sleep(0.1)


def log_line(message: str) -> None:
    """Write a line to this worker's log; ignore errors, since the log may be on the full disk."""
    with suppress(OSError):
        print(message, file=sys.stderr, flush=True)


WRITE_ERRORS = (apsw.Error, OSError)
"""Errors that a write may raise."""
NOT_NOW = (*DISK_FULL_ERRORS, apsw.BusyError)
"""Errors of a write that can succeed later: the disk is full, or a reader holds a file without a WAL."""


def explain_failed_write(error: Exception) -> str:
    """Return a readable reason why nothing can be written, given one of `NOT_NOW`."""
    if isinstance(error, apsw.BusyError):
        return "a reader holds the run's file, and its file system has no shared memory"
    return f"the disk is full ({error})"


_BLOCK = 16_384


class SpaceReserve:
    """An unnamed file of incompressible bytes. The operating system frees it when the process ends, even by a kill."""

    def __init__(self, folder: Path, size: int) -> None:
        """Create an empty reserve on the file system of `folder`; `fill` reserves at most `size` bytes."""
        self._folder, self._size = folder, size
        self._file: IO[bytes] | None = None
        self._wanted = False
        self._lock = Lock()
        self.held_bytes = 0

    def fill(self) -> None:
        """Reserve as many bytes as there is room for. Never raises: training continues without a reserve."""
        with self._lock:
            self._wanted = True
            self._fill()

    def spend_on(self, write: Callable[[], Done]) -> Done:
        """Call `write`, which must be safe to repeat; if the disk is full, release the reserve, call it
        again, and reserve what is left.
        """
        try:
            done = write()
        except Exception as error:
            if not self.held_bytes or not is_disk_full(error):
                raise
        else:
            # Refill what an earlier call released, now that there may be room.
            with self._lock:
                self._fill()
            return done
        with self._lock:
            self._release()
            try:
                return write()
            finally:
                self._fill()

    def close(self) -> None:
        with self._lock:
            self._wanted = False
            self._release()

    def _fill(self) -> None:
        if not self._wanted or self.held_bytes == self._size:
            return
        with suppress(OSError):
            if self._file is None:
                self._file = tempfile.TemporaryFile(dir=self._folder, prefix=".reserve-", buffering=0)  # noqa: SIM115
            while self.held_bytes < self._size:
                block = os.urandom(min(_BLOCK, self._size - self.held_bytes))
                self.held_bytes += self._file.write(block)

    def _release(self) -> None:
        if self._file is not None:
            self._file.close()
        self._file, self.held_bytes = None, 0
