"""The examiners that a server starts: one for each run that somebody asks something of, at most two at a time.

The question itself lies in the run's folder, so whoever is the examiner answers it, whoever started that process. This part
sees to it that there is one while questions of this server are open, and ends all when the server stops.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from lamplighter.processes.asked_question import EXAMINER, AskedQuestion, examiner_command
from lamplighter.processes.child_job import ChildJob, ChildMessage
from lamplighter.processes.log_file import open_log
from lamplighter.processes.worker import ExitCode
from lamplighter.runfolder.errors import READ_ERRORS
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.examinations import ExaminationsReader
from lamplighter.serving.http.problems import RefusedError

log = logging.getLogger(__name__)

MAX_EXAMINERS = 2
"""Processes that this server keeps at a time; an idle one makes way."""
MAX_OPEN = 64
"""Open questions of this server, of all runs."""
_POLL_SECONDS = 0.25
_RETRY_SECONDS = 0.5
"""Seconds before an examiner is started again that crashed, or whose role was taken; they double with each crash."""
_MAX_CRASHES = 4
"""Crashes in a row after which the open questions of a run are given up."""
_EXIT_SECONDS = 5.0
"""Seconds allowed for a process to put its question back once its standard input has closed."""
_MAX_LOG_BYTES = 256 * 1024


@dataclass
class OpenQuestion:
    """A question of this server that is not answered yet, as far as is known."""

    asked: AskedQuestion
    request: int
    """The number of the request in this server's file."""
    problem: str | None = None
    """The reason why no examiner is started for it any more."""


@dataclass
class _ExaminedRun:
    run: RunFolder
    open: dict[str, OpenQuestion] = field(default_factory=dict[str, OpenQuestion])
    child: ChildJob | None = None
    crashes: int = 0
    start_at: float = 0.0
    last_problem: str | None = None


class ExaminerJobs:
    """The examiners of one server. Every method blocks briefly, so call it from a thread."""

    def __init__(
        self,
        server: str,
        *,
        starts: bool = True,
        command: Callable[[RunFolder], list[str]] = examiner_command,
    ) -> None:
        """Start idle.

        Args:
            server: the name under which this server asks.
            starts: whether this server starts examiners; if not, a service of its own does (`lamplighter examine --watch`).
            command: builds the command line of a run's examiner.
        """
        self._server, self._starts, self._command = server, starts, command
        self._lock = threading.Lock()
        self._runs: dict[str, _ExaminedRun] = {}
        self._wake = threading.Event()
        self._stopping = False
        self._thread: threading.Thread | None = None

    def add(self, run: RunFolder, asked: AskedQuestion, ask: Callable[[], int]) -> None:
        """Ask a question, and see to it that there is an examiner.

        Args:
            run: the run.
            asked: the question.
            ask: writes it into this server's file, and returns the number of the request.

        Raises:
            RefusedError: this server has too many open questions (409).
        """
        with self._lock:
            if sum(len(known.open) for known in self._runs.values()) >= MAX_OPEN:
                raise RefusedError(409, f"{MAX_OPEN} questions wait for an answer already: ask again later")
            known = self._runs.setdefault(run.id, _ExaminedRun(run))
            known.run, known.crashes, known.start_at, known.last_problem = run, 0, 0.0, None
            known.open[asked.id] = OpenQuestion(asked, ask())
            for question in known.open.values():
                question.problem = None
            if self._thread is None and not self._stopping:
                self._thread = threading.Thread(target=self._work, name="examiners", daemon=True)
                self._thread.start()
        self._wake.set()

    def open_questions(self, run: RunFolder) -> list[OpenQuestion]:
        """Return the open questions of this server about a run, whether or not an examiner has taken them up."""
        with self._lock:
            known = self._runs.get(run.id)
            return [] if known is None else list(known.open.values())

    @property
    def at_work(self) -> bool:
        """Return whether a question is open."""
        return any(known.open for known in list(self._runs.values()))

    def end(self, run_id: str) -> None:
        """End the examiner of a run, which is about to be moved away; its process has ended when this returns."""
        with self._lock:
            known = self._runs.get(run_id)
            child = None if known is None else known.child
            if known is not None:
                known.open.clear()
        if child is not None:
            child.cancel(_EXIT_SECONDS)

    def stop(self) -> None:
        """End all examiners; their processes have ended when this returns. What they were asked waits in the folders."""
        with self._lock:
            self._stopping = True
            children = [known.child for known in self._runs.values() if known.child is not None]
            thread = self._thread
        self._wake.set()
        for child in children:
            child.cancel(_EXIT_SECONDS)
        if thread is not None:
            thread.join()

    def _work(self) -> None:
        while True:
            # Cleared first: what happens from here on wakes it again.
            self._wake.clear()
            try:
                self._forget_answered()
                idle = self._start_needed()
            except Exception:
                log.exception("examiners cannot be looked after; it is tried again and again")
                idle = None
            if idle is not None:
                # Its end is reported under the lock, so it is not waited for there.
                idle.cancel(_EXIT_SECONDS)
            with self._lock:
                if self._stopping or not any(known.open for known in self._runs.values()):
                    self._thread = None
                    return
            self._wake.wait(_POLL_SECONDS)

    def _forget_answered(self) -> None:
        """Forget the questions that something has become of, and the runs of which nothing is open."""
        with self._lock:
            examined = [(known.run, list(known.open.values())) for known in self._runs.values() if known.open]
        for run, questions in examined:
            over = [question.asked.id for question in questions if self._is_over(run, question)]
            with self._lock:
                for asked_id in over:
                    self._runs[run.id].open.pop(asked_id, None)
        with self._lock:
            for run_id in [
                name for name, known in self._runs.items() if not known.open and known.child is None
            ]:
                del self._runs[run_id]

    def _is_over(self, run: RunFolder, question: OpenQuestion) -> bool:
        if not run.path.is_dir():
            return True
        try:
            with ExaminationsReader(run.examinations_path) as reader:
                if reader.last_applied().get(self._server, 0) < question.request:
                    return False
                entry = reader.entry(question.asked.id)
        except READ_ERRORS:
            return False
        return entry is None or not entry.is_open

    def _start_needed(self) -> ChildJob | None:
        """Start the examiners that are needed. Returns an idle one that has to make way for another, if there is one."""
        with self._lock:
            if self._stopping or not self._starts:
                return None
            for known in self._runs.values():
                wanted = any(question.problem is None for question in known.open.values())
                if not wanted or known.child is not None or time.monotonic() < known.start_at:
                    continue
                at_work = [other for other in self._runs.values() if other.child is not None]
                if len(at_work) >= MAX_EXAMINERS:
                    return next((other.child for other in at_work if not other.open), None)
                self._start(known)
        return None

    def _start(self, known: _ExaminedRun) -> None:
        try:
            with open_log(known.run.path, EXAMINER, _MAX_LOG_BYTES) as file:
                # This thread holds the lock, so no end is handled before the child is known.
                known.child = ChildJob(
                    self._command(known.run),
                    on_message=partial(self._handle_message, known),
                    on_end=partial(self._handle_end, known),
                    log=file,
                    name="examiner",
                )
        except OSError as error:
            self._note_crash(known, f"no process can be started for it: {error.strerror or error}")

    def _handle_message(self, known: _ExaminedRun, message: ChildMessage) -> None:
        with self._lock:
            known.last_problem = message.problem or known.last_problem

    def _handle_end(self, known: _ExaminedRun, code: int) -> None:
        with self._lock:
            known.child = None
            match code:
                case ExitCode.DONE | ExitCode.CANCELLED:
                    known.crashes = 0
                case ExitCode.ROLE_TAKEN:
                    # Another process answers; should that end first, this one is started again.
                    known.start_at = time.monotonic() + _RETRY_SECONDS
                case ExitCode.FAILED:
                    self._give_up(known, known.last_problem or "the run cannot be read")
                case _:
                    self._note_crash(known, f"the examiner ended with code {code}; its log says more")
        self._wake.set()

    def _note_crash(self, known: _ExaminedRun, why: str) -> None:
        known.crashes += 1
        known.start_at = time.monotonic() + _RETRY_SECONDS * 2 ** (known.crashes - 1)
        log.warning("examiner of %s: %s", known.run.id, why)
        if known.crashes >= _MAX_CRASHES:
            self._give_up(known, why)

    def _give_up(self, known: _ExaminedRun, why: str) -> None:
        log.warning("examiner of %s is given up: %s", known.run.id, why)
        for question in known.open.values():
            question.problem = why
