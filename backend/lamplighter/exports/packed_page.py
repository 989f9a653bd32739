"""The page that shows a run without a server, made by a process of its own: it asks what a server would answer, and whoever
exports need not carry one.
"""

from __future__ import annotations

import sys
import threading
from pathlib import Path

from lamplighter.exports.output import ExportError, ExportProgress
from lamplighter.processes.child_job import ChildJob, ChildMessage
from lamplighter.runfolder.run_folder import RunFolder

_POLL_SECONDS = 0.05


def write_page(run: RunFolder, out: Path, progress: ExportProgress, lessons: Path | None = None) -> None:
    """Write the page of a run. `lessons`: a folder of texts laid over the course's.

    Raises:
        ExportError: the run has no step or no map yet, or the page has not been built.
    """
    _Packing(run, out, progress, lessons).wait_until_made()


class _Packing:
    """A process that packs a run, whose progress is reported in the thread that waits for it."""

    def __init__(self, run: RunFolder, out: Path, progress: ExportProgress, lessons: Path | None) -> None:
        self._progress = progress
        self._messages: list[ChildMessage] = []
        self._lock = threading.Lock()
        self._code: int | None = None
        self._out = out
        command = [sys.executable, "-m", "lamplighter.packing.worker", str(run.path), str(out)]
        if lessons is not None:
            command.append(f"--lessons={lessons}")
        try:
            self._child = ChildJob(command, on_message=self._note, on_end=self._note_end, name="packing")
        except OSError as error:
            raise ExportError(f"the page cannot be made: {error.strerror or error}") from error

    def wait_until_made(self) -> None:
        """Report progress until the page is made.

        Raises:
            ExportError: it could not be made.
        """
        problem = None
        try:
            while not self._child.join(_POLL_SECONDS):
                problem = self._report() or problem
            problem = self._report() or problem
        except BaseException:
            # Cancelled, or interrupted: nothing of it stays.
            self._child.kill()
            self._child.join()
            raise
        if self._code != 0:
            raise ExportError(problem or "the page could not be made: the process that packs it ended early")

    def _note(self, message: ChildMessage) -> None:
        with self._lock:
            self._messages.append(message)

    def _note_end(self, code: int) -> None:
        self._code = code

    def _report(self) -> str | None:
        """Hand on what was reported meanwhile. Returns the reason for a failure, if there is one."""
        with self._lock:
            messages, self._messages = self._messages, []
        problem = None
        for message in messages:
            if message.problem is not None:
                problem = message.problem
            elif message.left_out is not None:
                self._progress(1.0, f"left out: {message.left_out}")
            elif message.share is not None:
                self._progress(message.share, message.activity or "")
        return problem
