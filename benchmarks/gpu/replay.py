"""A run recomputed on the card and compared with the first, bit for bit.

On a processor they are equal, which `make soak` relies on. A card may add in a different order each time; then a killed
run continues as a new attempt, which is allowed. This shows for which card and optimiser that happens.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.gpu.cards import facts, optimisers
from benchmarks.support.report import report
from lamplighter.contract.recipe import Recipe
from lamplighter.runfolder.reading.matrix_history import MatrixHistory
from lamplighter.runfolder.reading.run_status import read_status
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_store import RunStore
from tests.support.runs import finish, kill, start_worker, wait_for_step

STEPS, KILL_AT = 400, 120
CADENCE = {"checkpoint_every": 50}
PATIENCE = 300
"""Seconds for one run, the start of the card and the corpus in it."""


def compare(device: torch.device) -> bool:
    """Train one recipe three times, once with a kill, and compare the others with the first."""
    for optimiser in optimisers(device):
        with tempfile.TemporaryDirectory() as folder:
            recipe = Recipe.model_validate(
                {"optimiser": {"kind": optimiser}, "cadence": CADENCE, "steps": STEPS, "device": device.type}
            )
            run_store = RunStore(Path(folder))
            first, again, killed = (run_store.create(recipe) for _ in range(3))
            for run in (first, again):
                finish(start_worker(run), PATIENCE)
            process = start_worker(killed)
            wait_for_step(killed, KILL_AT, PATIENCE)
            kill(process)
            killed_at = read_status(killed).step
            finish(start_worker(killed), PATIENCE)
            _report("gpu_replay", first, again, optimiser=optimiser, **facts(device))
            _report("gpu_resume", first, killed, killed_at=killed_at, optimiser=optimiser, **facts(device))
    return True


def _report(bench: str, first: RunFolder, run: RunFolder, **conditions: Any) -> None:
    status = read_status(run)
    if (status.phase, status.step) != ("finished", STEPS):
        raise RuntimeError(f"{run.id} is {status.phase} at step {status.step}: {status.message}")
    with MatrixHistory(first) as one, MatrixHistory(run) as other:
        digests, others = (history.steps.digests(1, STEPS) for history in (one, other))
        unlike = [step for step in range(1, STEPS + 1) if digests[step] != others[step]]
        off = np.abs(one.snapshot(STEPS).vectors - other.snapshot(STEPS).vectors)
        report(
            bench, 1 - len(unlike) / STEPS, "of the steps bit for bit the same",
            steps=STEPS, first_that_differs=unlike[0] if unlike else None,
            last_matrix_differs_at_most=float(off.max()), attempts=status.attempt,
            **conditions,
        )  # fmt: skip
