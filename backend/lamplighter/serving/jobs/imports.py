"""Runs that the presenter sends as zips, one at a time: each is streamed to disk, then imported by a process of its own.

A zip lies in a preparation folder of the folder of runs, in use as long as its lock is held: it goes with its job, and that of a killed
server with the next start. Its name is not the client's.
"""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import IO, Literal

import anyio
import anyio.to_thread

from lamplighter.contract.sentences import say
from lamplighter.platform.private_modes import open_like_folder
from lamplighter.processes.child_job import ChildJob, ChildMessage
from lamplighter.runfolder.importing.run_checks import MAX_TOTAL_BYTES
from lamplighter.runfolder.preparation import preparation_folder
from lamplighter.runfolder.run_name import read_run_name
from lamplighter.runfolder.run_store import NoSuchRunError, RunStore
from lamplighter.runfolder.writing.free_space import spare_bytes
from lamplighter.serving.jobs.exports import stopping_error
from lamplighter.web.http.problems import RefusedError

log = logging.getLogger(__name__)

ImportState = Literal["receiving", "running", "done", "failed", "cancelled"]
ImportCommand = Callable[[Path, Path], list[str]]
"""A function that returns the command line for importing a zip, the second path, into a folder of runs."""

MAX_ZIP_BYTES = MAX_TOTAL_BYTES
"""Maximum bytes of a zip: a run that does not compress may be as large."""
_MAX_KEPT = 8
"""Number of jobs that are remembered; the oldest are forgotten first."""
_ZIP_NAME = "this file"
"""The name of a zip on the disk; sentences about a faulty one begin with it."""
_ZIP_BEGIN = b"PK\3\4"
_BLOCK = 1 << 20
_EXIT_SECONDS = 10.0
"""Seconds allowed for a killed process to exit."""
_CANCELLED, _NOT_RECEIVED = "this import was cancelled", "the file did not arrive whole; send it again"
_ID_TAKEN = "an import has had this id: send the file under another"
_MODULE = "lamplighter.exports.import_worker"


def import_worker_command(runs: Path, zip_path: Path) -> list[str]:
    return [sys.executable, "-m", _MODULE, str(runs), str(zip_path)]


@dataclass
class ImportJob:
    """An import, from the first byte of its zip."""

    id: str
    state: ImportState = "receiving"
    received: int = 0
    """Bytes of the zip that have arrived."""
    share: float = 0.0
    """Progress after the last of them, from 0 to 1."""
    run: str | None = None
    """The id of the new run, once there is one."""
    name: str | None = None
    """Its name, with a number if another run had it."""
    problem: str | None = None
    """The reason for a failure, in one sentence."""
    files: ExitStack = field(default_factory=ExitStack)
    """Removes what the job has on the disk when it is closed."""

    @property
    def over(self) -> bool:
        return self.state not in ("receiving", "running")


class ImportJobs:
    """The imports of one server. Methods that are no coroutines block briefly, so call them from a thread."""

    def __init__(self, run_store: RunStore, command: ImportCommand = import_worker_command) -> None:
        self._run_store, self._command = run_store, command
        self._lock = threading.Lock()
        self._jobs: dict[str, ImportJob] = {}
        self._child: ChildJob | None = None
        self._stopped = False

    async def receive(self, job_id: str, chunks: AsyncIterator[bytes], size: int | None) -> ImportJob:
        """Receive a zip, of `size` bytes if the sender tells it, and begin to import it. Nothing is kept after an
        error.

        Raises RefusedError: another is being imported, the id was used, or the job was cancelled (409); the zip
        is too large (413), or not a zip (422); the server is stopping (503); the disk is nearly full (507).
        Raises OSError if the disk is full, or no process can be started.
        """
        job = self._begin(job_id)
        try:
            if size is not None and size > MAX_ZIP_BYTES:
                raise _too_large_error()
            await anyio.to_thread.run_sync(self._require_room, size or 0)
            zip_path = await anyio.to_thread.run_sync(self._make_place, job)
            with await anyio.to_thread.run_sync(
                partial(open, zip_path, "wb", opener=open_like_folder)
            ) as file:
                await self._write(job, chunks, file)
            await anyio.to_thread.run_sync(self._start_child, job, zip_path)
        except BaseException as error:
            problem = _NOT_RECEIVED
            if isinstance(error, RefusedError):
                problem = error.detail
            elif isinstance(error, OSError) and not isinstance(error, ConnectionError):
                problem = f"the file cannot be imported: {error.strerror or type(error).__name__}"
            with anyio.CancelScope(shield=True):
                await anyio.to_thread.run_sync(self._end, job, "failed", problem)
            raise
        return job

    @property
    def importing(self) -> bool:
        """Return whether a run is being received or imported."""
        return any(not job.over for job in list(self._jobs.values()))

    def find_job(self, job_id: str) -> ImportJob:
        """Return an import. Raises RefusedError (404)."""
        with self._lock:
            if job := self._jobs.get(job_id):
                return job
        raise RefusedError(404, "that import does not exist or was forgotten; send the file again")

    def cancel_import(self, job: ImportJob) -> None:
        """Cancel an import. Does nothing to one that is over.

        Its process is gone when this returns. A zip that is still being received is removed when its next bytes come, or its
        sender is cut off for sending too slowly.
        """
        with self._lock:
            child = self._child if job.state == "running" else None
            if not job.over:
                job.state = "cancelled"
        if child is not None:
            child.kill()
            child.join(_EXIT_SECONDS)

    def stop(self) -> None:
        """Cancel the running import and refuse new ones. Safe to call again."""
        self._stopped = True
        for job in list(self._jobs.values()):
            self.cancel_import(job)

    def _begin(self, job_id: str) -> ImportJob:
        with self._lock:
            if self._stopped:
                raise stopping_error()
            if self.importing:
                raise RefusedError(409, say("import_under_way"))
            if job_id in self._jobs:
                raise RefusedError(409, _ID_TAKEN)
            while len(self._jobs) >= _MAX_KEPT:
                del self._jobs[next(iter(self._jobs))]
            job = self._jobs[job_id] = ImportJob(job_id)
        return job

    def _require_room(self, more: int) -> None:
        if spare_bytes(self._run_store.path) < more:
            raise RefusedError(507, say("disk_nearly_full"))

    def _make_place(self, job: ImportJob) -> Path:
        return job.files.enter_context(preparation_folder(self._run_store.path, "importing")) / _ZIP_NAME

    async def _write(self, job: ImportJob, chunks: AsyncIterator[bytes], file: IO[bytes]) -> None:
        """Write chunks to a file in blocks; refuse them as soon as they are no zip, too many, or unwanted."""
        begin, block = b"", bytearray()

        def flush() -> None:
            self._require_room(len(block))
            file.write(block)
            block.clear()

        async for chunk in chunks:
            job.received += len(chunk)
            begin += chunk[: len(_ZIP_BEGIN) - len(begin)]
            if not _ZIP_BEGIN.startswith(begin):
                raise RefusedError(422, say("import_no_zip"))
            if job.received > MAX_ZIP_BYTES:
                raise _too_large_error()
            if job.over:
                raise RefusedError(409, _CANCELLED)
            block += chunk
            if len(block) >= _BLOCK:
                await anyio.to_thread.run_sync(flush)
        if begin != _ZIP_BEGIN:
            raise RefusedError(422, say("import_no_zip"))
        await anyio.to_thread.run_sync(flush)

    def _start_child(self, job: ImportJob, zip_path: Path) -> None:
        with self._lock:
            if job.over:
                raise RefusedError(409, _CANCELLED)
            # This thread holds the lock, so no message is handled before the job counts as running.
            self._child = ChildJob(
                self._command(self._run_store.path, zip_path),
                on_message=partial(self._handle_message, job),
                on_end=partial(self._handle_end, job),
                name="import",
            )
            job.state = "running"

    def _handle_message(self, job: ImportJob, message: ChildMessage) -> None:
        with self._lock:
            job.problem = message.problem or job.problem
            if message.share == 1:
                job.run = message.activity
            elif message.share is not None:
                job.share = max(job.share, message.share)

    def _handle_end(self, job: ImportJob, code: int) -> None:
        # What a killed process leaves behind has a free lock. Of our own lock that would wait.
        job.files.close()
        self._run_store.clear_leftovers()
        try:
            name = read_run_name(self._run_store.find(job.run or ""))
        except NoSuchRunError:
            job.run = name = None
        if job.run is not None and code == 0:
            job.name, job.share = name, 1.0
            self._end(job, "done", None)
            return
        log.warning("an import ended with %d: %s", code, job.problem)
        self._end(job, "failed", job.problem or say("import_ended", number=code))

    def _end(self, job: ImportJob, state: ImportState, problem: str | None) -> None:
        """End a job and remove its files. One that was cancelled stays so, unless its run is there."""
        job.files.close()
        with self._lock:
            if job.state != "cancelled" or state == "done":
                job.state, job.problem = state, problem


def _too_large_error() -> RefusedError:
    return RefusedError(413, say("import_too_large", gigabytes=MAX_ZIP_BYTES / 1e9))
