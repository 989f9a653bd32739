"""Forks: how soon one begins after the request, whether a control equals its parent bit for bit, and how soon the
difference between two runs is there.

The parent is a copy of a finished run of Lamptown, and the fork and the difference are asked for by REST, as from the page.
"""

from __future__ import annotations

import shutil
import statistics
import tempfile
import time
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file

import lamplighter
from benchmarks.support.finished import finished_run
from benchmarks.support.report import report
from lamplighter.differences.aligned_map import lay_out_like
from lamplighter.differences.rows import RowsDifference
from lamplighter.model.checkpoint import list_checkpoints
from lamplighter.runfolder.reading.matrix_history import MatrixHistory
from lamplighter.runfolder.reading.run_status import read_status
from lamplighter.runfolder.run_folder import RunFolder
from tests.support.application import Application
from tests.support.waiting import wait_until

COMPARED_STEPS = 200
LARGE = 50_000, 256
"""Words and width of the large runs that are compared."""
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
            met = _time_difference(app, copied, fork)
        with tempfile.TemporaryDirectory(prefix="lamplighter-bench-") as large:
            met &= _time_large_difference(Path(large))
        met &= report(
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


def _time_difference(app: Application, parent: RunFolder, fork: RunFolder) -> bool:
    """Measure the difference at steps that were not asked before, of runs that were. Returns whether the goal is met."""
    tokens = len(parent.vocabulary)
    seconds = [_ask_difference(app, parent, fork.id, KEPT_STEP + 10 * number)[0] for number in range(16)]
    return report(
        "difference_2400",
        1_000 * statistics.median(seconds[1:]),
        "ms for the difference at another step",
        tokens=tokens,
        first_ms=1_000 * seconds[0],
        slowest_ms=1_000 * max(seconds[1:]),
    )


def _time_large_difference(folder: Path) -> bool:
    """Measure the first difference between two runs of 50,000 words, 256 wide, by a server that lays out no map of them
    at that time. Returns whether the goal is met.
    """
    words = [f"word{number}" for number in range(LARGE[0])]
    matrix = np.random.default_rng(0).standard_normal(LARGE, dtype=np.float32)
    for name, share in (("large", 0.0), ("other", 0.5)):
        later = matrix + np.float32(share) * matrix[::-1]
        with lamplighter.record(folder / name, words, embedding=matrix, on_error="raise") as recorder:
            recorder.step(later, np.arange(8), 1.0)
    run = RunFolder(folder / "large")
    with Application(folder, "serve", "--no-workers") as app:
        # As the page does first. It waits for the modules of the routes, which `cold_start_routes` measures.
        app.get("/api/runs")
        seconds, found = _ask_difference(app, run, "other", 1)
        warm = [_ask_difference(app, run, "other", 1, limit)[0] for limit in (10, 20, 30)]
    met = report(
        "difference_50000",
        seconds,
        "s for the first difference",
        words_with_neighbours=found["words"]["asked"],
        again_ms=1_000 * min(warm),
    )
    rows = lamplighter.open(run.path).difference(folder / "other", 1).rows
    return met & _time_aligned_map(rows, matrix)


def _time_aligned_map(rows: RowsDifference, vectors: NDArray[np.float32]) -> bool:
    """Measure the layout of the other run that begins at one of the first, once the rows are compared. Returns whether
    the goal is met."""
    layout = np.random.default_rng(0).standard_normal((len(vectors), 2), dtype=np.float32)
    begun = time.perf_counter()
    lay_out_like(layout, rows, vectors)
    seconds = time.perf_counter() - begun
    tracemalloc.start()
    lay_out_like(layout, rows, vectors)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return report(
        "aligned_map_50000", seconds, "s for the aligned map, after the difference", memory_mb=peak / 1e6
    )


def _ask_difference(
    app: Application, run: RunFolder, other: str, step: int, limit: int = 50
) -> tuple[float, dict[str, Any]]:
    """Return the seconds that a difference takes, and the difference."""
    begun = time.perf_counter()
    found = app.get(f"/api/runs/{run.id}/difference?with={other}&step={step}&limit={limit}")
    return time.perf_counter() - begun, found


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
