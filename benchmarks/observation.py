"""Cost of observing: steps a second observed and recorded, against the bare loop.

The sides alternate in one process, in short blocks, so that a busy machine slows all of them alike:

- bare: `train_step` and nothing else, no logging, no `.item()`
- ours: the same, observed and committed to a run folder, while a viewer reads the growing file
- np.save: the same, and the whole matrix saved after each step
"""

from __future__ import annotations

import io
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import torch

from benchmarks.report import report
from lamplighter.model.batch_reader import BatchReader
from lamplighter.model.learner import build_learner
from lamplighter.model.observer import Observer
from lamplighter.model.step import train_step
from lamplighter.recipe import Recipe
from lamplighter.runfolder.run_store import RunStore
from lamplighter.runfolder.tables.steps import StepsReader, StepsWriter
from lamplighter.training.corpus_setup import prepare_corpus
from lamplighter.training.recorder import TrainingRecorder

BLOCKS, STEPS, WARM = 24, 25, 30


class _TimedWriter(StepsWriter):
    """A steps writer that keeps the duration of each commit, in seconds."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.commits: list[float] = []

    def commit(self, record: object) -> None:
        begun = time.perf_counter()
        super().commit(record)  # pyright: ignore[reportArgumentType]
        self.commits.append(time.perf_counter() - begun)


def main() -> bool:
    """Measure and print. Returns whether the goals are met."""
    with tempfile.TemporaryDirectory() as folder:
        recipe = Recipe()
        run = RunStore(Path(folder)).create(recipe)
        prepare_corpus(run)
        torch.set_num_threads(recipe.threads)
        device = torch.device("cpu")
        batches = BatchReader(recipe, run.token_ids, device)
        learners = {
            side: build_learner(recipe, len(run.vocabulary), device) for side in ("bare", "ours", "save")
        }
        writer = _TimedWriter(run.steps_path)
        writer.start_attempt(0)
        observer = Observer(learners["ours"], recipe.cadence.verify_every)
        recorder = TrainingRecorder(run, writer, observer)
        recorder.record_start()
        stop = threading.Event()
        follower = threading.Thread(target=_follow, args=(run.steps_path, stop))
        follower.start()

        def bare(step: int) -> None:
            train_step(learners["bare"], *batches.batch(step)[1:])

        def ours(step: int) -> None:
            host, ids, targets = batches.batch(step)
            begun = time.perf_counter()
            result = train_step(learners["ours"], ids, targets)
            seconds, ended = time.perf_counter() - begun, time.time()
            recorder.record(observer.observe(step, host, result), 3e-3, ended, seconds)

        def save(step: int) -> None:
            train_step(learners["save"], *batches.batch(step)[1:])
            buffer = io.BytesIO()
            np.save(buffer, learners["save"].model.embedding.weight.detach().numpy())
            (Path(folder) / "matrix.npy").write_bytes(buffer.getvalue())

        sides = {"bare": bare, "ours": ours, "save": save}
        took: dict[str, list[float]] = {side: [] for side in sides}
        step = dict.fromkeys(sides, 0)
        for block in range(-1, BLOCKS):
            # The first side of a block finds cold caches, so rotate the order.
            for side in np.roll(list(sides), block):
                begun = time.perf_counter()
                for _ in range(WARM if block < 0 else STEPS):
                    step[side] += 1
                    sides[side](step[side])
                if block >= 0:
                    took[side].append(time.perf_counter() - begun)
        stop.set()
        follower.join()
        commits = np.array(writer.commits) * 1e3
        writer.close()
    rate = {side: STEPS / float(np.median(seconds)) for side, seconds in took.items()}
    ratio = float(np.median(np.array(took["bare"]) / np.array(took["ours"])))
    saving = float(np.median(np.array(took["bare"]) / np.array(took["save"])))
    facts = {
        "bare_steps_per_second": rate["bare"],
        "observed_steps_per_second": rate["ours"],
        "np_save_steps_per_second": rate["save"],
        "commit_median_ms": float(np.median(commits)),
        "commit_p99_ms": float(np.percentile(commits, 99)),
        "threads": 1,
    }
    met = report("observation", ratio, "of the bare loop's steps/s", ">= 0.95", **facts)
    return (
        report("observation_against_np_save", ratio / saving, "of np.save's steps/s", ">= 1.0", **facts)
        and met
    )


def _follow(path: Path, stop: threading.Event) -> None:
    """Read new steps as the server does: check every 5 ms whether the file changed."""
    with StepsReader(path) as reader:
        version, last = -1, 0
        while not stop.wait(0.005):
            if (now := reader.version()) != version:
                version = now
                for at, _ in reader.pulses(last + 1, last + 1_000):
                    last = at
