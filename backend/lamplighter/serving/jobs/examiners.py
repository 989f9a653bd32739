"""The questions that a server asks about runs, and its examiners.

A question is stored in its run's folder, so any examiner of the run can answer it, regardless of which process started
it. This module keeps an examiner alive while questions of this server are open, starts one ahead of its first question,
and ends all when the server stops.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass

from lamplighter.contract.reason import give_reason
from lamplighter.processes.asked_question import AskedQuestion, examiner_command
from lamplighter.processes.examiner_pool import ExaminerCommand, ExaminerPool
from lamplighter.runfolder.errors import READ_ERRORS
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.examinations import ExaminationsReader
from lamplighter.web.http.problems import RefusedError

log = logging.getLogger(__name__)

MAX_OPEN = 64
"""Maximum open questions of this server, about all runs."""
_POLL_SECONDS = 0.25


@dataclass(frozen=True)
class OpenQuestion:
    """A question of this server that is not known to be answered."""

    run: RunFolder
    asked: AskedQuestion
    request: int
    """The number of the request in this server's file."""


class ExaminerJobs:
    """The open questions of one server, and its examiners. Every method blocks briefly, so call it from a thread."""

    def __init__(
        self, server: str, *, starts: bool = True, command: ExaminerCommand = examiner_command
    ) -> None:
        """Start without questions. `server`: the name of this server in requests. Without `starts`, a separate
        service starts examiners (`lamplighter examine --watch`).
        """
        self._server, self._starts = server, starts
        self._lock = threading.Lock()
        self._open: dict[tuple[str, str], OpenQuestion] = {}
        self._prepared: RunFolder | None = None
        """The run whose examiner is to be started once, without a question."""
        self._wake = threading.Event()
        self._pool = ExaminerPool(self._wake.set, command)
        self._stopping = False
        self._thread: threading.Thread | None = None

    def ask(self, run: RunFolder, asked: AskedQuestion, write: Callable[[], int]) -> None:
        """Ask a question, and keep an examiner for it. `write` appends the question to this server's file, and
        returns the number of the request. Raises RefusedError (409) if this server has too many open questions.
        """
        with self._lock:
            if len(self._open) >= MAX_OPEN and (run.id, asked.id) not in self._open:
                raise RefusedError(
                    409,
                    f"{MAX_OPEN} questions already wait for an answer: ask again later",
                    reason=give_reason("too_many_questions", most=MAX_OPEN),
                )
            self._pool.reset_crashes(run.id)
            self._open[run.id, asked.id] = OpenQuestion(run, asked, write())
            self._start_work()
        self._wake.set()

    def prepare(self, run: RunFolder) -> None:
        """Start the examiner of a run that is about to be asked, unless two are at work. A crash is not retried."""
        with self._lock:
            self._prepared = run
            self._start_work()
        self._wake.set()

    def open_questions(self, run: RunFolder) -> list[OpenQuestion]:
        """Return the open questions of this server about a run, whether or not an examiner has read them."""
        with self._lock:
            return [question for (run_id, _), question in self._open.items() if run_id == run.id]

    def problem(self, run: RunFolder) -> str | None:
        """Return why no examiner answers questions about a run any more, in one sentence; None if one may."""
        return self._pool.problem(run.id)

    @property
    def at_work(self) -> bool:
        return bool(self._open)

    def end(self, run_id: str) -> None:
        """End the examiner of a run that is about to be moved, and wait for its process."""
        with self._lock:
            for key in [key for key in self._open if key[0] == run_id]:
                del self._open[key]
        self._pool.end(run_id)

    def stop(self) -> None:
        """End all examiners and wait for their processes. Open questions stay in the run folders."""
        with self._lock:
            self._stopping = True
            thread = self._thread
        self._wake.set()
        self._pool.stop()
        if thread is not None:
            thread.join()

    def _start_work(self) -> None:
        if self._thread is None and not self._stopping:
            self._thread = threading.Thread(target=self._work, name="examiners", daemon=True)
            self._thread.start()

    def _work(self) -> None:
        while True:
            # Cleared first, so that later changes wake the thread again.
            self._wake.clear()
            try:
                self._look()
            except Exception:
                log.exception("could not check examiners; retrying")
            with self._lock:
                if self._stopping or not (self._open or self._prepared):
                    self._thread = None
                    return
            self._wake.wait(_POLL_SECONDS)

    def _look(self) -> None:
        """Drop answered questions; keep an examiner alive for each run that still has open ones, and start the
        prepared one.
        """
        with self._lock:
            questions = list(self._open.items())
        for key, question in questions:
            if self._is_over(question):
                with self._lock:
                    # Unless it has been asked again.
                    if self._open.get(key) is question:
                        del self._open[key]
        with self._lock:
            runs = {question.run.id: question.run for question in self._open.values()}
            prepared, self._prepared = self._prepared, None
        if prepared is not None:
            runs.setdefault(prepared.id, prepared)
        if self._starts:
            self._pool.keep(list(runs.values()))

    def _is_over(self, question: OpenQuestion) -> bool:
        if not question.run.path.is_dir():
            return True
        try:
            with ExaminationsReader(question.run.examinations_path) as reader:
                if reader.last_applied().get(self._server, 0) < question.request:
                    return False
                entry = reader.entry(question.asked.id)
        except READ_ERRORS:
            return False
        return entry is None or not entry.is_open
