"""Forks: how soon one begins after the request, and whether a control equals its parent bit for bit.

The parent is a copy of a finished run of Lamptown, and the fork is asked for by REST, as from the page.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file

from benchmarks.support.finished import finished_run
from benchmarks.support.report import report
from lamplighter.model.checkpoint import list_checkpoints
from lamplighter.runfolder.reading.matrix_history import MatrixHistory
from lamplighter.runfolder.reading.run_status import read_status
from lamplighter.runfolder.run_folder import RunFolder
from tests.support.application import Application
from tests.support.waiting import wait_until

COMPARED_STEPS = 200
KEPT_STEP, FAR_STEP = 750, 999
"""A step whose state is kept, and the one that needs the longest replay."""


def main() -> bool:
    """Measure and print. Returns whether the goals are met."""
    parent = finished_run()
    with tempfile.TemporaryDirectory(prefix="lamplighter-bench-") as folder:
        copied = RunFolder(Path(shutil.copytree(parent.path, Path(folder) / parent.id)))
        with Application(Path(folder), "serve", hold=30) as app:
            # The first fork of a server imports modules.
            near, fork = _time_fork(app, copied, KEPT_STEP)
            app.wait_until_over(fork, timeout=300)
            far, other = _time_fork(app, copied, FAR_STEP)
            price = app.get(f"/api/runs/{copied.id}/forks/{FAR_STEP}")
            app.wait_until_over(other, timeout=300)
        met = report(
            "fork_start",
            near,
            "s from the request to the first own step, where the state is kept",
            with_replay_seconds=far,
            replayed_steps=price["replay_steps"],
            told_beforehand_seconds=price["replay_seconds"],
        )
        differing, steps = _count_differences(copied, fork)
    return met & report(
        "fork_control", differing, "tensors and matrices of a control that differ", steps=steps
    )


def _time_fork(app: Application, parent: RunFolder, step: int) -> tuple[float, RunFolder]:
    """Return the seconds until a control has its first own step, and the control."""
    begun = time.perf_counter()
    made: dict[str, Any] = app.post(
        f"/api/runs/{parent.id}/forks", {"step": step, "steps": COMPARED_STEPS + 50}
    )
    fork = app.run(made["id"])
    wait_until(lambda: read_status(fork).step >= 1, "the first step of the fork", 60)
    return time.perf_counter() - begun, fork


def _count_differences(parent: RunFolder, fork: RunFolder) -> tuple[int, int]:
    """Return the matrices and tensors that differ in any bit, and the number of steps compared. At the last one, a kept
    state of both, the optimiser is compared too."""
    last = fork.recipe.steps
    with MatrixHistory(parent) as theirs, MatrixHistory(fork) as ours:
        differing = sum(
            not np.array_equal(ours.snapshot(step).vectors, theirs.snapshot(KEPT_STEP + step).vectors)
            for step in range(last + 1)
        )
    states = [_state_of(parent, KEPT_STEP + last), _state_of(fork, last)]
    if states[0].keys() != states[1].keys():
        raise AssertionError("the states have other tensors")
    differing += sum(not torch.equal(tensor, states[1][name]) for name, tensor in states[0].items())
    return differing, last


def _state_of(run: RunFolder, step: int) -> dict[str, torch.Tensor]:
    folders = run.checkpoints, run.waypoints
    path = next(file.path for folder in folders for file in list_checkpoints(folder) if file.step == step)
    return {name: tensor for name, tensor in load_file(path).items() if not name.startswith("observer.")}
