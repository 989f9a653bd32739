"""An examiner for one who asks without a server: from Python, or from the command line.

It is started for the first question and ends with this process. Whoever else is the run's examiner by then answers instead.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from typing import Any

from lamplighter.processes.asked_question import (
    AskedQuestion,
    ask_question,
    ask_to_cancel,
    examiner_command,
)
from lamplighter.processes.child_job import ChildJob, ChildMessage
from lamplighter.processes.worker import ExitCode
from lamplighter.runfolder.errors import READ_ERRORS, explain_read_error
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.examinations import ExaminationEntry, ExaminationsReader

_POLL_SECONDS = 0.01
_RETRY_SECONDS = 0.5
"""Seconds before an examiner is started again that crashed, or whose role was taken."""
_MAX_CRASHES = 4
_CANCEL_SECONDS = 3.0
"""Seconds to wait for an examiner to hear that nobody wants the answer any more."""
_EXIT_SECONDS = 5.0

OnExamination = Callable[[ExaminationEntry], object]
"""A callback that gets what has become of a question, whenever something has."""


class ExaminationFailedError(RuntimeError):
    """An error for a question that got no answer; the message says why, in one sentence."""


class LocalExaminer:
    """The examiner of one run, as this process asks it. Not thread-safe."""

    def __init__(
        self, run: RunFolder, server: str, command: Callable[[RunFolder], list[str]] = examiner_command
    ) -> None:
        """Start no process yet.

        Args:
            run: the run.
            server: the name of the request file that the questions go into; lower-case letters and digits.
            command: builds the command line of the examiner.
        """
        self._run, self._server = run, server
        self._command = command
        self._child: ChildJob | None = None
        self._exit_code: int | None = None
        self._ended = threading.Event()
        self._problem: str | None = None
        self._start_at = 0.0

    def examine(self, asked: AskedQuestion, on_change: OnExamination | None = None) -> dict[str, Any]:
        """Return the answer to a question, computed if it was not before. Ctrl-C, or an error in `on_change`, cancels it.

        Raises:
            ExaminationFailedError: there is no answer; the message says why.
        """
        try:
            known = self._read(asked, 0)
            if known is None or known.state != "done":
                number = ask_question(self._run, self._server, asked)
                try:
                    known = self._wait(asked, number, on_change)
                except BaseException:
                    self._cancel(asked, number)
                    raise
            return self._answer(known)
        except READ_ERRORS as error:
            raise ExaminationFailedError(
                f"{self._run.id} cannot be asked: {explain_read_error(error)}"
            ) from error

    def close(self) -> None:
        """End the examiner if this process started it; it has ended when this returns."""
        if self._child is not None:
            self._child.cancel(_EXIT_SECONDS)
            self._child = None

    def _wait(self, asked: AskedQuestion, number: int, on_change: OnExamination | None) -> ExaminationEntry:
        """Wait until something has become of a question, and see to it that there is an examiner meanwhile."""
        crashes, revision = 0, -1
        while True:
            entry = self._read(asked, number)
            if entry is not None and entry.revision != revision:
                revision = entry.revision
                if on_change is not None:
                    on_change(entry)
                if not entry.is_open:
                    return entry
            if not self._run.path.is_dir():
                raise ExaminationFailedError(f"{self._run.id} was moved to the trash")
            if self._child is not None and self._ended.is_set():
                crashes += self._note_end()
                if crashes >= _MAX_CRASHES:
                    raise ExaminationFailedError(
                        f"the examiner ended {crashes} times, with code {self._exit_code}"
                    )
            if self._child is None and time.monotonic() >= self._start_at:
                self._start()
            time.sleep(_POLL_SECONDS)

    def _start(self) -> None:
        self._ended.clear()
        self._exit_code = self._problem = None
        self._child = ChildJob(
            self._command(self._run),
            on_message=self._handle_message,
            on_end=self._handle_end,
            name="examiner",
        )

    def _note_end(self) -> bool:
        """Note that the examiner has ended. Returns whether it crashed."""
        self._child = None
        self._start_at = time.monotonic() + _RETRY_SECONDS
        if self._exit_code == ExitCode.FAILED:
            raise ExaminationFailedError(self._problem or f"{self._run.id} cannot be read")
        return self._exit_code not in (ExitCode.DONE, ExitCode.CANCELLED, ExitCode.ROLE_TAKEN)

    def _handle_message(self, message: ChildMessage) -> None:
        self._problem = message.problem or self._problem

    def _handle_end(self, code: int) -> None:
        self._exit_code = code
        self._ended.set()

    def _read(self, asked: AskedQuestion, number: int) -> ExaminationEntry | None:
        """Return what has become of a question since the request of that number; None if nothing has."""
        try:
            with ExaminationsReader(self._run.examinations_path) as reader:
                taken_up = reader.last_applied().get(self._server, 0) >= number
                return reader.entry(asked.id) if taken_up else None
        except FileNotFoundError:
            return None

    def _answer(self, entry: ExaminationEntry) -> dict[str, Any]:
        if entry.state != "done":
            raise ExaminationFailedError(entry.problem or "the question was cancelled")
        with ExaminationsReader(self._run.examinations_path) as reader:
            return json.loads(reader.answer(entry.id) or "null")

    def _cancel(self, asked: AskedQuestion, number: int) -> None:
        """Say that nobody wants the answer any more, and wait a little until that is heard."""
        if not self._run.path.is_dir():
            return
        number = ask_to_cancel(self._run, self._server, asked.id)
        deadline = time.monotonic() + _CANCEL_SECONDS
        while time.monotonic() < deadline and self._child is not None and not self._ended.is_set():
            if self._read(asked, number) is not None:
                return
            time.sleep(_POLL_SECONDS)
