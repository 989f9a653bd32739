"""One role in one run under supervision: its process, its crashes, and whether it may restart."""

from __future__ import annotations

import errno
import logging
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from lamplighter.platform.child_process import lower_priority, start_child
from lamplighter.processes.desired_state import requests_mark
from lamplighter.processes.log_file import last_line, limit_log, log_path, open_log
from lamplighter.processes.worker import ExitCode
from lamplighter.runfolder.role_lock import RoleState, role_state
from lamplighter.runfolder.run_folder import RunFolder

log = logging.getLogger(__name__)

MODULES = {
    "trainer": "lamplighter.training.worker",
    "projector": "lamplighter.projection.worker",
    "analyst": "lamplighter.analysis.worker",
}
_NICE = {"analyst": 10}
"""The niceness of each role. The projector lowers its own priority after the first map, for which the trainer waits."""

_SHORTAGES = frozenset(
    {errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EAGAIN, errno.ENOSPC, errno.EDQUOT, errno.ENOBUFS}
)
"""Temporary shortages of this process or the machine, for which the worker is not at fault."""

WorkerCommand = Callable[[str, Path], list[str]]


def worker_command(role: str, run: Path) -> list[str]:
    return [sys.executable, "-m", MODULES[role], str(run)]


@dataclass(frozen=True)
class WorkerLimits:
    """Limits on the restarts and the log of each worker."""

    max_crashes: int = 5
    """Consecutive crashes that are followed by a restart; after one more the worker stays stopped."""
    first_restart_delay: float = 0.5
    """Seconds before the first restart; doubles with each further one."""
    max_shortage_delay: float = 30.0
    """Longest time in seconds between two attempts to start a worker during a shortage."""
    healthy_seconds: float = 60.0
    """Seconds of uptime after which earlier crashes are forgotten."""
    max_log_bytes: int = 256 * 1024
    """Size in bytes above which a worker's log is set aside, at its start and while it runs."""


class SupervisedWorker:
    """One role in one run: our process in that role, and its record so far."""

    def __init__(self, run: RunFolder, role: str, limits: WorkerLimits, command: WorkerCommand) -> None:
        """Start without a process. `command` builds the command line."""
        self.run, self.role = run, role
        self._limits, self._command = limits, command
        self.process: subprocess.Popen[bytes] | None = None
        self.held_elsewhere = False
        """True while a worker that we did not start has the role, such as one of a killed server."""
        self.stop_reason: str | None = None
        """The reason why it stays stopped."""
        self.shortage: str | None = None
        """The shortage that keeps it from starting now; starting is retried until it succeeds."""
        self._shortage_delay = 0.0
        self._started = 0.0
        self._crashes = 0
        self._restart_after = 0.0
        self._requests_mark: object = None
        """The requests at the time when it was stopped; a new request lets it start again."""
        self._done_state: object = None
        """The state of the run that a worker has completed."""

    @property
    def at_work(self) -> bool:
        """Return whether any process has the role, ours or another."""
        return self.process is not None or self.held_elsewhere

    @property
    def restarting(self) -> bool:
        return self.process is None and self._crashes > 0 and self.stop_reason is None

    def start_if_allowed(self, state: object) -> bool:
        """Start the process for a state of the run, unless the role is taken, or it has just crashed, is stopped, or
        has completed that state. Returns whether it was started."""
        if self.process is not None:
            return False
        held = role_state(self.run.path, self.role)
        self.held_elsewhere = held is RoleState.HELD
        if self.held_elsewhere:
            self.shortage = None
        if self.held_elsewhere or time.monotonic() < self._restart_after:
            return False
        if held is RoleState.UNKNOWN:
            self._wait_out(f"{self.role}.lock cannot be opened")
            return False
        if self.role != "trainer" and self._done_state == state:
            return False
        if self.stop_reason is not None:
            mark = requests_mark(self.run)
            if mark is None or mark == self._requests_mark:
                return False
            self.stop_reason, self._crashes = None, 0
        if not os.access(self.run.path, os.W_OK):
            return False
        return self._start(state)

    def check(self) -> None:
        """Note the end of the process if it has ended, else limit its log."""
        if self.process is None:
            return
        code = self.process.poll()
        if code is None:
            limit_log(self.run.path, self.role, self._limits.max_log_bytes)
            return
        self.process = None
        self._restart_after = time.monotonic() + self._limits.first_restart_delay
        if code == ExitCode.DONE:
            self._crashes = 0
        elif code == ExitCode.ROLE_TAKEN:
            self._done_state = None
        elif code == ExitCode.FAILED:
            self._stay_stopped(last_line(log_path(self.run.path, self.role)) or "the run failed")
            log.warning("%s of %s failed for good: %s", self.role, self.run.id, self.stop_reason)
        else:
            if time.monotonic() - self._started >= self._limits.healthy_seconds:
                self._crashes = 0
            self._record_crash(last_line(log_path(self.run.path, self.role)) or f"exit code {code}")

    def _start(self, state: object) -> bool:
        try:
            with open_log(self.run.path, self.role, self._limits.max_log_bytes) as file:
                self.process = start_child(
                    self._command(self.role, self.run.path),
                    stdin=subprocess.DEVNULL,
                    stdout=file,
                    stderr=file,
                    background=self.role != "trainer",
                )
        except OSError as error:
            if error.errno in _SHORTAGES:
                self._wait_out(str(error))
            else:
                self._record_crash(str(error))
            return False
        if self.shortage is not None:
            log.info("%s of %s can be started again", self.role, self.run.id)
            self.shortage = None
        lower_priority(self.process.pid, _NICE.get(self.role, 0))
        self._started = time.monotonic()
        self._done_state = state
        log.info("%s of %s started, process %d", self.role, self.run.id, self.process.pid)
        return True

    def _wait_out(self, why: str) -> None:
        """Retry until it can be started, and log the reason once."""
        if self.shortage is None:
            log.warning("%s of %s cannot be started now (%s); retrying", self.role, self.run.id, why)
            self._shortage_delay = self._limits.first_restart_delay
        self.shortage = why
        self._done_state = None
        self._restart_after = time.monotonic() + self._shortage_delay
        self._shortage_delay = min(2 * self._shortage_delay, self._limits.max_shortage_delay)

    def _record_crash(self, why: str) -> None:
        self._done_state = None
        self._crashes += 1
        if self._crashes > self._limits.max_crashes:
            self._stay_stopped(why)
            log.error(
                "%s of %s crashed %d times and stays stopped: %s",
                self.role,
                self.run.id,
                self._crashes,
                why,
            )
        else:
            delay = self._limits.first_restart_delay * 2 ** (self._crashes - 1)
            self._restart_after = time.monotonic() + delay
            log.warning("%s of %s crashed (%s); restarting", self.role, self.run.id, why)

    def _stay_stopped(self, why: str) -> None:
        self.stop_reason, self._requests_mark = why, requests_mark(self.run)
