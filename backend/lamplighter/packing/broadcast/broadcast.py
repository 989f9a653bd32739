"""A broadcast: the packed page of a run that is still training, and the live files that the page follows.

All viewers get the same bytes, so a host of static files or any HTTP cache can serve any number of viewers. The page
holds the past as a packed page does, and is packed again from time to time; what happens after that comes in segments
(`segments.py`), one or two seconds late.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from lamplighter.packing.broadcast.segments import SegmentWriter
from lamplighter.packing.broadcast.site import Site
from lamplighter.processes.child_job import ChildJob, ChildMessage
from lamplighter.runfolder.errors import READ_ERRORS, explain_read_error
from lamplighter.runfolder.published.object_store import StoreError
from lamplighter.runfolder.reading.run_status import read_status
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_store import RunStore
from lamplighter.serving.classroom.beats.beat_log import BeatLog
from lamplighter.serving.classroom.beats.folder_beats import FolderBeats
from lamplighter.serving.fanout.memory_fanout import MemoryFanout
from lamplighter.serving.reading.run_catalog import RunCatalog

_SECONDS, _SHARE = 60.0, 10
"""Minimum seconds between two pages, and how many times as long as packing one takes."""
_FIRST_SECONDS = 3.0
"""Seconds until another attempt at the first page: a run has none before its first map."""
_NAME = "index.html"


class LivePage:
    """Packs the page of a run. A context manager, which ends the process and removes its files."""

    def __init__(self, run: RunFolder, live: str, on_packed: Callable[[bytes], None]) -> None:
        """Prepare to pack.

        `live`: the folder beside the page whose files it follows; `on_packed` is called with each page, in a
        thread.
        """
        self._run, self._live, self._on_packed = run, live, on_packed
        self._folder = tempfile.TemporaryDirectory(prefix="lamplighter-broadcast-")
        self._job: ChildJob | None = None
        self._due = float("-inf")
        self._is_there = False
        self.problem: str | None = None
        """Why the last attempt failed; None before the first page."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # Its end, in another thread, sets it to None.
        if (job := self._job) is not None:
            job.cancel(0.0)
        self._folder.cleanup()

    @property
    def is_packing(self) -> bool:
        return self._job is not None

    def pack_if_due(self) -> None:
        """Begin to pack a page that follows the run, if it is time."""
        if self._job is None and time.monotonic() >= self._due:
            self._begin(["--live", self._live])

    def pack_last(self) -> None:
        """Begin to pack the page of the whole run, which follows nothing. Nothing else is being packed."""
        self._begin([])

    def _begin(self, options: list[str]) -> None:
        out = Path(self._folder.name) / _NAME
        command = [
            sys.executable,
            "-m",
            "lamplighter.packing.worker",
            str(self._run.path),
            str(out),
            *options,
        ]
        begun = time.monotonic()

        def on_end(code: int) -> None:
            try:
                if code == 0:
                    self._on_packed(out.read_bytes())
                    self._is_there, self.problem = True, None
            finally:
                took = time.monotonic() - begun
                self._due = time.monotonic() + (
                    max(_SECONDS, _SHARE * took) if self._is_there else _FIRST_SECONDS
                )
                self._job = None

        # Without a process now, there may be one in the next second.
        with suppress(OSError):
            self._job = ChildJob(command, on_message=self._hear, on_end=on_end, name="page of a broadcast")

    def _hear(self, message: ChildMessage) -> None:
        # Before the first map no page is possible, which is no problem.
        if self._is_there and message.problem:
            self.problem = message.problem


PAGE, LIVE = "index.html", "live"
SEGMENT_SECONDS = 1.0
_PATIENCE = 2.0
_WRITE_ERRORS = (OSError, StoreError)


class BroadcastFailedError(RuntimeError):
    """An error for a broadcast that cannot go on; the message says why."""


class Broadcast:
    """The broadcast of one run to one site."""

    def __init__(self, run: RunFolder, site: Site, notify: Callable[[str], None]) -> None:
        """Prepare to broadcast. `notify` is told when the page is there, and when a problem begins."""
        self._run, self._site, self._notify = run, site, notify
        self._failed: str | None = None
        self._problem: str | None = None
        self._pages_written = 0

    def write_until_over(self, is_stopped: Callable[[float], bool]) -> None:
        """Broadcast until the run has ended, and its last page is there, or raise BroadcastFailedError.

        `is_stopped` waits for some seconds; returns early, with True, if the broadcast is to stop.
        """
        try:
            segments = SegmentWriter(self._site, LIVE, self._run.id)
        except _WRITE_ERRORS as error:
            raise BroadcastFailedError(explain_read_error(error)) from error
        log = BeatLog(MemoryFanout(), self._run.id)
        catalog = RunCatalog(RunStore(self._run.path.parent))
        beats = FolderBeats(self._run, catalog, log, on_failed=lambda code, reason: self._fail(reason))
        beats.start()
        try:
            with LivePage(self._run, LIVE, self._put_page) as page:
                if self._write_segments(log, segments, page, is_stopped):
                    self._write_last_page(page, is_stopped)
        finally:
            beats.stop()
            log.close()
            beats.wait_ended(_PATIENCE)

    def _write_segments(
        self, log: BeatLog, segments: SegmentWriter, page: LivePage, is_stopped: Callable[[float], bool]
    ) -> bool:
        """Write a segment each second. Returns True when the last one is there, False when it is stopped."""
        ended = seen_ended = is_written = False
        while not (ended and is_written):
            begun = time.monotonic()
            if self._failed is not None:
                raise BroadcastFailedError(f"{self._run.id} cannot be followed: {self._failed}")
            # Seen twice, a second apart: what it published last has arrived by then.
            ended, seen_ended = seen_ended, self._has_ended()
            try:
                segments.write_second(log, ended=ended)
                is_written = True
                self._tell(page.problem)
            except _WRITE_ERRORS as error:
                is_written = False
                # A full disk or a lost network may come back; viewers wait meanwhile.
                self._tell(f"the site cannot be written, trying again: {explain_read_error(error)}")
            page.pack_if_due()
            if is_stopped(max(0.0, SEGMENT_SECONDS - (time.monotonic() - begun))):
                return False
        return True

    def _has_ended(self) -> bool:
        try:
            return read_status(self._run).phase.has_ended
        except READ_ERRORS as error:
            reason = explain_read_error(error)
            raise BroadcastFailedError(f"{self._run.id} cannot be followed: {reason}") from error

    def _write_last_page(self, page: LivePage, is_stopped: Callable[[float], bool]) -> None:
        before = 0
        for begin in (lambda: None, page.pack_last):
            before = self._pages_written
            begin()
            while page.is_packing:
                if is_stopped(0.1):
                    return
        if self._pages_written == before:
            why = page.problem or self._problem or "it could not be packed"
            raise BroadcastFailedError(f"the last page is not there: {why}. Give the same command again")

    def _put_page(self, data: bytes) -> None:
        try:
            self._site.put_file(PAGE, data, "text/html; charset=utf-8", lasting=False)
        except _WRITE_ERRORS as error:
            self._tell(f"the page cannot be written: {explain_read_error(error)}")
            return
        self._pages_written += 1
        if self._pages_written == 1:
            self._notify(f"the page is there: {PAGE}")

    def _tell(self, problem: str | None) -> None:
        if problem is not None and problem != self._problem:
            self._notify(problem)
        self._problem = problem

    def _fail(self, reason: str) -> None:
        self._failed = reason
