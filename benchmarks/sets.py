"""Two hundred runs in a folder: the time of their list and the server's memory; and a sweep of ten, against ten times the
processor time of one."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import numpy as np
import psutil

from benchmarks.support.report import report
from lamplighter.contract.recipe import Recipe
from lamplighter.processes.supervised_worker import worker_command
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_name import write_run_name
from lamplighter.runfolder.run_set import GridAxis
from lamplighter.runfolder.run_store import RunStore
from lamplighter.runfolder.writing.set_creation import create_set
from tests.support.application import Application

ALONE, IN_A_SET, TIMES = 150, 50, 21
STEPS, MEMBERS, CORES = 1_000, 10, 2
LISTS = ("", "?sort=loss", "?q=town&state=finished&sort=name", "?set=")


def main() -> bool:
    """Measure and print. Returns whether the goals are met."""
    with tempfile.TemporaryDirectory(prefix="lamplighter-bench-") as folder:
        # A town that another benchmark made would be read from the cache.
        environment = os.environ | {"XDG_CACHE_HOME": f"{folder}/cache"}
        one, seconds = _train_one(Path(folder) / "one", environment)
        met = _list(one, Path(folder) / "many")
        return _sweep(Path(folder) / "swept", seconds, environment) and met


def _train_one(runs: Path, environment: dict[str, str]) -> tuple[RunFolder, float]:
    """Train one member's recipe alone. Return the run, and the processor time of its trainer in seconds."""
    run = RunStore(runs).create(Recipe(steps=STEPS, seed=MEMBERS))
    process = subprocess.Popen(worker_command("trainer", run.path), env=environment)
    _, status, usage = os.wait4(process.pid, 0)
    assert status == 0
    return run, usage.ru_utime + usage.ru_stime


def _list(one: RunFolder, runs: Path) -> bool:
    """List the runs again and again, in different orders."""
    store = RunStore(runs)
    members = create_set(store, Recipe(), [GridAxis(field="seed", values=list(range(IN_A_SET)))])
    folders = [members.path / member.run for member in members.facts.members]
    for path in (*folders, *(runs / f"2026-11-29-lamptown-{number:06x}" for number in range(ALONE))):
        _copy(one.path, path)
        write_run_name(path, f"Lamptown · {path.name[-6:]}")
    took: dict[str, list[float]] = {query: [] for query in LISTS}
    with Application(runs, "serve", "--no-workers") as application:
        # Until all routes are there.
        application.get(f"/api/runs/{folders[0].name}")
        for number in range(TIMES):
            for query in LISTS:
                begun = time.perf_counter()
                with urllib.request.urlopen(f"{application.url}/api/runs{query}", timeout=30) as answer:
                    size = len(answer.read())
                took[query].append(1e3 * (time.perf_counter() - begun))
                if not number and not query:
                    first, listed = took[query][0], size
        memory = psutil.Process(application.process.pid).memory_info().rss / 1e6
    median = {query or "all": float(np.median(times)) for query, times in took.items()}
    runs_listed = ALONE + IN_A_SET
    met = report(
        "runs_200",
        max(median.values()),
        "ms for a list of 200 runs over HTTP, the slowest of four lists, median",
        median_ms=median,
        first_ms=first,
        runs=runs_listed,
        bytes=listed,
    )
    return report("runs_200_memory", memory, "MB of the server after its lists", runs=runs_listed) and met


def _copy(source: Path, target: Path) -> None:
    """Make a run's folder of links to the files of another; only rewritten files are its own."""
    for folder, _, names in os.walk(source):
        into = target / Path(folder).relative_to(source)
        into.mkdir(exist_ok=True)
        for name in names:
            if not (into / name).exists() and not name.endswith((".lock", "name.txt")):
                os.link(Path(folder) / name, into / name)


def _sweep(runs: Path, alone: float, environment: dict[str, str]) -> bool:
    """Sweep ten towns on two cores."""
    words = [
        "sweep",
        "lamptown",
        "--seed",
        f"0..{MEMBERS - 1}",
        "--set",
        f"steps={STEPS}",
        "--jobs",
        str(CORES),
    ]
    command = [sys.executable, "-m", "lamplighter", "--runs", str(runs), *words, "--no-measures", "--json"]
    begun = time.perf_counter()
    subprocess.run(command, check=True, env=environment, stdout=subprocess.DEVNULL)
    took = time.perf_counter() - begun
    floor = MEMBERS * alone / CORES
    return report(
        "sweep",
        took / floor,
        "times ten times the processor time of one run on two cores: a sweep of ten towns of 1,000 steps",
        seconds=took,
        one_run_processor_seconds=alone,
        jobs=CORES,
    )
