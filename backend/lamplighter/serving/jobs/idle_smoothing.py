"""The smoothing of finished runs while the machine is idle: one at a time, each once.

It starts when nothing trains, no worker runs, and this server has had no request for a while. It stops at once when one
of these changes, leaves no files behind, and starts again later.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from contextlib import suppress

from lamplighter.runfolder.errors import READ_ERRORS
from lamplighter.runfolder.importing.imported_run import is_imported
from lamplighter.runfolder.phase import Phase
from lamplighter.runfolder.reading.current_map import covers_run
from lamplighter.runfolder.reading.run_status import read_status
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.serving.jobs.reprojections import ReprojectionJobs
from lamplighter.web.capacity.activity import Activity
from lamplighter.web.http.problems import RefusedError

log = logging.getLogger(__name__)

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
