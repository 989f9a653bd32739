"""Trainings: the bare steps of a recipe, a whole run in this process, or one of the real application."""

from __future__ import annotations

import atexit
import functools
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from numpy.typing import NDArray

from lamplighter.contract.recipe import Recipe
from lamplighter.model.batch_reader import BatchReader
from lamplighter.model.learner import build_learner
from lamplighter.model.step import train_step
from lamplighter.runfolder.reading.matrix_history import MatrixHistory
from lamplighter.runfolder.reading.run_status import read_status
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_store import RunStore
from lamplighter.runfolder.writing.finalise import unsealed_roles
from lamplighter.training.corpus_setup import prepare_corpus
from lamplighter.training.worker import train
from lamplighter.wire.vocabulary import Vocabulary
from tests.support.application import Application

CPU = torch.device("cpu")
STEPS = 5_000
"""The steps of a finished run."""


class BareTraining:
    """The steps of a recipe and nothing beside them. The numbers are those of a run of the recipe, bit for bit."""

    def __init__(
        self, recipe: Recipe, token_ids: NDArray[Any], vocabulary: Vocabulary, device: torch.device = CPU
    ) -> None:
        """Build the model of a text, with the threads of the recipe."""
        torch.set_num_threads(recipe.threads)
        self.learner = build_learner(recipe, len(vocabulary), device, vocabulary.counts)
        self.batches = BatchReader(recipe, token_ids, device)
        self.step = 0

    def train(self, steps: int = 1) -> None:
        """Train some steps."""
        for _ in range(steps):
            self.step += 1
            train_step(self.learner, *self.batches.batch(self.step)[1:])


@contextmanager
def trained(recipe: Recipe) -> Generator[tuple[RunFolder, float]]:
    """Train a run to its end in a temporary folder. Yields it, and the processor seconds that the training took."""
    with tempfile.TemporaryDirectory(prefix="lamplighter-bench-") as folder:
        run = RunStore(Path(folder)).create(recipe)
        begun = time.process_time()
        train(run)
        yield run, time.process_time() - begun


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
        return train_by(app, STEPS)


@contextmanager
def unasked_run() -> Generator[RunFolder]:
    """Copy the finished run, without the answers of the examiner, into a temporary folder."""
    run, answers = finished_run(), shutil.ignore_patterns("examinations.sqlite*", "requests-*")
    with tempfile.TemporaryDirectory(prefix="lamplighter-bench-") as folder:
        yield RunFolder(Path(shutil.copytree(run.path, Path(folder) / run.id, ignore=answers)))


@contextmanager
def prepared(recipe: Recipe, text: str | None = None) -> Generator[RunFolder]:
    """Create a run in a temporary folder, with its corpus, that nobody trains."""
    with tempfile.TemporaryDirectory(prefix="lamplighter-bench-") as folder:
        run = RunStore(Path(folder)).create(recipe, text)
        prepare_corpus(run)
        yield run


def pace_of(run: RunFolder, seconds: float) -> float:
    """Return the speed of a run in training over a few seconds, in steps a second."""
    begun, first = time.monotonic(), read_status(run).step
    time.sleep(seconds)
    return (read_status(run).step - first) / (time.monotonic() - begun)


def train_by(app: Application, steps: int) -> RunFolder:
    """Train the default recipe on Lamptown for `steps` steps and wait until all work on it is done."""
    run = app.start_run(Recipe(steps=steps).model_dump(mode="json"))
    print(f"training {steps:,} steps", file=sys.stderr)
    app.wait_until_over(run, timeout=900)
    # After the last step the remaining rows are tiled, laid out, measured and compacted.
    deadline = time.monotonic() + 300
    while not _is_settled(run):
        if time.monotonic() > deadline:
            raise AssertionError(f"the run did not settle:\n{app.log}")
        time.sleep(0.5)
    return run


def _is_settled(run: RunFolder) -> bool:
    """Return whether no tiling or sealing is left to do on a finished run."""
    with MatrixHistory(run) as history:
        untiled = history.steps.has_rows()
    return not untiled and not unsealed_roles(run)
