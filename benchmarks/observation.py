"""The cost of watching: steps a second observed and recorded, against the bare loop.

Interleaved in one process, in short blocks in turn, so that a busy machine slows all sides alike:

- bare: `train_step` and nothing else, no logging, no `.item()`
- ours: the same, observed and committed to a run folder, a viewer reading the file as it grows
- np.save: the same, and the whole matrix saved after each step
"""

from __future__ import annotations

import io
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.report import report
from lamplighter.model.batch_reader import BatchReader
from lamplighter.model.learner import build_learner
from lamplighter.model.observer import Observer
from lamplighter.model.step import train_step
from lamplighter.recipe import Recipe
from lamplighter.runfolder.run_store import RunStore
from lamplighter.runfolder.tables.steps import StepsWriter
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.training.corpus_setup import prepare_corpus
from lamplighter.training.recorder import TrainingRecorder
from lamplighter.training.trainer import synchronise

BLOCKS, STEPS, WARM = 24, 25, 30


class _TimedWriter(StepsWriter):
    """Keeps how long each commit took, in seconds."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.commits: list[float] = []

    def commit(self, record: object) -> None:
        begun = time.perf_counter()
        super().commit(record)  # pyright: ignore[reportArgumentType]
        self.commits.append(time.perf_counter() - begun)


@dataclass(frozen=True)
class Measured:
    """The time that each side took."""

    took: dict[str, NDArray[np.float64]]
    """Seconds of each block, by side."""
    steps: int
    """Steps in a block."""
    commits: NDArray[np.float64]
    """Milliseconds of each commit."""

    def rate(self, side: str) -> float:
        """Give the median of a side's steps a second."""
        return self.steps / float(np.median(self.took[side]))

    def share(self, side: str) -> float:
        """Give a side's steps a second as a share of the bare loop's, block by block."""
        return float(np.median(self.took["bare"] / self.took[side]))

    def facts(self) -> dict[str, float]:
        """Give what a line of the report says beside its value."""
        return {
            "bare_steps_per_second": self.rate("bare"),
            "observed_steps_per_second": self.rate("ours"),
            "np_save_steps_per_second": self.rate("save"),
            "commit_median_ms": float(np.median(self.commits)),
            "commit_p99_ms": float(np.percentile(self.commits, 99)),
        }


def main() -> bool:
    """Measure and print. Returns whether the goals are met."""
    recipe = Recipe()
    measured = measure(recipe, torch.device("cpu"))
    facts = measured.facts() | {"threads": recipe.threads}
    ours = measured.share("ours")
    met = report("observation", ours, "of the bare loop's steps/s", ">= 0.95", **facts)
    against = ours / measured.share("save")
    return report("observation_against_np_save", against, "of np.save's steps/s", ">= 1.0", **facts) and met


def measure(recipe: Recipe, device: torch.device, blocks: int = BLOCKS, steps: int = STEPS) -> Measured:
    """Train `recipe` on a device in three ways in turn, in so many blocks of so many steps each."""
    with tempfile.TemporaryDirectory() as folder:
        run = RunStore(Path(folder)).create(recipe)
        prepare_corpus(run)
        torch.set_num_threads(recipe.threads)
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
            synchronise(device)
            seconds, ended = time.perf_counter() - begun, time.time()
            recorder.record(observer.observe(step, host, result), 3e-3, ended, seconds)

        def save(step: int) -> None:
            train_step(learners["save"], *batches.batch(step)[1:])
            buffer = io.BytesIO()
            np.save(buffer, learners["save"].model.embedding.weight.detach().cpu().numpy())
            (Path(folder) / "matrix.npy").write_bytes(buffer.getvalue())

        sides = {"bare": bare, "ours": ours, "save": save}
        took: dict[str, list[float]] = {side: [] for side in sides}
        step = dict.fromkeys(sides, 0)
        for block in range(-1, blocks):
            # Whoever comes first in a block finds the caches cold: take turns.
            for side in np.roll(list(sides), block):
                begun = time.perf_counter()
                for _ in range(WARM if block < 0 else steps):
                    step[side] += 1
                    sides[side](step[side])
                synchronise(device)
                if block >= 0:
                    took[side].append(time.perf_counter() - begun)
        stop.set()
        follower.join()
        commits = np.array(writer.commits) * 1e3
        writer.close()
    return Measured({side: np.array(seconds) for side, seconds in took.items()}, steps, commits)


def _follow(path: Path, stop: threading.Event) -> None:
    """Read as the server does: poll every 5 ms, and read what is new."""
    with StepsReader(path) as reader:
        version, last = -1, 0
        while not stop.wait(0.005):
            if (now := reader.version()) != version:
                version = now
                for at, _ in reader.pulses(last + 1, last + 1_000):
                    last = at
