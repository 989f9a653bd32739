"""The reprojection of a finished run in a child process."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from lamplighter.processes.awaited_job import AwaitedJob
from lamplighter.processes.child_job import ChildMessage
from lamplighter.processes.worker import ExitCode
from lamplighter.runfolder.errors import READ_ERRORS
from lamplighter.runfolder.role_lock import RoleLock, RoleTakenError
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.writing.finalise import delete_unfinished

_PATIENCE = 2.0
"""Seconds for a cancelled child to remove its files, before they are removed for it."""


class ReprojectionFailedError(RuntimeError):
    """The maps of a run could not be laid out; the message says why. The run is unchanged."""


def reproject_in_child(
    folder: Path, progress: Callable[[float, str], None], slices: int | None = None
) -> str:
    """Lay out all steps of a finished run jointly, or `slices` of them, and return the result in words.
    Ctrl-C cancels it and leaves no files behind. `progress`: called with the share done, from 0 to 1, and
    a description. Raises ReprojectionFailedError if it could not be done.
    """
    activity = ""

    def on_message(message: ChildMessage) -> None:
        nonlocal activity
        if message.share is not None:
            activity = message.activity or ""
            progress(message.share, activity)

    command = [sys.executable, "-m", "lamplighter.projection.reprojection_worker", str(folder)]
    command += ["--slices", str(slices)] if slices else []
    try:
        # Ctrl-C may come as soon as the process has started.
        job = _start(command)
        code = job.wait_for_end(on_message, patience=_PATIENCE)
    except ReprojectionFailedError:
        raise
    except BaseException:
        run = RunFolder(folder)
        # Unless another process is laying out the run.
        with suppress(RoleTakenError, *READ_ERRORS), RoleLock(run.path, "reprojector"):
            delete_unfinished(run.relayouts_path)
        raise
    if code != ExitCode.DONE:
        raise ReprojectionFailedError(job.problem or f"the process ended unexpectedly (exit code {code})")
    return activity


def _start(command: list[str]) -> AwaitedJob:
    try:
        return AwaitedJob(command, name="reprojection")
    except OSError as error:
        raise ReprojectionFailedError(f"the process cannot be started: {error.strerror or error}") from error
