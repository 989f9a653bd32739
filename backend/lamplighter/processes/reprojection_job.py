"""The reprojection of a finished run in a child process."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from lamplighter.processes.child_job import ChildJob, ChildMessage
from lamplighter.processes.worker import ExitCode
from lamplighter.runfolder.errors import READ_ERRORS
from lamplighter.runfolder.role_lock import RoleLock, RoleTakenError
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.writing.whole_file import delete_unfinished

_PATIENCE = 10.0
"""Seconds for a cancelled child to remove its files."""


class ReprojectionFailedError(RuntimeError):
    """The maps of a run could not be laid out; the message says why. The run is unchanged."""


def reproject_in_child(
    folder: Path, progress: Callable[[float, str], None], slices: int | None = None
) -> None:
    """Lay out all steps of a finished run jointly, and wait for the result. Ctrl-C cancels it and leaves no files
    behind.

    Args:
        folder: the run's folder.
        progress: called in another thread with the share done, from 0 to 1, and a description.
        slices: how many steps to lay out at most; None: the worker's default.

    Raises:
        ReprojectionFailedError: it could not be done.
    """
    problems: list[str] = []
    codes: list[int] = []

    def on_message(message: ChildMessage) -> None:
        if message.problem is not None:
            problems.append(message.problem)
        if message.share is not None:
            progress(message.share, message.activity or "")

    command = [sys.executable, "-m", "lamplighter.projection.reprojection_worker", str(folder)]
    command += ["--slices", str(slices)] if slices else []
    try:
        job = ChildJob(command, on_message=on_message, on_end=codes.append, name="reprojection")
    except OSError as error:
        raise ReprojectionFailedError(f"the process cannot be started: {error.strerror or error}") from error
    try:
        job.join()
    except BaseException:
        job.cancel(_PATIENCE)
        clear_killed_reprojection(RunFolder(folder))
        raise
    if codes != [ExitCode.DONE]:
        raise ReprojectionFailedError(
            problems[-1]
            if problems
            else f"the process ended unexpectedly (exit code {codes[-1] if codes else '?'})"
        )


def clear_killed_reprojection(run: RunFolder) -> None:
    """Delete the partial file of a killed child, unless another process is laying out the run."""
    with suppress(RoleTakenError, *READ_ERRORS), RoleLock(run.path, "reprojector"):
        delete_unfinished(run.relayouts_path)
