"""The list of runs, of a folder that holds many: the processor time and the wall time of `GET /api/runs` for the presenter, for a
viewer whom the texts are withheld from, and of the presenter's `/healthz` while a viewer asks for texts. Loopback only."""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import psutil

from benchmarks.report import report
from lamplighter.runfolder.run_store import RunStore
from tests.application import Application
from tests.class_client import CLASSROOM, ClassClient
from tests.unit.serving.folders import finished_run, layout, write_layouts

RUNS, TIMES, ASKING, SETTLING = 200, 15, 8, 3


def main() -> bool:
    """Measure and print. Returns whether the goals are met."""
    with tempfile.TemporaryDirectory(prefix="lamplighter-bench-") as folder:
        run = finished_run(Path(folder))
        write_layouts(run, layout(1, 0), layout(1, 35))
        for number in range(RUNS - 1):
            shutil.copytree(run.path, run.path.with_name(f"{run.id}-{number}"), copy_function=os.link)
        with Application(Path(folder), "serve", "--no-workers", *CLASSROOM) as application:
            # What has changed within the last two seconds is read each time.
            time.sleep(SETTLING)
            return _measure(application, RunStore(Path(folder)).runs()[0].id)


def _measure(application: Application, run: str) -> bool:
    server = psutil.Process(application.process.pid)
    viewer = ClassClient(application)
    viewer.join()
    first = _ask(server, 1, lambda: application.get("/api/runs"))
    presenter = _ask(server, TIMES, lambda: application.get("/api/runs"))
    seen = _ask(server, TIMES, lambda: viewer.get("/api/runs"))
    alone = _ask(server, TIMES, lambda: application.get("/healthz"))
    beside = _beside(server, application, viewer, f"/api/runs/{run}/examinations")
    met = report(
        "run_list",
        presenter["wall_ms"],
        f"ms for the presenter's list of {RUNS} runs, median",
        processor_seconds=presenter["processor_seconds"],
        first=first,
    )
    met = (
        report(
            "run_list_viewer",
            seen["processor_seconds"],
            f"s of the server's processor for a viewer's list of {RUNS} runs, mean",
            wall_ms=seen["wall_ms"],
        )
        and met
    )
    return (
        report(
            "run_list_beside",
            beside["wall_ms"],
            f"ms for the presenter's /healthz beside {ASKING} connections that ask for a text, median",
            alone_ms=alone["wall_ms"],
            slowest_ms=beside["slowest_ms"],
        )
        and met
    )


def _beside(
    server: psutil.Process, application: Application, viewer: ClassClient, path: str
) -> dict[str, float]:
    """Ask for the health while one viewer's connections ask for something without a pause."""
    stopped = threading.Event()

    def ask() -> None:
        while not stopped.is_set():
            viewer.ask("GET", path)

    threads = [threading.Thread(target=ask) for _ in range(ASKING)]
    for thread in threads:
        thread.start()
    try:
        return _ask(server, TIMES, lambda: application.get("/healthz"))
    finally:
        stopped.set()
        for thread in threads:
            thread.join()


def _ask(server: psutil.Process, times: int, ask: Callable[[], object]) -> dict[str, float]:
    """Ask one after another. Returns the server's processor seconds for each, and the wall time."""
    before, wall = server.cpu_times(), list[float]()
    for _ in range(times):
        begun = time.perf_counter()
        ask()
        wall.append(1e3 * (time.perf_counter() - begun))
    after = server.cpu_times()
    spent = after.user + after.system - before.user - before.system
    return {
        "processor_seconds": spent / times,
        "wall_ms": float(np.median(wall)),
        "slowest_ms": max(wall),
    }
