"""Runs beside one another: forks and the differences between two, two hundred in a folder, and a sweep."""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import tracemalloc
import urllib.request
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file

import lamplighter
from benchmarks.support.processes import timed
from benchmarks.support.report import report
from benchmarks.support.training import finished_run
from lamplighter.contract.recipe import Recipe
from lamplighter.differences.aligned_map import lay_out_like
from lamplighter.differences.rows import RowsDifference
from lamplighter.model.checkpoint import list_checkpoints
from lamplighter.processes.supervised_worker import worker_command
from lamplighter.runfolder.reading.matrix_history import MatrixHistory
from lamplighter.runfolder.reading.run_status import read_status
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_name import write_run_name
from lamplighter.runfolder.run_set import GridAxis
from lamplighter.runfolder.run_store import RunStore
from lamplighter.runfolder.writing.set_creation import create_set
from tests.support.application import Application
from tests.support.waiting import wait_until

COMPARED_STEPS = 200
LARGE = 50_000, 256
"""Words and width of the large runs that are compared."""
KEPT_STEP, FAR_STEP = 750, 999
"""A step whose state is kept, and the one that needs the longest replay."""


ALONE, IN_A_SET, TIMES = 150, 50, 21
STEPS, MEMBERS, CORES = 1_000, 10, 2
LISTS = ("", "?sort=loss", "?q=town&state=finished&sort=name", "?set=")


def measure_forks() -> None:
    """Measure how soon a fork begins, whether a control equals its parent bit for bit, and how soon a difference is there.

    The parent is a copy of a finished run of Lamptown, and the fork and the difference are asked for by REST, as from the page.
    """
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
            _time_difference(app, copied, fork)
        with tempfile.TemporaryDirectory(prefix="lamplighter-bench-") as large:
            _time_large_difference(Path(large))
        report(
            "fork_start",
            near,
            "s from the request to the first own step, where the state is kept",
            with_replay_seconds=far,
            replayed_steps=price["replay_steps"],
            told_beforehand_seconds=price["replay_seconds"],
        )
        differing, steps = _count_differences(copied, fork)
    report("fork_control", differing, "tensors and matrices of a control that differ", steps=steps)


def _time_fork(app: Application, parent: RunFolder, step: int) -> tuple[float, RunFolder]:
    """Return the seconds until a control has its first own step, and the control."""
    begun = time.perf_counter()
    made: dict[str, Any] = app.post(
        f"/api/runs/{parent.id}/forks", {"step": step, "steps": COMPARED_STEPS + 50}
    )
    fork = app.run(made["id"])
    wait_until(lambda: read_status(fork).step >= 1, "the first step of the fork", 60)
    return time.perf_counter() - begun, fork


def _time_difference(app: Application, parent: RunFolder, fork: RunFolder) -> None:
    """Measure the difference at steps that were not asked before, of runs that were."""
    tokens = len(parent.vocabulary)
    seconds = [_ask_difference(app, parent, fork.id, KEPT_STEP + 10 * number)[0] for number in range(16)]
    report(
        "difference_2400",
        1_000 * statistics.median(seconds[1:]),
        "ms for the difference at another step",
        tokens=tokens,
        first_ms=1_000 * seconds[0],
        slowest_ms=1_000 * max(seconds[1:]),
    )


def _time_large_difference(folder: Path) -> None:
    """Measure the first difference between two runs of 50,000 words, 256 wide, by a server that lays out no map of them
    at that time.
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
    report(
        "difference_50000",
        seconds,
        "s for the first difference",
        words_with_neighbours=found["words"]["asked"],
        again_ms=1_000 * min(warm),
    )
    rows = lamplighter.open(run.path).difference(folder / "other", 1).rows
    _time_aligned_map(rows, matrix)


def _time_aligned_map(rows: RowsDifference, vectors: NDArray[np.float32]) -> None:
    """Measure the layout of the other run that begins at one of the first, once the rows are compared."""
    layout = np.random.default_rng(0).standard_normal((len(vectors), 2), dtype=np.float32)
    _, seconds = timed(lambda: lay_out_like(layout, rows, vectors))
    tracemalloc.start()
    lay_out_like(layout, rows, vectors)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    report("aligned_map_50000", seconds, "s for the aligned map, after the difference", memory_mb=peak / 1e6)


def _ask_difference(
    app: Application, run: RunFolder, other: str, step: int, limit: int = 50
) -> tuple[float, dict[str, Any]]:
    """Return the seconds that a difference takes, and the difference."""
    path = f"/api/runs/{run.id}/difference?with={other}&step={step}&limit={limit}"
    found, seconds = timed(lambda: app.get(path))
    return seconds, found


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


def measure_sets() -> None:
    """Measure a folder of two hundred runs, and a sweep of ten, against ten times the processor time of one."""
    with tempfile.TemporaryDirectory(prefix="lamplighter-bench-") as folder:
        # A town that another benchmark made would be read from the cache.
        environment = os.environ | {"XDG_CACHE_HOME": f"{folder}/cache"}
        one, seconds = _train_one(Path(folder) / "one", environment)
        _list(one, Path(folder) / "many")
        _sweep(Path(folder) / "swept", seconds, environment)


def _train_one(runs: Path, environment: dict[str, str]) -> tuple[RunFolder, float]:
    """Train one member's recipe alone. Return the run, and the processor time of its trainer in seconds."""
    run = RunStore(runs).create(Recipe(steps=STEPS, seed=MEMBERS))
    process = subprocess.Popen(worker_command("trainer", run.path), env=environment)
    _, status, usage = os.wait4(process.pid, 0)
    assert status == 0
    return run, usage.ru_utime + usage.ru_stime


def _list(one: RunFolder, runs: Path) -> None:
    """List the runs again and again, in different orders."""
    store = RunStore(runs)
    members = create_set(store, Recipe(), [GridAxis(field="seed", values=list(range(IN_A_SET)))])
    folders = [members.path / member.run for member in members.facts.members]
    for path in (*folders, *(runs / f"2026-11-29-lamptown-{number:06x}" for number in range(ALONE))):
        _copy(one.path, path)
        write_run_name(path, f"Lamptown · {path.name[-6:]}")
    took: dict[str, list[float]] = {query: [] for query in LISTS}
    sizes: dict[str, int] = {}
    with Application(runs, "serve", "--no-workers") as application:
        # Until all routes are there.
        application.get(f"/api/runs/{folders[0].name}")
        for _ in range(TIMES):
            for query in LISTS:
                begun = time.perf_counter()
                with urllib.request.urlopen(f"{application.url}/api/runs{query}", timeout=30) as answer:
                    sizes[query] = len(answer.read())
                took[query].append(1e3 * (time.perf_counter() - begun))
        memory = psutil.Process(application.process.pid).memory_info().rss / 1e6
    median = {query or "all": float(np.median(times)) for query, times in took.items()}
    report(
        "runs_200",
        max(median.values()),
        "ms for a list of 200 runs over HTTP, the slowest of four lists, median",
        median_ms=median,
        first_ms=took[""][0],
        runs=ALONE + IN_A_SET,
        bytes=sizes[""],
    )
    report("runs_200_memory", memory, "MB of the server after its lists", runs=ALONE + IN_A_SET)


def _copy(source: Path, target: Path) -> None:
    """Make a run's folder of links to the files of another; only rewritten files are its own."""
    for folder, _, names in os.walk(source):
        into = target / Path(folder).relative_to(source)
        into.mkdir(exist_ok=True)
        for name in names:
            if not (into / name).exists() and not name.endswith((".lock", "name.txt")):
                os.link(Path(folder) / name, into / name)


def _sweep(runs: Path, alone: float, environment: dict[str, str]) -> None:
    """Sweep ten towns on two cores."""
    words = f"sweep lamptown --seed 0..{MEMBERS - 1} --set steps={STEPS} --jobs {CORES} --no-measures --json"
    command = [sys.executable, "-m", "lamplighter", "--runs", str(runs), *words.split()]
    begun = time.perf_counter()
    subprocess.run(command, check=True, env=environment, stdout=subprocess.DEVNULL)
    took = time.perf_counter() - begun
    floor = MEMBERS * alone / CORES
    report(
        "sweep",
        took / floor,
        "times ten times the processor time of one run on two cores: a sweep of ten towns of 1,000 steps",
        seconds=took,
        one_run_processor_seconds=alone,
        jobs=CORES,
    )
