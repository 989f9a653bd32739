"""An examiner for questions asked without a server: from Python, or from the command line.

It is started for the first question and ends with this process. If another process is already the run's examiner, that
one answers.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

from lamplighter.processes.asked_question import AskedQuestion, ask_question, ask_to_cancel, examiner_command
from lamplighter.processes.examiner_pool import ExaminerCommand, ExaminerPool
from lamplighter.runfolder.errors import READ_ERRORS, explain_read_error
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.examinations import ExaminationEntry, ExaminationsReader

_POLL_SECONDS = 0.01
_CANCEL_SECONDS = 3.0
"""Seconds to wait for the examiner to read a cancel request."""

OnExamination = Callable[[ExaminationEntry], object]
"""A callback that gets each new state of a question."""


class ExaminationFailedError(RuntimeError):
    """A question got no answer; the message says why, in one sentence."""


class LocalExaminer:
    """Access of one process to the examiner of a run. Not thread-safe."""

    def __init__(self, run: RunFolder, server: str, command: ExaminerCommand = examiner_command) -> None:
        """Prepare without starting a process. `server`: the name of the request file for the questions;
        lower-case letters and digits.
        """
        self._run, self._server = run, server
        self._pool = ExaminerPool(command=command)

    def examine(self, asked: AskedQuestion, on_change: OnExamination | None = None) -> dict[str, Any]:
        """Return the answer to a question, computing it if necessary. Ctrl-C, or an error in `on_change`,
        cancels it. Raises ExaminationFailedError if there is no answer.
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
        self._pool.end(self._run.id)

    def _wait(self, asked: AskedQuestion, number: int, on_change: OnExamination | None) -> ExaminationEntry:
        """Return the state of a question once it is no longer open, and keep an examiner until then."""
        revision = -1
        self._pool.reset_crashes(self._run.id)
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
            problem = self._pool.problem(self._run.id)
            if problem is not None:
                raise ExaminationFailedError(problem)
            self._pool.keep([self._run])
            time.sleep(_POLL_SECONDS)

    def _read(self, asked: AskedQuestion, number: int) -> ExaminationEntry | None:
        """Return the state of a question after the request of that number; None if it is unchanged."""
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
        """Ask the examiner to cancel a question, and wait briefly until it has read the request."""
        if not self._run.path.is_dir():
            return
        number = ask_to_cancel(self._run, self._server, asked.id)
        deadline = time.monotonic() + _CANCEL_SECONDS
        while time.monotonic() < deadline and self._pool.has_examiner(self._run.id):
            if self._read(asked, number) is not None:
                return
            time.sleep(_POLL_SECONDS)
