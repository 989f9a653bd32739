"""Jobs in a child process, whose messages the thread that waits for them handles: the reprojection of a finished run, and
the weights of a model, since only a child may import torch.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from queue import SimpleQueue
from typing import IO

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file

from lamplighter.processes.child_job import ChildJob, ChildMessage
from lamplighter.processes.worker import ExitCode
from lamplighter.runfolder.errors import READ_ERRORS
from lamplighter.runfolder.role_lock import RoleLock, RoleTakenError
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.writing.finalise import delete_unfinished

_POLL_SECONDS = 0.05


def _go_on() -> None:
    pass


class AwaitedJob:
    """A child process that does one job for the thread that waits for it."""

    def __init__(self, command: list[str], *, log: IO[bytes] | None = None, name: str = "job") -> None:
        """Start the child; the arguments are those of `ChildJob`. Raises OSError if it cannot be started."""
        self.problem: str | None = None
        """The last reason for a failure that the child sent, in one sentence."""
        self._messages: SimpleQueue[ChildMessage] = SimpleQueue()
        self._codes: list[int] = []
        self._child = ChildJob(
            command, on_message=self._messages.put, on_end=self._codes.append, log=log, name=name
        )

    def wait_for_end(
        self,
        on_message: Callable[[ChildMessage], None],
        check: Callable[[], None] = _go_on,
        patience: float = 0.0,
    ) -> int:
        """Wait for the end of the child, calling `on_message` with each message and `check` twenty times a
        second; return its exit code. If one of them raises an error, the child is ended first: it has
        `patience` seconds to clean up before it is killed.
        """
        try:
            ended = False
            while not ended:
                ended = self._child.join(_POLL_SECONDS)
                while not self._messages.empty():
                    message = self._messages.get()
                    self.problem = message.problem or self.problem
                    on_message(message)
                check()
        except BaseException:
            self._child.cancel(patience)
            raise
        return self._codes[0]


class NoWeightsError(RuntimeError):
    """An error for a model that cannot be brought to a step; the message says why, in one sentence."""


def compute_model_weights(
    run: RunFolder, step: int, scratch: Path, progress: Callable[[float, str], None]
) -> dict[str, NDArray[np.float32]]:
    """Return the parameters of a run's model after `step` by name, with the bits of the record where they are
    recomputed on the machine that trained it; the recipe and waypoints are read, never the run's own code.
    `scratch`: a file that does not exist, made and removed. `progress`: called with the share done and a
    description; an error in it ends the child. Raises NoWeightsError if the step cannot be computed.
    """

    def on_message(message: ChildMessage) -> None:
        if message.share is not None:
            progress(message.share, message.activity or "")

    command = [sys.executable, "-m", "lamplighter.examination.model_worker"]
    command += [str(run.path), str(step), str(scratch)]
    try:
        job = AwaitedJob(command, name="model")
        code = job.wait_for_end(on_message)
        if code != ExitCode.DONE:
            raise NoWeightsError(job.problem or f"the process ended unexpectedly (exit code {code})")
        return load_file(scratch)
    except OSError as error:
        raise NoWeightsError(f"the process cannot be started: {error.strerror or error}") from error
    finally:
        scratch.unlink(missing_ok=True)


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
