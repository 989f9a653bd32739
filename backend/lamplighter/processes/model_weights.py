"""The weights of a run's model after a step, computed in a child process, because only that may import torch."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file

from lamplighter.processes.awaited_job import AwaitedJob
from lamplighter.processes.child_job import ChildMessage
from lamplighter.processes.worker import ExitCode
from lamplighter.runfolder.run_folder import RunFolder


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
