"""Export jobs that clients request from this server: each runs in its own process, and its file is kept for a
while.

A job's id is opaque and looked up; no path is built from client input. The files are in a folder of this
server below the folder of runs (`.exports/<server>`), readable by its user only. A lock in it shows that the
server is running; the next server removes what a killed one left behind.
"""

from __future__ import annotations

import json
import logging
import secrets
import shutil
import subprocess
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lamplighter.runfolder.errors import READ_ERRORS
from lamplighter.runfolder.role_lock import RoleLock, RoleTakenError, is_held
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.serving.http.problems import Refused
from lamplighter.serving.jobs.export_job import Command, Job, State, export_command

log = logging.getLogger(__name__)

_ROLE = "exporter"
_CLEARING = "clearing"
_LONGEST_LINE = 64 * 1024
_LONGEST_NOTE = 500
_MOST_NOTES = 10
_PATIENCE = 10.0
"""Seconds allowed for a killed process to exit."""
_TROUBLE = (*READ_ERRORS, RoleTakenError)
_CROWDED = "the disk is nearly full, and what is left is for those who train; make room, and make it again"


@dataclass(frozen=True)
class Bounds:
    """Limits on the number and the size of exports."""

    at_once: int = 2
    """Jobs that may run at a time."""
    kept: int = 12
    """Finished jobs to remember, whatever their outcome; the oldest are dropped first."""
    bytes: int = 8_000_000_000
    """Total size of all files, including those being written; the oldest finished ones are dropped first."""
    spare: int = 400_000_000
    """Bytes of free disk space reserved for training."""
    spare_share: float = 0.1
    """Upper limit of that reserve as a share of the file system, for small file systems."""


class Exporter:
    """The export jobs of one server, of which the newest few are kept. Every method blocks briefly, so call
    it from a thread."""

    def __init__(
        self, folder: Path, server: str, bounds: Bounds | None = None, command: Command = export_command
    ) -> None:
        """Keep exports below `folder`, which is created when it is first needed.

        Args:
            folder: shared by all servers of one folder of runs.
            server: the name of this server.
            bounds: limits on the number and the size of exports.
            command: builds the command line of an export's process.
        """
        self._root = folder
        self._folder = folder / server
        self._bounds = bounds or Bounds()
        self._command = command
        self._lock = threading.Lock()
        self._presence: RoleLock | None = None
        self._stopped = False
        self._jobs: dict[str, Job] = {}
        self._at_work: dict[str, tuple[subprocess.Popen[bytes], threading.Thread]] = {}

    def start(self) -> None:
        """Remove what killed servers left behind. Never raises, because a server can do without exports."""
        try:
            if self._root.is_dir():
                with RoleLock(self._root, _CLEARING):
                    self._clear()
        except _TROUBLE as error:
            log.warning("the exports of an earlier server could not be cleared away: %s", error)

    def stop(self) -> None:
        """Cancel running exports and delete finished ones, which do not outlive their server. Safe to call
        again."""
        with self._lock:
            self._stopped = True
            for job_id in self._at_work:
                self._end(self._jobs[job_id], "cancelled")
            waiting = [thread for _, thread in self._at_work.values()]
        for thread in waiting:
            thread.join(_PATIENCE)
        with self._lock:
            self._jobs.clear()
            if self._presence is not None:
                self._presence.close()
                self._presence = None
                shutil.rmtree(self._folder, ignore_errors=True)

    def make(self, run: RunFolder, format: str, step: int | None) -> Job:
        """Start an export in one of `FORMATS`.

        Raises:
            Refused: the server is stopping (503), too many exports are running (409), or the disk has no room
                (507).
        """
        with self._lock:
            if self._stopped:
                raise Refused(503, "the server is ending; ask again when it is back")
            if len(self._at_work) >= self._bounds.at_once:
                few = self._bounds.at_once
                raise Refused(
                    409,
                    f"{few} exports are being made and no more at a time; cancel one, or wait until one is done",
                )
            job = Job(run, format, step, self._folder / secrets.token_hex(8))
            try:
                self._settle()
                if self._crowded():
                    raise Refused(507, _CROWDED)
                job.folder.mkdir(mode=0o700)
                process = job.begin(self._command)
            except _TROUBLE as error:
                job.remove()
                why = getattr(error, "strerror", None) or error
                raise Refused(
                    507, f"no export can be begun: {why}; see that there is room on the disk"
                ) from error
            self._jobs[job.id] = job
            thread = threading.Thread(target=self._follow, args=(job, process), name="export", daemon=True)
            self._at_work[job.id] = process, thread
            thread.start()
            self._discard_old()
        return job

    def of(self, run: RunFolder) -> list[Job]:
        """Return the exports of a run, newest first."""
        with self._lock:
            return [job for job in reversed(self._jobs.values()) if job.run.id == run.id]

    def find(self, run: RunFolder, job_id: str) -> Job:
        """Return an export of a run.

        Raises:
            Refused: the run has no export with that id, or no longer (404).
        """
        with self._lock:
            job = self._jobs.get(job_id)
        if job is None or job.run.id != run.id:
            raise Refused(404, "that export is not here (any more); make it again")
        return job

    def drop(self, job: Job) -> None:
        """Cancel a running export, or forget a finished one. Its file has been deleted when this returns."""
        with self._lock:
            if job.id not in self._at_work:
                self._discard(job)
                return
            self._end(job, "cancelled")
            _, thread = self._at_work[job.id]
        thread.join(_PATIENCE)

    def _settle(self) -> None:
        """Create this server's folder and hold a lock in it, which shows other servers that it is in use."""
        if self._presence is not None:
            return
        self._root.mkdir(mode=0o700, exist_ok=True)
        # Under this lock no other server can remove our folder before it has its own lock.
        with RoleLock(self._root, _CLEARING):
            self._clear()
            self._folder.mkdir(mode=0o700)
            self._presence = RoleLock(self._folder, _ROLE)

    def _clear(self) -> None:
        for folder in self._root.iterdir():
            if folder.is_dir() and not folder.is_symlink() and not is_held(folder, _ROLE):
                shutil.rmtree(folder, ignore_errors=True)

    def _follow(self, job: Job, process: subprocess.Popen[bytes]) -> None:
        """Follow one process to its end, in a thread of its own."""
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            with process.stdin, process.stdout:
                while line := process.stdout.readline(_LONGEST_LINE):
                    self._hear(job, line)
                process.wait()
        finally:
            # Even if reading its output failed, leave no process behind and no job running for ever.
            process.kill()
            code = process.wait()
            self._done_with(job, code)

    def _done_with(self, job: Job, code: int) -> None:
        with self._lock:
            del self._at_work[job.id]
            job.end(code)
            self._discard_old()

    def _hear(self, job: Job, line: bytes) -> None:
        try:
            said: dict[str, Any] = dict(json.loads(line))
            share = float(said.get("share", 0.0))
        except (ValueError, TypeError):
            return
        size, crowded = job.size(), self._crowded()
        with self._lock:
            if job.state != "running":
                return
            job.bytes = size
            if "problem" in said:
                self._end(job, "failed", str(said["problem"])[:_LONGEST_NOTE])
            elif "left_out" in said:
                job.left_out = [*job.left_out, str(said["left_out"])[:_LONGEST_NOTE]][:_MOST_NOTES]
            elif "share" in said:
                # Progress never decreases, and reaches 1 only once the file is in its place.
                job.share = max(job.share, min(0.99, share))
                job.what = str(said.get("what", ""))[:_LONGEST_NOTE]
            self._discard_old()
            if crowded:
                self._end(job, "failed", _CROWDED)
            if job.state == "running" and self._bytes() > self._bounds.bytes:
                allowed = self._bounds.bytes / 1e9
                problem = f"exports may take {allowed:.3g} GB together, and this one takes more; use: lamplighter export"
                self._end(job, "failed", f"{problem} {job.run.id} --to {job.format}")

    def _end(self, job: Job, state: State, problem: str | None = None) -> None:
        """End a running job now. Its thread notices the end of the process and cleans up."""
        if job.state != "running":
            return
        job.state, job.problem = state, problem
        process, _ = self._at_work[job.id]
        process.kill()

    def _discard_old(self) -> None:
        over = [job for job in self._jobs.values() if job.id not in self._at_work]
        for job in over:
            # The run of this job was moved to the trash.
            if not job.run.path.exists():
                self._discard(job)
        over = [job for job in over if job.id in self._jobs]
        while len(over) > self._bounds.kept:
            self._discard(over.pop(0))
        held = [job for job in over if job.bytes]
        while held and self._bytes() > self._bounds.bytes:
            self._discard(held.pop(0))

    def _discard(self, job: Job) -> None:
        self._jobs.pop(job.id, None)
        job.remove()

    def _crowded(self) -> bool:
        usage = shutil.disk_usage(self._folder)
        return usage.free < min(self._bounds.spare, self._bounds.spare_share * usage.total)

    def _bytes(self) -> int:
        return sum(job.bytes for job in self._jobs.values())
