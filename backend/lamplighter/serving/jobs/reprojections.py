"""Reprojection jobs for finished runs: one process at a time, followed, and cancelled when the server stops.

Finished runs are also smoothed while the machine is idle: one at a time, each once. That starts when nothing trains, no
worker runs, and this server has had no request for a while. It stops at once when one of these changes, leaves no files
behind, and starts again later.
"""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

from lamplighter.contract.reason import Reason
from lamplighter.contract.sentences import say
from lamplighter.processes.child_job import ChildJob, ChildMessage
from lamplighter.runfolder.errors import READ_ERRORS
from lamplighter.runfolder.importing.imported_run import is_imported
from lamplighter.runfolder.phase import Phase
from lamplighter.runfolder.reading.current_map import covers_run
from lamplighter.runfolder.reading.run_status import read_status
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.layouts import LayoutsReader
from lamplighter.serving.schemas.map import ReprojectedLayouts, Reprojection
from lamplighter.web.capacity.activity import Activity
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


_POLL_SECONDS = 0.5
_LOOK_SECONDS = 30.0
"""Seconds between two searches for a run to smooth; a search reads every run."""


class IdleSmoothing:
    """A thread that smooths the finished runs of one server."""

    def __init__(
        self,
        jobs: ReprojectionJobs,
        activity: Activity,
        quiet_runs: Callable[[], list[RunFolder]],
        is_busy: Callable[[], bool],
        after: float,
    ) -> None:
        """Prepare to smooth runs, after so many seconds without a request.

        `quiet_runs` returns the runs that need no worker, none while any worker runs. `is_busy` returns whether
        the server works without a recent request, such as on a replay.
        """
        self._jobs, self._activity = jobs, activity
        self._quiet_runs, self._is_busy = quiet_runs, is_busy
        self._after = after
        self._given_up: set[tuple[str, int]] = set()
        """Runs, with their last step, that cannot be smoothed, or whose smoothing a user cancelled."""
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="idle-smoothing", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        if self._thread.is_alive():
            # Wakes the thread.
            self._activity.note()
            self._thread.join()

    def _run(self) -> None:
        pause = _POLL_SECONDS
        while not self._stopping.is_set():
            if self._activity.wait(pause) or self._activity.idle_seconds() < self._after:
                pause = _POLL_SECONDS
                continue
            pause = _POLL_SECONDS
            try:
                if not self._jobs.at_work and not self._is_busy() and (runs := self._quiet_runs()):
                    found = self._find_run(runs)
                    if found is None:
                        pause = _LOOK_SECONDS
                    elif not self._smooth(*found):
                        self._given_up.add((found[0].id, found[1]))
            except Exception:
                # If the thread ended here, no run would ever be smoothed again, unnoticed.
                log.exception("could not smooth finished runs; retrying")
                pause = _LOOK_SECONDS

    def _find_run(self, runs: list[RunFolder]) -> tuple[RunFolder, int] | None:
        for run in runs:
            with suppress(*READ_ERRORS, ValueError):
                status = read_status(run)
                if (
                    status.phase is Phase.FINISHED
                    and status.step > 0
                    and (run.id, status.step) not in self._given_up
                    and not covers_run(run, status.step)
                    and not is_imported(run)
                ):
                    return run, status.step
        return None

    def _smooth(self, run: RunFolder, step: int) -> bool:
        """Smooth a run until it is done or interrupted. Returns whether it may be tried again."""
        try:
            job = self._jobs.start(run, None, by_itself=True)
        except RefusedError as error:
            log.warning("%s cannot be smoothed: %s", run.id, error)
            return error.status == 409
        while job.state == "running" and self._jobs.for_run(run) is job:
            asked = self._activity.wait(_POLL_SECONDS)
            if asked or self._stopping.is_set() or self._is_busy() or not self._quiet_runs():
                self._jobs.make_way()
                return True
        if job.state == "done":
            # Only the end is logged: each request interrupts it, and it begins again.
            log.info("%s: smoothed for replay up to step %d while the machine was idle", run.id, step)
        # The run may have been removed or continued.
        return job.state == "running"
