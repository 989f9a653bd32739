"""A finished run for the benchmarks that read one, made by the real application once per process."""

from __future__ import annotations

import atexit
import functools
import os
import sys
import tempfile
import time
from pathlib import Path

from lamplighter.contract.recipe import Recipe
from lamplighter.runfolder.reading.matrix_history import MatrixHistory
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.writing.finalise import unsealed_roles
from tests.support.application import Application

STEPS = 5_000


@functools.cache
def finished_run() -> RunFolder:
    """Train the default recipe on Lamptown to its end, with all workers; about two minutes.

    If `LAMPLIGHTER_BENCH_RUN` names a run folder made earlier, returns that one.
    """
    if kept := os.environ.get("LAMPLIGHTER_BENCH_RUN"):
        return RunFolder(Path(kept).resolve())
    runs = tempfile.TemporaryDirectory(prefix="lamplighter-bench-")
    atexit.register(runs.cleanup)
    with Application(Path(runs.name), "serve") as app:
        return train(app, STEPS)


def train(app: Application, steps: int) -> RunFolder:
    """Train the default recipe on Lamptown for `steps` steps and wait until all work on it is done."""
    run = app.start_run(Recipe(steps=steps).model_dump(mode="json"))
    print(f"training {steps:,} steps", file=sys.stderr)
    app.wait_until_over(run, timeout=900)
    # After the last step the remaining rows are tiled, laid out, measured and compacted.
    deadline = time.monotonic() + 300
    while not settled(run):
        if time.monotonic() > deadline:
            raise AssertionError(f"the run did not settle:\n{app.log}")
        time.sleep(0.5)
    return run


def settled(run: RunFolder) -> bool:
    """Return whether no tiling or sealing is left to do on a finished run."""
    with MatrixHistory(run) as history:
        untiled = history.steps.has_rows()
    return not untiled and not unsealed_roles(run)
