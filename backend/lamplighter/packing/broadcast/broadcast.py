"""A broadcast: the packed page of a run that is still training, and the live files that the page follows.

All viewers get the same bytes, so a host of static files or any HTTP cache can serve any number of viewers. The page
holds the past as a packed page does, and is packed again from time to time; what happens after that comes in segments,
one or two seconds late.

A segment is immutable and its name is never used again, so every cache may keep it. Only the manifest changes. It is
the idea of HTTP Live Streaming (RFC 8216), with the envelopes of a class (`docs/wire.md`) instead of video.

| file | what it is |
|---|---|
| `manifest.json` | the newest sequence number, the first one that is kept, the newest whole state |
| `<name>/<number>.bin` | what was published since the segment before: of each message its milliseconds after that (2 bytes), its length (4 bytes, both little-endian), and its envelope |
| `<name>/<number>-whole.bin` | the whole state after segment `number` |

`<name>` is new for every start of a broadcast, because a cache may still hold the files of the last one.
"""

from __future__ import annotations

import json
import re
import secrets
import struct
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from lamplighter.packing.broadcast.site import Site
from lamplighter.processes.child_job import ChildJob, ChildMessage
from lamplighter.runfolder.errors import READ_ERRORS, explain_read_error
from lamplighter.runfolder.published.object_store import StoreError
from lamplighter.runfolder.reading.run_status import read_status
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_store import RunStore
from lamplighter.serving.live.beat_log import BeatLog
from lamplighter.serving.live.channel_log import START, Entry
from lamplighter.serving.live.folder_beats import FolderBeats
from lamplighter.serving.live.publication import JoiningState
from lamplighter.serving.reading.run_catalog import RunCatalog

FORMAT = 1
MANIFEST = "manifest.json"
WHOLE_EVERY = 10
"""Segments between two whole states."""
_HEAD = struct.Struct("<HI")
_FOLDER_NAME = re.compile(r"[0-9a-f]{8}")
KEPT = 60
"""Segments kept before the newest whole state, for viewers and caches that lag."""


class SegmentWriter:
    """Writes the live files of one broadcast into a folder. For one thread only."""

    def __init__(self, site: Site, folder: str, run_id: str) -> None:
        """Start a broadcast with a new name, and remove the files of earlier ones. `folder`: that of the live
        files, relative to the site. It raises OSError or StoreError.
        """
        self._site, self._folder, self._run_id = site, folder, run_id
        self._name = secrets.token_hex(4)
        self._position = START
        self._sequence, self._first, self._whole = 0, 1, 0
        self._kept: deque[tuple[int, str]] = deque()
        """The files written, each with the number of its segment."""
        self._written = 0
        self._begun = time.monotonic()
        self._remove_last_broadcast()

    def write_second(self, log: BeatLog, *, ended: bool = False) -> None:
        """Write what was published since the last call, and the manifest; `ended`: nothing follows. It raises
        OSError or StoreError.
        """
        newest, state = log.newest_state()
        found = log.since(self._position, text=True)
        number = self._sequence + 1
        if found is None:
            # Some publications are lost: viewers go on from the whole state.
            self._write_whole(number, state)
            self._sequence, self._first = number, number + 1
        elif newest > self._position:
            # What came after the state belongs to the next segment.
            messages = [self._pack(entry) for entry in found if entry.seq <= newest and entry.data]
            self._write(number, f"{number:06}.bin", b"".join(messages))
            self._sequence = number
        # Now, so that a failure below does not repeat these messages in the next segment.
        self._position, self._begun = newest, time.monotonic()
        since_whole = self._sequence - self._whole
        if since_whole >= WHOLE_EVERY or (since_whole and (ended or not self._whole)):
            self._write_whole(self._sequence, state)
        self._written += 1
        self._write_manifest(ended=ended)
        self._remove_old()

    def _remove_last_broadcast(self) -> None:
        """Remove the segments that the manifest names, and nothing else: the site may hold other files."""
        found = self._site.read_small_file(f"{self._folder}/{MANIFEST}")
        try:
            name = json.loads(found or b"")["name"]
        except (ValueError, TypeError, LookupError):
            return
        if isinstance(name, str) and _FOLDER_NAME.fullmatch(name):
            self._site.remove_below(f"{self._folder}/{name}")

    def _pack(self, entry: Entry) -> bytes:
        after = round(1_000 * (entry.time - self._begun))
        return _HEAD.pack(min(max(after, 0), 0xFFFF), len(entry.data)) + entry.data

    def _write_whole(self, number: int, state: JoiningState) -> None:
        self._write(number, f"{number:06}-whole.bin", state.envelope(text=True))
        self._whole = number

    def _write_manifest(self, *, ended: bool) -> None:
        manifest = {
            "format": FORMAT,
            "run": self._run_id,
            "name": self._name,
            # Grows every second, so that a viewer can tell a quiet run from a broadcast that broke off.
            "written": self._written,
            "sequence": self._sequence,
            "first": self._first,
            "whole": self._whole,
            "ended": ended,
        }
        self._site.put_file(
            f"{self._folder}/{MANIFEST}", json.dumps(manifest).encode(), "application/json", lasting=False
        )

    def _write(self, number: int, name: str, data: bytes) -> None:
        path = f"{self._folder}/{self._name}/{name}"
        self._kept.append((number, path))
        self._site.put_file(path, data, "application/octet-stream", lasting=True)

    def _remove_old(self) -> None:
        while self._kept and self._kept[0][0] < self._whole - KEPT:
            number, path = self._kept[0]
            self._site.remove_files([path])
            self._kept.popleft()
            self._first = max(self._first, number + 1)


_SECONDS, _SHARE = 60.0, 10
"""Minimum seconds between two pages, and how many times as long as packing one takes."""
_FIRST_SECONDS = 3.0
"""Seconds until another attempt at the first page: a run has none before its first map."""
_NAME = "index.html"


class LivePage:
    """Packs the page of a run. A context manager, which ends the process and removes its files."""

    def __init__(self, run: RunFolder, live: str, on_packed: Callable[[bytes], None]) -> None:
        """Prepare to pack. `live`: the folder beside the page whose files it follows; `on_packed` is called
        with each page, in a thread.
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
        log = BeatLog()
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
