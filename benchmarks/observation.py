"""The cost of watching: steps a second of the trainer, against the bare loop.

Interleaved in one process, in short blocks in turn, so that a busy machine slows all sides alike:

- bare: `train_step` and nothing else, no logging, no `.item()`
- ours: the real trainer with all its work: it observes and commits steps, measures the loss on held-out text, generates
lines, writes checkpoints and waypoints, measures energy and reads requests; a viewer reads the growing file
- np.save: the bare loop, and the whole matrix saved after each step

Work that is done every 100 or 250 steps is in few of the blocks, so the shares are computed over all blocks.
"""

from __future__ import annotations

import io
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.support.report import report
from lamplighter.contract.recipe import Recipe
from lamplighter.model.batch_reader import BatchReader
from lamplighter.model.learner import Learner, build_learner, choose_device
from lamplighter.model.step import train_step
from lamplighter.runfolder.run_store import RunStore
from lamplighter.runfolder.tables.steps import StepsWriter
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.training.control import StopFlag
from lamplighter.training.corpus_setup import prepare_corpus
from lamplighter.training.trained_model import synchronise
from lamplighter.training.trainer import Progress, Trainer

BLOCKS, STEPS, WARM = 40, 25, 30


class _TimedWriter(StepsWriter):
    """A writer that records the duration of each commit, in seconds."""

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
    spent: dict[str, float]
    """Seconds of processor time of the training thread, by side."""
    steps: int
    """Steps in a block."""
    commits: NDArray[np.float64]
    """Milliseconds of each commit."""

    def rate(self, side: str) -> float:
        """Return a side's steps a second."""
        return self.steps / float(self.took[side].mean())

    def share(self, side: str) -> float:
        """Return a side's steps a second as a share of the bare loop's."""
        return float(self.took["bare"].sum() / self.took[side].sum())

    def facts(self) -> dict[str, float | int]:
        """Return the facts of a report line besides its value."""
        return {
            "bare_steps_per_second": self.rate("bare"),
            "observed_steps_per_second": self.rate("ours"),
            "np_save_steps_per_second": self.rate("save"),
            "share_in_the_median_block": float(np.median(self.took["bare"] / self.took["ours"])),
            "share_by_processor_time": self.spent["bare"] / self.spent["ours"],
            "commit_median_ms": float(np.median(self.commits)),
            "commit_p99_ms": float(np.percentile(self.commits, 99)),
            "steps": self.steps * len(self.took["ours"]),
        }


def main() -> bool:
    """Measure and print. Returns whether the goals are met."""
    recipe = Recipe()
    measured = measure(recipe)
    facts = measured.facts() | {"threads": recipe.threads}
    ours = measured.share("ours")
    met = report("observation", ours, "of the bare loop's steps/s", **facts)
    against = ours / measured.share("save")
    return report("observation_against_np_save", against, "of np.save's steps/s", **facts) and met


class _Blocks:
    """The blocks of all sides: when the trainer's progress ends its block, the other sides run theirs."""

    def __init__(self, others: dict[str, Callable[[int], None]], steps: int, device: torch.device) -> None:
        self.took: dict[str, list[float]] = {side: [] for side in (*others, "ours")}
        self.spent = dict.fromkeys(self.took, 0.0)
        self._others, self._steps, self._device = others, steps, device
        self._step = dict.fromkeys(others, 0)
        self._begun = 0.0, 0.0

    def take_turns(self, progress: Progress) -> None:
        """End the trainer's block if it is over: time the others' blocks, and start its next."""
        if (progress.step - WARM) % self._steps or progress.step < WARM:
            return
        block = (progress.step - WARM) // self._steps
        if block:
            self._end("ours")
        # The first side finds the caches cold, so they take turns.
        for side in np.roll(list(self._others), block):
            self._begin()
            for _ in range(self._steps if block else WARM):
                self._step[side] += 1
                self._others[side](self._step[side])
            synchronise(self._device)
            if block:
                self._end(side)
        self._begin()

    def _begin(self) -> None:
        self._begun = time.perf_counter(), time.thread_time()

    def _end(self, side: str) -> None:
        self.took[side].append(time.perf_counter() - self._begun[0])
        self.spent[side] += time.thread_time() - self._begun[1]


def measure(recipe: Recipe, blocks: int = BLOCKS, steps: int = STEPS) -> Measured:
    """Train `recipe` in three ways in turn, in a number of blocks with a number of steps each."""
    with tempfile.TemporaryDirectory() as folder:
        run = RunStore(Path(folder)).create(recipe.model_copy(update={"steps": WARM + blocks * steps}))
        prepare_corpus(run)
        torch.set_num_threads(recipe.threads)
        device = choose_device(recipe)
        batches = BatchReader(recipe, run.token_ids, device)
        plain, saved = (build_learner(recipe, len(run.vocabulary), device) for _ in range(2))

        def train(learner: Learner, step: int) -> None:
            train_step(learner, *batches.batch(step)[1:])

        def bare(step: int) -> None:
            train(plain, step)

        def save(step: int) -> None:
            train(saved, step)
            buffer = io.BytesIO()
            np.save(buffer, saved.model.embedding.weight.detach().cpu().numpy())
            (Path(folder) / "matrix.npy").write_bytes(buffer.getvalue())

        sides = _Blocks({"bare": bare, "save": save}, steps, device)
        writer = _TimedWriter(run.steps_path)
        trainer = Trainer(run, writer, StopFlag(), sides.take_turns)
        stop = threading.Event()
        follower = threading.Thread(target=_follow, args=(run.steps_path, stop))
        follower.start()
        try:
            trainer.run()
        finally:
            stop.set()
            follower.join()
            trainer.close()
            writer.close()
    took = {side: np.array(seconds) for side, seconds in sides.took.items()}
    return Measured(took, sides.spent, steps, 1e3 * np.array(writer.commits))


def _follow(path: Path, stop: threading.Event) -> None:
    """Read like the server: poll every 5 ms, and read new data."""
    with StepsReader(path) as reader:
        version, last = -1, 0
        while not stop.wait(0.005):
            if (now := reader.version()) != version:
                version = now
                for at, _ in reader.pulses(last + 1, last + 1_000):
                    last = at
