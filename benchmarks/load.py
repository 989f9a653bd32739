"""Training speed under load, against the bare loop on a quiet machine.

The load is server, projector, analyst and ten viewers on the same cores. The two sides alternate in blocks:
the run is paused while the bare loop is measured, then it resumes and its own record gives its speed.
"""

from __future__ import annotations

import contextlib
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

from benchmarks.support.report import report
from lamplighter.model.batch_reader import BatchReader
from lamplighter.model.learner import build_learner
from lamplighter.model.step import train_step
from lamplighter.runfolder.reading.run_status import read_status
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.layouts import LayoutsReader
from tests.support.application import Application, Viewer
from tests.support.runs import wait_for_step
from tests.support.waiting import wait_until

ROUNDS, BARE_STEPS, SECONDS, VIEWERS = 4, 150, 6.0, 10


def main() -> bool:
    """Measure and print. Returns whether the goal is met."""
    bare: list[float] = []
    loaded: list[float] = []
    with tempfile.TemporaryDirectory() as folder, Application(Path(folder)) as application:
        run = application.only_run()
        # UMAP's first layout compiles code; that is start-up, not the steady state measured here.
        wait_for_step(run, 600, 120)
        with contextlib.ExitStack() as stack:
            for _ in range(VIEWERS):
                stack.enter_context(Viewer(application, run.id))
            for _ in range(ROUNDS):
                application.ask(run, "pause")
                wait_until(lambda: read_status(run).phase == "paused", "pause")
                _wait_for_quiet(run)
                bare.append(_bare(run))
                application.ask(run, "resume")
                time.sleep(1)
                begun, first = time.monotonic(), read_status(run).step
                time.sleep(SECONDS)
                loaded.append((read_status(run).step - first) / (time.monotonic() - begun))
        application.ask(run, "stop")
        application.wait_until_over(run)
    ratio = float(np.median(np.array(loaded) / np.array(bare)))
    return report(
        "load",
        ratio,
        "of the bare loop's steps/s",
        bare_steps_per_second=float(np.median(bare)),
        loaded_steps_per_second=float(np.median(loaded)),
        viewers=VIEWERS,
    )


def _wait_for_quiet(run: RunFolder) -> None:
    """Wait until the map has settled: no new layout for three seconds."""
    newest, since = -1, time.monotonic()
    while time.monotonic() - since < 3:
        with LayoutsReader(run.layouts_path) as layouts:
            entries = layouts.layout_entries(max(newest, 0))
        if entries:
            newest, since = entries[-1].id, time.monotonic()
        time.sleep(0.2)


def _bare(run: RunFolder) -> float:
    torch.set_num_threads(run.recipe.threads)
    device = torch.device("cpu")
    learner = build_learner(run.recipe, len(run.vocabulary), device)
    batches = BatchReader(run.recipe, run.token_ids, device)
    begun = 0.0
    for step in range(1, BARE_STEPS + 31):
        if step == 31:
            begun = time.monotonic()
        train_step(learner, *batches.batch(step)[1:])
    return BARE_STEPS / (time.monotonic() - begun)
