"""The page of a broadcast, packed in a child process again and again while the run grows."""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from lamplighter.processes.child_job import ChildJob, ChildMessage
from lamplighter.runfolder.run_folder import RunFolder

_SECONDS, _SHARE = 60.0, 10
"""Minimum seconds between two pages, and how many times as long as packing one takes."""
_FIRST_SECONDS = 3.0
"""Seconds until another attempt at the first page: a run has none before its first map."""
_NAME = "index.html"


class LivePage:
    """Packs the page of a run. A context manager, which ends the process and removes its files."""

    def __init__(self, run: RunFolder, live: str, on_packed: Callable[[bytes], None]) -> None:
        """Prepare to pack.

        Args:
            run: the run.
            live: the folder beside the page whose files it follows.
            on_packed: called with each page, in a thread.
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
        """Return whether a page is being packed."""
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
