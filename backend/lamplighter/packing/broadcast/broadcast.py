"""A broadcast: the packed page of a run that is still training, and the live files that the page follows.

Everybody gets the same bytes, so a host of static files or any HTTP cache can serve any number of viewers. The page
holds the past as a packed page does, and is packed again from time to time; what happens after that comes in segments
(`segments.py`), one or two seconds late.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from lamplighter.packing.broadcast.segments import SegmentWriter
from lamplighter.processes.child_job import ChildJob, ChildMessage
from lamplighter.runfolder.reading.run_status import read_status
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_store import RunStore
from lamplighter.serving.classroom.beats.beat_log import BeatLog
from lamplighter.serving.classroom.beats.folder_beats import FolderBeats
from lamplighter.serving.fanout.memory_fanout import MemoryFanout
from lamplighter.serving.reading.run_catalog import RunCatalog

PAGE, LIVE = "index.html", "live"
SEGMENT_SECONDS = 1.0
_PAGE_SECONDS, _PAGE_SHARE = 60.0, 10
"""Minimum seconds between two pages, and how many times as long as making one takes."""
_FIRST_PAGE_SECONDS = 3.0
"""Seconds until another attempt at the first page: a run has none before its first map."""
_PATIENCE = 2.0

Notify = Callable[[str], None]


class BroadcastFailedError(RuntimeError):
    """A broadcast cannot go on; the message says why."""


class Broadcast:
    """A run's broadcast into a folder. `write_until_over` returns when the run has ended."""

    def __init__(self, run: RunFolder, site: Path, notify: Notify = lambda line: None) -> None:
        """Prepare to broadcast a run.

        Args:
            run: the run, in its store.
            site: the folder to write into, created if necessary.
            notify: receives a sentence when the page is there, and when a problem begins.

        Raises:
            BroadcastFailedError: the folder holds something else.
        """
        self._run, self._site, self._notify = run, site, notify
        if site.exists() and any(one.name not in (PAGE, LIVE) for one in _visible(site)):
            raise BroadcastFailedError(
                f"{site} holds other files: name an empty folder, or one of a broadcast"
            )
        self._failed: str | None = None
        self._packing: ChildJob | None = None
        self._problem: str | None = None
        self._pack_at = float("-inf")
        self._has_page = self._seen_ended = False
        self.segments: SegmentWriter | None = None
        """The writer of the live files, once the broadcast runs."""

    def write_until_over(self, is_stopped: Callable[[float], bool]) -> None:
        """Broadcast until the run has ended or `is_stopped`, which waits the given seconds, returns True.

        Raises:
            BroadcastFailedError: the run cannot be read, or the folder cannot be written.
        """
        try:
            self._site.mkdir(parents=True, exist_ok=True)
            self.segments = SegmentWriter(self._site / LIVE, self._run.id)
        except OSError as error:
            raise BroadcastFailedError(
                f"{self._site} cannot be written to: {error.strerror or error}"
            ) from error
        log = BeatLog(MemoryFanout(), self._run.id)
        beats = FolderBeats(
            self._run,
            RunCatalog(RunStore(self._run.path.parent)),
            log,
            on_failed=lambda code, reason: self._fail(reason),
        )
        beats.start()
        try:
            self._write_segments(log, self.segments, is_stopped)
        finally:
            beats.stop()
            log.close()
            if self._packing is not None:
                self._packing.cancel(0.0)
            beats.wait_ended(_PATIENCE)

    def _write_segments(
        self, log: BeatLog, segments: SegmentWriter, is_stopped: Callable[[float], bool]
    ) -> None:
        ended = stopped = False
        while not (ended or stopped):
            begun = time.monotonic()
            if self._failed is not None:
                raise BroadcastFailedError(f"{self._run.id} cannot be followed: {self._failed}")
            # Seen twice, a second apart: what it published last has arrived by then.
            ended, seen = self._seen_ended, read_status(self._run).phase.has_ended
            self._seen_ended = seen
            try:
                segments.write(log, ended=ended)
                self._problem = None
            except OSError as error:
                # A full disk or a lost mount may come back; viewers wait meanwhile.
                self._tell(f"{self._site} cannot be written to: {error.strerror or error}; trying again")
            if not ended:
                self._pack_if_due(live=True)
            stopped = is_stopped(max(0.0, SEGMENT_SECONDS - (time.monotonic() - begun)))
        if stopped:
            return
        self._wait_for_page(is_stopped)
        # The last page holds the whole run, so it needs no live files.
        self._pack_at = float("-inf")
        self._pack_if_due(live=False)
        self._wait_for_page(is_stopped)

    def _wait_for_page(self, is_stopped: Callable[[float], bool]) -> None:
        while self._packing is not None and not is_stopped(0.1):
            pass

    def _pack_if_due(self, *, live: bool) -> None:
        now = time.monotonic()
        if self._packing is not None or now < self._pack_at:
            return
        out = self._site / f".{PAGE}.{os.getpid()}"
        command = [sys.executable, "-m", "lamplighter.packing.worker", str(self._run.path), str(out)]
        begun = now

        def on_end(code: int) -> None:
            took = time.monotonic() - begun
            if code == 0:
                with suppress(OSError):
                    out.chmod(0o644)
                    os.replace(out, self._site / PAGE)
                    if not self._has_page:
                        self._has_page = True
                        self._notify(f"the page is there: {self._site / PAGE}")
            wait = max(_PAGE_SECONDS, _PAGE_SHARE * took) if self._has_page else _FIRST_PAGE_SECONDS
            self._pack_at = time.monotonic() + wait
            with suppress(OSError):
                out.unlink()
            self._packing = None

        with suppress(OSError):
            self._packing = ChildJob(
                [*command, *(["--live", LIVE] if live else [])],
                on_message=self._note_message,
                on_end=on_end,
                name="page of a broadcast",
            )

    def _note_message(self, message: ChildMessage) -> None:
        # Before the first map there is no page yet, and the next attempt comes soon.
        if message.problem and self._has_page:
            self._tell(message.problem)

    def _tell(self, problem: str) -> None:
        """Tell of a problem once."""
        if problem != self._problem:
            self._problem = problem
            self._notify(problem)

    def _fail(self, reason: str) -> None:
        self._failed = reason


def _visible(folder: Path) -> list[Path]:
    return [one for one in folder.iterdir() if not one.name.startswith(".")]
