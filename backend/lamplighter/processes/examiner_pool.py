"""The examiners of one process, one for each run with open questions, at most two at a time; and a thread that watches a
folder for such runs.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from lamplighter.processes.asked_question import EXAMINER, examiner_command
from lamplighter.processes.child_job import ChildJob, ChildMessage
from lamplighter.processes.desired_state import requests_mark
from lamplighter.processes.log_file import open_log
from lamplighter.processes.worker import ExitCode
from lamplighter.runfolder.errors import READ_ERRORS
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_store import RunStore
from lamplighter.runfolder.tables.examinations import ExaminationsReader
from lamplighter.runfolder.tables.requests import EXAMINER_KINDS, RequestsReader

log = logging.getLogger(__name__)

MAX_EXAMINERS = 2
"""Maximum number of processes; an idle one is ended to make room."""
_RETRY_SECONDS = 0.5
"""Seconds before an examiner is restarted after a crash or because its role was taken; they double with each crash."""
_MAX_CRASHES = 4
"""Consecutive crashes after which a run gets no examiner until `reset_crashes`."""
_EXIT_SECONDS = 5.0
"""Seconds for a process to requeue its question after its standard input has closed."""
_MAX_LOG_BYTES = 256 * 1024

ExaminerCommand = Callable[[RunFolder], list[str]]


@dataclass
class _Examiner:
    run: RunFolder
    child: ChildJob | None = None
    crashes: int = 0
    start_at: float = 0.0
    last_problem: str | None = None
    given_up: str | None = None


class ExaminerPool:
    """The examiners of one process. Every method but `problem` may block for seconds, so call it from a thread."""

    def __init__(
        self, on_end: Callable[[], object] = lambda: None, command: ExaminerCommand = examiner_command
    ) -> None:
        """Start without an examiner. `on_end`: called in another thread whenever an examiner has ended."""
        self._on_end, self._command = on_end, command
        self._lock = threading.Lock()
        self._examiners: dict[str, _Examiner] = {}
        self._stopping = False

    def keep(self, runs: list[RunFolder]) -> None:
        """Start missing examiners for these runs, in this order, while there is room. Examiners of other runs count as
        idle."""
        wanted = {run.id for run in runs}
        idle = None
        with self._lock:
            for run in runs:
                examiner = self._examiners.setdefault(run.id, _Examiner(run))
                examiner.run = run
                waits = time.monotonic() < examiner.start_at
                if self._stopping or examiner.child is not None or examiner.given_up is not None or waits:
                    continue
                at_work = [name for name, other in self._examiners.items() if other.child is not None]
                if len(at_work) >= MAX_EXAMINERS:
                    idle = next((self._examiners[name].child for name in at_work if name not in wanted), None)
                    break
                self._start(examiner)
            for name in [name for name, other in self._examiners.items() if other.child is None]:
                if name not in wanted:
                    del self._examiners[name]
        if idle is not None:
            # Noting its end takes the lock, so do not wait for it while holding the lock.
            idle.cancel(_EXIT_SECONDS)

    def reset_crashes(self, run_id: str) -> None:
        with self._lock:
            examiner = self._examiners.get(run_id)
            if examiner is not None:
                examiner.crashes, examiner.start_at = 0, 0.0
                examiner.given_up = examiner.last_problem = None

    def problem(self, run_id: str) -> str | None:
        """Return why a run gets no examiner any more, in one sentence; None if it may have one."""
        with self._lock:
            examiner = self._examiners.get(run_id)
            return None if examiner is None else examiner.given_up

    def has_examiner(self, run_id: str) -> bool:
        with self._lock:
            examiner = self._examiners.get(run_id)
            return examiner is not None and examiner.child is not None

    def end(self, run_id: str) -> None:
        """End the examiner of a run and wait for its process."""
        with self._lock:
            examiner = self._examiners.get(run_id)
            child = None if examiner is None else examiner.child
        if child is not None:
            child.cancel(_EXIT_SECONDS)

    def stop(self) -> None:
        """End all examiners for good; their open questions stay in the run folders."""
        with self._lock:
            self._stopping = True
            children = [examiner.child for examiner in self._examiners.values() if examiner.child is not None]
        for child in children:
            child.cancel(_EXIT_SECONDS)

    def _start(self, examiner: _Examiner) -> None:
        try:
            with open_log(examiner.run.path, EXAMINER, _MAX_LOG_BYTES) as file:
                # This thread holds the lock, so the child is registered before its end is noted.
                examiner.child = ChildJob(
                    self._command(examiner.run),
                    on_message=partial(self._handle_message, examiner),
                    on_end=partial(self._handle_end, examiner),
                    log=file,
                    name="examiner",
                )
        except OSError as error:
            self._note_crash(examiner, f"its process cannot be started: {error.strerror or error}")

    def _handle_message(self, examiner: _Examiner, message: ChildMessage) -> None:
        with self._lock:
            examiner.last_problem = message.problem or examiner.last_problem

    def _handle_end(self, examiner: _Examiner, code: int) -> None:
        with self._lock:
            examiner.child = None
            match code:
                case ExitCode.DONE | ExitCode.CANCELLED:
                    examiner.crashes = 0
                case ExitCode.ROLE_TAKEN:
                    # Another process answers; if it ends first, this one is started again.
                    examiner.start_at = time.monotonic() + _RETRY_SECONDS
                case ExitCode.FAILED:
                    self._give_up(examiner, examiner.last_problem or "the run cannot be read")
                case _:
                    self._note_crash(examiner, f"the examiner ended with code {code}; its log says more")
        self._on_end()

    def _note_crash(self, examiner: _Examiner, why: str) -> None:
        examiner.crashes += 1
        examiner.start_at = time.monotonic() + _RETRY_SECONDS * 2 ** (examiner.crashes - 1)
        log.warning("examiner of %s: %s", examiner.run.id, why)
        if examiner.crashes >= _MAX_CRASHES:
            self._give_up(examiner, why)

    def _give_up(self, examiner: _Examiner, why: str) -> None:
        log.warning("examiner of %s stays stopped: %s", examiner.run.id, why)
        examiner.given_up = why


_POLL_SECONDS = 0.5


class ExaminerWatch:
    """A thread that keeps an examiner for each run with open questions."""

    def __init__(self, run_store: RunStore, command: ExaminerCommand = examiner_command) -> None:
        """Watch the runs in `run_store` once started."""
        self._run_store = run_store
        self._wake = threading.Event()
        self._pool = ExaminerPool(self._wake.set, command)
        self._quiet: dict[str, object] = {}
        """The requests without an open question, by run."""
        self._told: str | None = None
        """The reason why the last check failed, which is logged once."""
        self._stopping = False
        self._thread = threading.Thread(target=self._work, name="examiners", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping = True
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join()
        self._pool.stop()

    def _work(self) -> None:
        while not self._stopping:
            self._wake.clear()
            try:
                self._pool.keep([run for run in self._run_store.runs() if self._is_asked(run)])
                self._told = None
            except Exception as error:
                if repr(error) != self._told:
                    log.exception("could not check the runs; retrying")
                self._told = repr(error)
            self._wake.wait(_POLL_SECONDS)

    def _is_asked(self, run: RunFolder) -> bool:
        mark = requests_mark(run)
        if not mark or self._quiet.get(run.id) == mark:
            return False
        if has_open_questions(run):
            if self._quiet.pop(run.id, None) is not None:
                self._pool.reset_crashes(run.id)
            return True
        self._quiet[run.id] = mark
        return False


def has_open_questions(run: RunFolder) -> bool:
    """Return whether a question about a run waits for an examiner; False if the run cannot be read."""
    requests = RequestsReader(run.path)
    try:
        with ExaminationsReader(run.examinations_path) as reader:
            # In this order: a question that an examiner takes up in between is in the table.
            requests.skip_applied(reader.last_applied())
            if reader.has_open_entries():
                return True
    except FileNotFoundError:
        pass
    except READ_ERRORS:
        return False
    return any(request.kind in EXAMINER_KINDS for request in requests.read_new())
