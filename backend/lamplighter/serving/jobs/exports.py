"""Export jobs that clients request from this server: each runs in its own process, and its file is kept for a
while.

A job's id is opaque and looked up; no path is built from client input. The files are in a folder of this server below
the folder of runs (`.exports/<server>`), readable only by its user. A lock in it shows that the server is running; the
next server removes the files of a killed one.
"""

from __future__ import annotations

import logging
import os
import secrets
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Literal

from lamplighter.contract.reason import Reason, give_reason
from lamplighter.contract.sentences import say
from lamplighter.exports.export import FORMATS
from lamplighter.platform.private_modes import make_private_folder, open_like_folder
from lamplighter.processes.child_job import ChildJob, ChildMessage
from lamplighter.processes.log_file import last_line
from lamplighter.runfolder.errors import READ_ERRORS
from lamplighter.runfolder.role_lock import RoleLock, RoleState, RoleTakenError, role_state
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.serving.schemas.exports import FormatName
from lamplighter.web.http.problems import RefusedError

ExportState = Literal["running", "done", "failed", "cancelled"]
ExportCommand = Callable[[RunFolder, str, int | None, Path], list[str]]
"""A function that returns the command line for exporting a run, in a format, at a step, to a file."""

_MODULE = "lamplighter.exports.worker"


def export_worker_command(
    run: RunFolder, format: str, step: int | None, out: Path, lessons: Path | None = None
) -> list[str]:
    """Return the command line of an export's process. `lessons`: a folder of texts that replace or add parts of
    the page's course.
    """
    options = [] if step is None else ["--step", str(step)]
    if lessons is not None and format == "html":
        options.append(f"--lessons={lessons}")
    return [sys.executable, "-m", _MODULE, str(run.path), format, str(out), *options]


@dataclass
class ExportJob:
    """An export, running or finished."""

    run: RunFolder
    format: FormatName
    step: int | None
    """None: the newest exactly kept step, or every step in formats that hold all."""
    folder: Path
    """The job's folder, removed when the job no longer has a file."""
    id: str = field(default_factory=lambda: secrets.token_hex(12))
    created: float = field(default_factory=time.time)
    """Unix seconds."""
    state: ExportState = "running"
    progress: float = 0.0
    """Progress, from 0 to 1."""
    activity: str = "starting"
    bytes: int = 0
    """Bytes written so far; the size of the file once the job is done."""
    problem: str | None = None
    """The reason for a failure, in one sentence."""
    left_out: list[str] = field(default_factory=list[str])

    @property
    def name(self) -> str:
        step_suffix = "" if self.step is None else f"-step-{self.step}"
        return f"{self.run.id}{step_suffix}{FORMATS[self.format].suffix}"

    @property
    def file(self) -> Path:
        return self.folder / self.name

    def bytes_on_disk(self) -> int:
        """Return the bytes in the job's folder, which may be growing."""
        size = 0
        # Files may disappear during the walk; `os.walk` skips those.
        for folder, _, names in os.walk(self.folder):
            for name in names:
                with suppress(OSError):
                    size += os.path.getsize(os.path.join(folder, name))
        return size

    def start(
        self,
        command: ExportCommand,
        on_message: Callable[[ChildMessage], None],
        on_end: Callable[[int], None],
    ) -> ChildJob:
        """Start the process, with standard error written to a log file in the job's folder. Raises OSError."""
        with open(self._log_path, "wb", opener=open_like_folder) as log_file:
            return ChildJob(
                command(self.run, self.format, self.step, self.file),
                on_message=on_message,
                on_end=on_end,
                log=log_file,
                name="export",
            )

    def record_exit(self, code: int) -> None:
        """Record how the process ended, unless the job already ended for another reason; remove an incomplete
        file.
        """
        if self.state == "running" and code == 0 and self.file.is_file():
            self.bytes = self.file.stat().st_size
            self.state, self.progress, self.activity = "done", 1.0, ""
            self._log_path.unlink(missing_ok=True)
            return
        if self.state == "running":
            log.warning(
                "export %s of %s ended with %d: %s", self.format, self.run.id, code, last_line(self._log_path)
            )
            self.state = "failed"
            killed = code < 0
            self.problem = (
                say("export_killed", signal=_signal_name(code))
                if killed
                else say("export_ended", number=code)
            )
        self.bytes, self.activity = 0, ""
        self.remove_files()

    def remove_files(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def _log_path(self) -> Path:
        return self.folder / "log"


def _signal_name(code: int) -> str:
    with suppress(ValueError):
        return signal.Signals(-code).name
    return f"signal {-code}"


log = logging.getLogger(__name__)

_ROLE = "exporter"
_CLEANUP_ROLE = "clearing"
_MAX_NOTES = 10
_EXIT_SECONDS = 10.0
"""Seconds allowed for a killed process to exit."""
_ERRORS = (*READ_ERRORS, RoleTakenError)


@dataclass(frozen=True)
class ExportLimits:
    """Limits on the number and the size of exports."""

    max_running: int = 2
    """Maximum number of running jobs."""
    max_finished: int = 12
    """Maximum number of finished jobs remembered, also failed ones; the oldest are dropped first."""
    bytes: int = 8_000_000_000
    """Total size of all files, including those being written; the oldest finished ones are dropped first."""
    reserved_bytes: int = 400_000_000
    """Bytes of free disk space reserved for training."""
    max_reserved_share: float = 0.1
    """Upper limit of that reserve as a share of the file system, for small file systems."""


class ExportJobs:
    """The export jobs of one server; only the newest few are kept. Every method blocks briefly, so call it from a
    thread.
    """

    def __init__(
        self,
        folder: Path,
        server: str,
        limits: ExportLimits | None = None,
        command: ExportCommand = export_worker_command,
    ) -> None:
        """Keep exports below `folder`, which is created on first use and shared by all servers of one folder of
        runs. `server`: the name of this one.
        """
        self._root = folder
        self._folder = folder / server
        self._limits = limits or ExportLimits()
        self._command = command
        self._lock = threading.Lock()
        self._server_lock: RoleLock | None = None
        self._stopped = False
        self._jobs: dict[str, ExportJob] = {}
        self._running: dict[str, ChildJob] = {}

    def start(self) -> None:
        """Remove the files of killed servers. Never raises, because a server works without exports."""
        try:
            if self._root.is_dir():
                with RoleLock(self._root, _CLEANUP_ROLE):
                    self._clear()
        except _ERRORS as error:
            log.warning("could not remove the exports of an earlier server: %s", error)

    def stop(self) -> None:
        """Cancel running exports and delete finished ones, which do not outlive their server. Safe to call again."""
        with self._lock:
            self._stopped = True
            for job_id in self._running:
                self._end_job(self._jobs[job_id], "cancelled")
            ending = list(self._running.values())
        for child in ending:
            child.join(_EXIT_SECONDS)
        with self._lock:
            self._jobs.clear()
            if self._server_lock is not None:
                self._server_lock.close()
                self._server_lock = None
                shutil.rmtree(self._folder, ignore_errors=True)

    def submit(self, run: RunFolder, format: FormatName, step: int | None) -> ExportJob:
        """Start an export in one of `FORMATS`. Raises RefusedError: the server is stopping (503), too many exports
        are running (409), or the disk has no room (507).
        """
        with self._lock:
            if self._stopped:
                raise stopping_error()
            if len(self._running) >= self._limits.max_running:
                few = self._limits.max_running
                raise RefusedError(
                    409,
                    f"{few} exports are being made, the maximum; cancel one, or wait until one is done",
                    reason=give_reason("too_many_exports", most=few),
                )
            job = ExportJob(run, format, step, self._folder / secrets.token_hex(8))
            try:
                self._claim_folder()
                if self._disk_nearly_full():
                    raise RefusedError(507, say("disk_nearly_full"))
                make_private_folder(job.folder)
                # This thread holds the lock, so no message is handled before the job is registered.
                child = job.start(
                    self._command, partial(self._handle_message, job), partial(self._handle_end, job)
                )
            except _ERRORS as error:
                job.remove_files()
                why = getattr(error, "strerror", None) or error
                raise RefusedError(507, say("export_not_started", error=str(why))) from error
            self._jobs[job.id] = job
            self._running[job.id] = child
            self._discard_old()
        return job

    @property
    def at_work(self) -> bool:
        return bool(self._running)

    def for_run(self, run: RunFolder) -> list[ExportJob]:
        with self._lock:
            return [job for job in reversed(self._jobs.values()) if job.run.id == run.id]

    def find_job(self, run: RunFolder, job_id: str) -> ExportJob:
        """Return an export of a run. Raises RefusedError (404)."""
        with self._lock:
            job = self._jobs.get(job_id)
        if job is None or job.run.id != run.id:
            raise RefusedError(
                404, "that export does not exist or was removed; make it again", reason=Reason("export_gone")
            )
        return job

    def delete(self, job: ExportJob) -> None:
        """Cancel a running export, or forget a finished one, and delete its file."""
        with self._lock:
            if job.id not in self._running:
                self._discard(job)
                return
            self._end_job(job, "cancelled")
            child = self._running[job.id]
        child.join(_EXIT_SECONDS)

    def _claim_folder(self) -> None:
        """Create this server's folder and hold a lock in it, which marks it as in use."""
        if self._server_lock is not None:
            return
        make_private_folder(self._root, exist_ok=True)
        # Under this lock no other server can remove our folder before it has its own lock.
        with RoleLock(self._root, _CLEANUP_ROLE):
            self._clear()
            make_private_folder(self._folder)
            self._server_lock = RoleLock(self._folder, _ROLE)

    def _clear(self) -> None:
        for folder in self._root.iterdir():
            # A folder whose lock cannot be read may belong to a running server.
            if folder.is_dir() and not folder.is_symlink() and role_state(folder, _ROLE) is RoleState.FREE:
                shutil.rmtree(folder, ignore_errors=True)

    def _handle_end(self, job: ExportJob, code: int) -> None:
        with self._lock:
            del self._running[job.id]
            job.record_exit(code)
            self._discard_old()

    def _handle_message(self, job: ExportJob, message: ChildMessage) -> None:
        size, crowded = job.bytes_on_disk(), self._disk_nearly_full()
        with self._lock:
            if job.state != "running":
                return
            job.bytes = size
            if message.problem is not None:
                self._end_job(job, "failed", message.problem)
            elif message.left_out is not None:
                job.left_out = [*job.left_out, message.left_out][:_MAX_NOTES]
            elif message.share is not None:
                # Progress never decreases, and reaches 1 only once the file is in its place.
                job.progress = max(job.progress, min(0.99, message.share))
                job.activity = message.activity or ""
            self._discard_old()
            if crowded:
                self._end_job(job, "failed", say("disk_nearly_full"))
            if job.state == "running" and self._bytes() > self._limits.bytes:
                command = f"lamplighter export {job.run.id} --to {job.format}"
                problem = say("export_too_large", gigabytes=self._limits.bytes / 1e9, command=command)
                self._end_job(job, "failed", problem)

    def _end_job(self, job: ExportJob, state: ExportState, problem: str | None = None) -> None:
        """End a running job now. Its thread notices the end of the process and cleans up."""
        if job.state != "running":
            return
        job.state, job.problem = state, problem
        self._running[job.id].kill()

    def _discard_old(self) -> None:
        over = [job for job in self._jobs.values() if job.id not in self._running]
        for job in over:
            # The run of this job was moved to the trash.
            if not job.run.path.exists():
                self._discard(job)
        over = [job for job in over if job.id in self._jobs]
        while len(over) > self._limits.max_finished:
            self._discard(over.pop(0))
        with_file = [job for job in over if job.bytes]
        while with_file and self._bytes() > self._limits.bytes:
            self._discard(with_file.pop(0))

    def _discard(self, job: ExportJob) -> None:
        self._jobs.pop(job.id, None)
        job.remove_files()

    def _disk_nearly_full(self) -> bool:
        usage = shutil.disk_usage(self._folder)
        return usage.free < min(self._limits.reserved_bytes, self._limits.max_reserved_share * usage.total)

    def _bytes(self) -> int:
        return sum(job.bytes for job in self._jobs.values())


def stopping_error() -> RefusedError:
    return RefusedError(
        503, "the server is stopping; try again after its restart", reason=Reason("server_stopping")
    )
