"""Waiting for the next commit to a run's files: requests wait on the event loop, and one thread looks at the files."""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
import time
from typing import NamedTuple

from lamplighter.runfolder.run_folder import RunFolder

_POLL_SECONDS = 0.02
_CLOCK_NS = 20_000_000
"""How much later a commit may still bear the time of the one before it: file systems count time in ticks of up to 10 ms."""


class FilesSeen(NamedTuple):
    """The files of a run as they were at one moment, taken before they are read."""

    marks: tuple[tuple[int, int] | None, ...]
    """Time of the last change and size of each file; None if there is none."""
    again_at: int | None
    """The time, in nanoseconds, at which to read again because a commit may have kept the mark; None: it cannot."""


def see_files(run: RunFolder) -> FilesSeen:
    """Return the marks of the files that playback reads. Reads the disk."""
    paths = (run.steps_path, run.layouts_path)
    marks = tuple(_mark(path) for file in paths for path in (str(file), f"{file}-wal"))
    newest = max((mark[0] for mark in marks if mark is not None), default=0)
    return FilesSeen(marks, newest + _CLOCK_NS if time.time_ns() < newest + _CLOCK_NS else None)


def _mark(path: str) -> tuple[int, int] | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size


class FileChanges:
    """The requests that wait for a change of their run. Belongs to one event loop; its thread ends with the last of
    them.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[asyncio.Event, tuple[RunFolder, FilesSeen]] = {}
        self._running = False

    async def wait(self, run: RunFolder, seen: FilesSeen, seconds: float) -> bool:
        """Wait until the files of `run` are not those that were `seen`. Return False if they are after `seconds`."""
        changed = asyncio.Event()
        with self._lock:
            self._waiting[changed] = run, seen
            if not self._running:
                self._running = True
                loop = asyncio.get_running_loop()
                threading.Thread(target=self._watch, args=(loop,), name="file changes", daemon=True).start()
        try:
            async with asyncio.timeout(seconds):
                return await changed.wait()
        except TimeoutError:
            return False
        finally:
            with self._lock:
                self._waiting.pop(changed, None)

    def _watch(self, loop: asyncio.AbstractEventLoop) -> None:
        while True:
            with self._lock:
                waiting = list(self._waiting.items())
                if not waiting:
                    self._running = False
                    return
            runs = {run.path: run for _, (run, _) in waiting}
            now = {path: see_files(run).marks for path, run in runs.items()}
            for changed, (run, seen) in waiting:
                late = seen.again_at is not None and time.time_ns() >= seen.again_at
                if late or now[run.path] != seen.marks:
                    # The loop may end before its requests.
                    with contextlib.suppress(RuntimeError):
                        loop.call_soon_threadsafe(changed.set)
            time.sleep(_POLL_SECONDS)
