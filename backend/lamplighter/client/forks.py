"""Forks of a run, made and trained from Python."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lamplighter.client.errors import InputError, TrainingError, require_whole_application
from lamplighter.runfolder.reading.run_status import read_status
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_set import folder_beside
from lamplighter.runfolder.run_store import RunStore


def fork_run(
    run: RunFolder,
    at: int,
    changes: Mapping[str, Any],
    steps: int | None,
    name: str | None,
    text: str | None,
    *,
    train: bool,
) -> Path:
    """Make a fork beside its parent, or beside the set that the parent is a member of, and train it if
    wanted. Return its folder."""
    with require_whole_application("fork"):
        from lamplighter.forks.creation import ForkRequest, create_fork
        from lamplighter.forks.errors import ForkError
    try:
        fork = create_fork(RunStore(folder_beside(run)), run, ForkRequest(at, changes, steps, name, text))
    except ForkError as error:
        raise InputError(str(error)) from error
    if train:
        code = subprocess.call([sys.executable, "-m", "lamplighter.training.worker", str(fork.path)])
        if code:
            raise TrainingError(f"{fork.id}: {read_status(fork).message or f'the trainer ended with {code}'}")
    return fork.path
