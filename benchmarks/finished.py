"""A finished run as the product makes it, for the benchmarks that read one: made once a process."""

from __future__ import annotations

import atexit
import functools
import os
import sys
import tempfile
import time
from pathlib import Path

from lamplighter.recipe import Recipe
from lamplighter.runfolder.reading.matrix_history import History
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.writing.finalise import left_open
from tests.application import Application

STEPS = 5_000


@functools.cache
def finished_run() -> RunFolder:
    """The default recipe's run on Lamptown, trained to its end beside server, projector and analyst; about two
    minutes. `LAMPLIGHTER_BENCH_RUN` names the folder of one made before.
    """
    if kept := os.environ.get("LAMPLIGHTER_BENCH_RUN"):
        return RunFolder(Path(kept).resolve())
    runs = tempfile.TemporaryDirectory(prefix="lamplighter-bench-")
    atexit.register(runs.cleanup)
    with Application(Path(runs.name), "serve") as app:
        return train(app, STEPS)


def train(app: Application, steps: int) -> RunFolder:
    """The default recipe's run on Lamptown of so many steps, when nothing is left to do to it."""
    run = app.start_run(Recipe(steps=steps).model_dump(mode="json"))
    print(f"training {steps:,} steps", file=sys.stderr)
    app.wait_until_over(run, timeout=900)
    # What is left over is tiled, laid out, measured and compacted after the last step.
    deadline = time.monotonic() + 300
    while not settled(run):
        if time.monotonic() > deadline:
            raise AssertionError(f"the run did not come to rest:\n{app.log}")
        time.sleep(0.5)
    return run


def settled(run: RunFolder) -> bool:
    """Whether nothing is left to do to a run that is over."""
    with History(run) as history:
        untiled = history.steps.has_rows()
    return not untiled and not left_open(run)
