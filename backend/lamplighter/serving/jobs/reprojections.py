"""Reprojection jobs for finished runs: one process at a time, followed, and cancelled when the server
stops."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

from lamplighter.contract.reason import Reason
from lamplighter.contract.sentences import say
from lamplighter.processes.child_job import ChildJob, ChildMessage
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.layouts import LayoutsReader
from lamplighter.serving.schemas.map import ReprojectedLayouts, Reprojection
from lamplighter.web.http.problems import RefusedError

log = logging.getLogger(__name__)

ReprojectionState = Literal["none", "running", "done", "failed", "cancelled"]
ReprojectionCommand = Callable[[RunFolder, int | None, bool], list[str]]
"""A function that builds the command line of a process from the run, the number of slices, and whether it has the
lowest priority."""

_MODULE = "lamplighter.projection.reprojection_worker"
MAX_LISTED = 5_000
"""Maximum number of layouts counted; a reprojection makes at most 1,000 of each view."""
_EXIT_SECONDS = 15.0
"""Seconds allowed for a process to clean up once its stdin has closed."""
_YIELD_SECONDS = 0.5
"""Seconds that a process has to end to make way."""


def reprojection_worker_command(run: RunFolder, slices: int | None, lowest: bool) -> list[str]:
    """Return the command line of a reprojection's process; `lowest`: at the lowest priority."""
    options = [*(["--slices", str(slices)] if slices else []), *(["--lowest"] if lowest else [])]
    return [sys.executable, "-m", _MODULE, str(run.path), *options]


def output_map_worker_command(run: RunFolder, slices: int | None, lowest: bool) -> list[str]:
    return [*reprojection_worker_command(run, slices, lowest), "--output"]


@dataclass
class ReprojectionJob:
    """The latest reprojection of a run, and its outcome."""

    state: ReprojectionState = "none"
    by_itself: bool = False
    """True if it was started without a request."""
    progress: float = 0.0
    """Progress, from 0 to 1."""
    activity: str = ""
    problem: str | None = None
    """The reason for a failure, in one sentence."""
    reported_problem: str | None = None
    """The reason that the process reported; it counts if the process fails."""

    def describe(self, path: Path) -> Reprojection:
        """Return the job as an answer, with the layouts in its output file."""
        return Reprojection(
            state=self.state,
            by_itself=self.by_itself,
            share=self.progress,
            what=self.activity,
            problem=self.problem,
            made=_read_made(path),
        )


class ReprojectionJobs:
    """The reprojection jobs of one server. Every method blocks briefly, so call it from a thread."""

    def __init__(self, command: ReprojectionCommand = reprojection_worker_command) -> None:
        self._command = command
        self._lock = threading.Lock()
        self._jobs: dict[str, ReprojectionJob] = {}
        self._running: tuple[str, ChildJob] | None = None

    def start(self, run: RunFolder, slices: int | None, *, by_itself: bool = False) -> ReprojectionJob:
        """Start reprojecting a run. A reprojection started without a request makes way. Raises RefusedError:
        another one is running (409), or no process can be started (507).
        """
        if not by_itself:
            self.make_way()
        with self._lock:
            if self._running is not None:
                other = "this run" if self._running[0] == run.id else self._running[0]
                raise RefusedError(
                    409,
                    f"{other} is being laid out again, and only one run can be at a time; cancel it, or wait for it",
                    reason=Reason("laid_out_already"),
                )
            job = ReprojectionJob("running", by_itself, activity="starting")
            try:
                # This thread holds the lock, so no message is handled before the job is registered.
                child = ChildJob(
                    self._command(run, slices, by_itself),
                    on_message=partial(self._handle_message, job),
                    on_end=partial(self._handle_end, job),
                    name="reprojection",
                )
            except OSError as error:
                raise RefusedError(507, say("no_process", error=error.strerror or str(error))) from error
            self._jobs[run.id], self._running = job, (run.id, child)
        return job

    def for_run(self, run: RunFolder) -> ReprojectionJob:
        """Return the latest reprojection of a run that this server started."""
        with self._lock:
            return self._jobs.get(run.id) or ReprojectionJob()

    def cancel(self, run_id: str | None = None) -> None:
        """Cancel the running reprojection of a run (None: of any), and wait for its process."""
        with self._lock:
            if self._running is None or run_id not in (None, self._running[0]):
                return
            name, child = self._running
            self._jobs[name].state = "cancelled"
        # It removes its files from the run's folder, unless that takes too long.
        child.cancel(_EXIT_SECONDS)

    def make_way(self) -> None:
        """End a reprojection that was started without a request, and wait for its process. It may start again."""
        with self._lock:
            if self._running is None or not self._jobs[self._running[0]].by_itself:
                return
            name, child = self._running
            if self._jobs[name].state == "running":
                self._jobs[name] = ReprojectionJob()
        child.cancel(_YIELD_SECONDS)

    @property
    def at_work(self) -> bool:
        return self._running is not None

    def _handle_message(self, job: ReprojectionJob, message: ChildMessage) -> None:
        with self._lock:
            job.reported_problem = message.problem or job.reported_problem
            job.progress = job.progress if message.share is None else message.share
            job.activity = job.activity if message.activity is None else message.activity

    def _handle_end(self, job: ReprojectionJob, code: int) -> None:
        with self._lock:
            self._running = None
            job.activity = ""
            # A job that made way no longer belongs to the run.
            if job.state == "cancelled" or all(one is not job for one in self._jobs.values()):
                return
            job.state = "failed" if code else "done"
            if code:
                job.problem = job.reported_problem or say("map_ended", number=code)
                log.warning("laying out again failed: %s", job.problem)


def _read_made(path: Path) -> ReprojectedLayouts | None:
    try:
        with LayoutsReader(path) as reader:
            facts, entries = reader.facts(), reader.layout_entries(limit=MAX_LISTED)
        steps = sorted({entry.step for entry in entries})
        return ReprojectedLayouts(
            steps=len(steps), first=steps[0], last=steps[-1], time=float(facts.get("made", 0.0))
        )
    except (FileNotFoundError, IndexError):
        return None
