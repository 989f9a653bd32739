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

_PATIENCE = 2.0
"""Seconds for a cancelled child to remove its files, before they are removed for it."""
_SIGNAL_WAIT = 0.2
"""Maximum seconds until a signal is noticed."""


class ReprojectionFailedError(RuntimeError):
    """The maps of a run could not be laid out; the message says why. The run is unchanged."""


def reproject_in_child(
    folder: Path, progress: Callable[[float, str], None], slices: int | None = None
) -> str:
    """Lay out all steps of a finished run jointly, and wait for the result. Ctrl-C cancels it and leaves no files
    behind.

    Args:
        folder: the run's folder.
        progress: called in another thread with the share done, from 0 to 1, and a description.
        slices: how many steps to lay out at most; None: the worker's default.

    Returns:
        The result in words: how many steps were laid out, the time it took, and how accurate the maps are.

    Raises:
        ReprojectionFailedError: it could not be done.
    """
    problems: list[str] = []
    activities: list[str] = []
    codes: list[int] = []

    def on_message(message: ChildMessage) -> None:
        if message.problem is not None:
            problems.append(message.problem)
        if message.share is not None:
            activities[:] = [message.activity or ""]
            progress(message.share, activities[0])

    command = [sys.executable, "-m", "lamplighter.projection.reprojection_worker", str(folder)]
    command += ["--slices", str(slices)] if slices else []
    try:
        job = ChildJob(command, on_message=on_message, on_end=codes.append, name="reprojection")
    except OSError as error:
        raise ReprojectionFailedError(f"the process cannot be started: {error.strerror or error}") from error
    try:
        # A signal just before a wait without end would be noticed only after it.
        while not job.join(_SIGNAL_WAIT):
            pass
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
    return activities[-1] if activities else ""


def clear_killed_reprojection(run: RunFolder) -> None:
    """Delete the partial file of a killed child, unless another process is laying out the run."""
    with suppress(RoleTakenError, *READ_ERRORS), RoleLock(run.path, "reprojector"):
        delete_unfinished(run.relayouts_path)
