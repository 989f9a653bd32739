"""Examiners for all runs of a folder: `lamplighter examine --watch`, beside a server that starts none."""

from __future__ import annotations

import logging
import threading

from lamplighter.processes.asked_question import examiner_command
from lamplighter.processes.desired_state import requests_mark
from lamplighter.processes.examiner_pool import ExaminerCommand, ExaminerPool
from lamplighter.runfolder.errors import READ_ERRORS
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_store import RunStore
from lamplighter.runfolder.tables.examinations import ExaminationsReader
from lamplighter.runfolder.tables.requests import EXAMINER_KINDS, RequestsReader

log = logging.getLogger(__name__)

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
