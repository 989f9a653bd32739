"""The trainings of a sweep as jobs of Slurm, through `submitit` (the extra `slurm`)."""

from __future__ import annotations

import importlib
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from lamplighter.processes.supervised_worker import worker_command
from lamplighter.processes.sweep import SweptMember
from lamplighter.runfolder.run_set import RunSet

SLURM_FOLDER = ".slurm"
"""The folder, in that of the set, of the scripts and the logs of its jobs."""
_OPTION = re.compile(r"([a-z][a-z0-9_]{0,63})=(.{1,200})")


class TrainMember:
    """The work of a job: the trainer of one member, in a process of its own. `submitit` pickles it."""

    def __call__(self, run: str) -> int:
        """Train the run in the folder `run`. Return the exit code of its trainer."""
        return subprocess.call(worker_command("trainer", Path(run)))

    def checkpoint(self, run: str) -> Any:
        """Return the job to submit again after a preemption: the trainer goes on from its last checkpoint."""
        return require_submitit().helpers.DelayedSubmission(self, run)


def require_submitit() -> Any:
    """Return the module `submitit`.

    Raises:
        ClickException: it is not installed.
    """
    try:
        return importlib.import_module("submitit")
    except ImportError as error:
        raise click.ClickException(
            "--slurm needs the package submitit: pip install lamplighter[slurm]"
        ) from error


def submit_members(
    run_set: RunSet,
    members: Sequence[SweptMember],
    at_once: int,
    options: Sequence[str],
    cluster: str = "slurm",
) -> list[Any]:
    """Submit a job for each member that is not over, as one array of which so many run at a time.

    Args:
        run_set: the set.
        members: its members.
        at_once: jobs at a time.
        options: what a job asks for, as NAME=VALUE with the names of `submitit`.
        cluster: the kind of cluster; `local` for processes of this machine.

    Returns:
        The jobs, as `submitit` has them.

    Raises:
        ClickException: `submitit` or Slurm is not here, or an option is not known.
    """
    parameters: dict[str, Any] = {
        "name": f"lamplighter {run_set.id}",
        "cpus_per_task": run_set.facts.recipe.threads,
        "slurm_array_parallelism": at_once,
    }
    for option in options:
        if (found := _OPTION.fullmatch(option)) is None:
            raise click.UsageError(f"--slurm-option {option[:80]!r}: write it as NAME=VALUE")
        parameters[found[1]] = int(found[2]) if found[2].isdecimal() else found[2]
    submitit = require_submitit()
    try:
        executor = submitit.AutoExecutor(run_set.path / SLURM_FOLDER, cluster=cluster)
        executor.update_parameters(**parameters)
        waiting = [str(one.run.path.resolve()) for one in members if not one.over]
        return list(executor.map_array(TrainMember(), waiting)) if waiting else []
    except (
        RuntimeError,
        NameError,
        AssertionError,
        TypeError,
        OSError,
        submitit.core.utils.FailedJobError,
    ) as error:
        raise click.ClickException(f"no job can be submitted: {error}") from error
