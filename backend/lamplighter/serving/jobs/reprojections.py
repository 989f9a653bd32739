"""Reprojection jobs for finished runs: one process at a time, followed, and cancelled when the server
stops."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.serving.http.problems import RefusedError

log = logging.getLogger(__name__)

ReprojectionState = Literal["none", "running", "done", "failed", "cancelled"]
ReprojectionCommand = Callable[[RunFolder, int | None], list[str]]

_MODULE = "lamplighter.projection.reprojection_worker"
_EXIT_SECONDS = 15.0
"""Seconds allowed for a process to clean up once its stdin has closed."""


def reprojection_worker_command(run: RunFolder, slices: int | None) -> list[str]:
    """Return the command line of a reprojection's process."""
    return [sys.executable, "-m", _MODULE, str(run.path), *(["--slices", str(slices)] if slices else [])]


@dataclass
class ReprojectionJob:
    """The latest reprojection of a run, and its outcome."""

    state: ReprojectionState = "none"
    progress: float = 0.0
    """Progress, from 0 to 1."""
    activity: str = ""
    problem: str | None = None
    """The reason for a failure, in one sentence."""


class ReprojectionJobs:
    """The reprojection jobs of one server. Every method blocks briefly, so call it from a thread."""

    def __init__(self, command: ReprojectionCommand = reprojection_worker_command) -> None:
        """Start idle. `command` builds the command line of a process."""
        self._command = command
        self._lock = threading.Lock()
        self._jobs: dict[str, ReprojectionJob] = {}
        self._running: tuple[str, subprocess.Popen[bytes], threading.Thread] | None = None

    def start(self, run: RunFolder, slices: int | None) -> ReprojectionJob:
        """Start reprojecting a run.

        Raises:
            RefusedError: another reprojection is running (409), or no process can be started (507).
        """
        with self._lock:
            if self._running is not None:
                other = "this run" if self._running[0] == run.id else self._running[0]
                raise RefusedError(
                    409, f"{other} is being laid out anew, one run at a time; cancel it, or wait for it"
                )
            try:
                process = subprocess.Popen(
                    self._command(run, slices),
                    # The process ends when its stdin closes, and that happens however this server ends.
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL,
                    start_new_session=os.name == "posix",
                )
            except OSError as error:
                raise RefusedError(
                    507, f"no process can be started for it: {error.strerror or error}"
                ) from error
            job = self._jobs[run.id] = ReprojectionJob("running", activity="starting")
            thread = threading.Thread(
                target=self._follow_process, args=(job, process), name="reprojection", daemon=True
            )
            self._running = run.id, process, thread
            thread.start()
        return job

    def for_run(self, run: RunFolder) -> ReprojectionJob:
        """Return the latest reprojection of a run that this server started."""
        with self._lock:
            return self._jobs.get(run.id) or ReprojectionJob()

    def cancel(self, run_id: str | None = None) -> None:
        """Cancel the running reprojection if it is of this run, or (None) of any; its process has ended when
        this returns."""
        with self._lock:
            if self._running is None or run_id not in (None, self._running[0]):
                return
            name, process, thread = self._running
            self._jobs[name].state = "cancelled"
            assert process.stdin is not None
            with contextlib.suppress(OSError):
                process.stdin.close()
        thread.join(_EXIT_SECONDS)
        if thread.is_alive():
            process.kill()
            thread.join()

    def _follow_process(self, job: ReprojectionJob, process: subprocess.Popen[bytes]) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        problem: str | None = None
        for line in process.stdout:
            with contextlib.suppress(ValueError, TypeError):
                message = dict(json.loads(line))
                problem = str(message["problem"]) if "problem" in message else problem
                job.progress = min(1.0, float(message.get("share", job.progress)))
                job.activity = str(message.get("what", job.activity))
        code = process.wait()
        with self._lock:
            process.stdout.close()
            with contextlib.suppress(OSError):
                process.stdin.close()
            self._running = None
            job.activity = ""
            if job.state == "cancelled":
                return
            job.state = "failed" if code else "done"
            if code:
                job.problem = problem or f"its process ended with code {code}; try again"
                log.warning("laying out anew failed: %s", job.problem)
