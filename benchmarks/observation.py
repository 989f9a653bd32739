"""The cost of watching: steps a second of the trainer, against the bare loop; and the cost of recording alone.

Interleaved in one process, in short blocks in turn, so that a busy machine slows all sides alike:

- bare: `train_step` and nothing else, no logging, no `.item()`
- ours: the real trainer with all its work: it observes and commits steps, measures the loss on held-out text, generates
lines, writes checkpoints and waypoints, measures energy and reads requests; a viewer reads the growing file
- np.save: the bare loop, and the whole matrix saved after each step

Work that is done every 100 or 250 steps is in few of the blocks, so the shares are computed over all blocks.
"""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

import lamplighter
from benchmarks.support.report import report
from benchmarks.support.server import serving
from benchmarks.support.training import BareTraining, prepared
from lamplighter.contract.recipe import Recipe
from lamplighter.model.held_out import HeldOutLoss
from lamplighter.model.learner import choose_device
from lamplighter.model.observer import Observer
from lamplighter.model.step import train_step
from lamplighter.runfolder.reading.matrix_history import MatrixHistory
from lamplighter.runfolder.role_lock import RoleLock
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_store import RunStore
from lamplighter.runfolder.tables.steps import StepsWriter
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.runfolder.writing.step_commit import MeasuredStep, StepCommitter
from lamplighter.training.control import StopFlag
from lamplighter.training.corpus_setup import prepare_corpus
from lamplighter.training.trained_model import synchronise
from lamplighter.training.trainer import Progress, Trainer
from tests.support.application import Application

BLOCKS, STEPS, WARM = 40, 25, 30
RECORDED, RECORDING_WARM = 1_500, 50


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


def main() -> None:
    """Measure and print."""
    recipe = Recipe()
    measured = measure(recipe)
    facts = measured.facts() | {"threads": recipe.threads}
    ours = measured.share("ours")
    report("observation", ours, "of the bare loop's steps/s", **facts)
    against = ours / measured.share("save")
    report("observation_against_np_save", against, "of np.save's steps/s", **facts)


class _Blocks:
    """The blocks of all sides: when the trainer's progress ends its block, the other sides run theirs."""

    def __init__(self, others: dict[str, Callable[[], None]], steps: int, device: torch.device) -> None:
        self.took: dict[str, list[float]] = {side: [] for side in (*others, "ours")}
        self.spent = dict.fromkeys(self.took, 0.0)
        self._others, self._steps, self._device = others, steps, device
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
                self._others[side]()
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
    with prepared(recipe.model_copy(update={"steps": WARM + blocks * steps})) as run:
        device = choose_device(recipe)
        bare, saved = (BareTraining(recipe, run.token_ids, run.vocabulary, device) for _ in range(2))

        def save() -> None:
            saved.train()
            buffer = io.BytesIO()
            np.save(buffer, saved.learner.model.embedding.weight.detach().cpu().numpy())
            (run.path / "matrix.npy").write_bytes(buffer.getvalue())

        sides = _Blocks({"bare": bare.train, "save": save}, steps, device)
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


def measure_recording() -> None:
    """Measure the cost of recording for the trainer, also of keyframes, and the WAL while readers hold it open.

    One process trains the default recipe and records every step as the trainer does, in the runs folder of a real server
    with projector and analyst at work (so stretches are tiled, and tiled rows are dropped). At the same time readers of
    every kind stop in the middle of reading: an iterator over steps, a cursor over snapshots, and a viewer that stops
    receiving. Observation is not included; it is printed for comparison.
    """
    with serving("serve") as app:
        run = RunStore(app.runs).create(Recipe(steps=RECORDED))
        with RoleLock(run.path, "trainer"):
            trained, observed, recorded, wal = _record(run, app)
        with MatrixHistory(run) as history:
            tiled = sum(stretch.last - stretch.first + 1 for stretch in history.stretches())
    step = 1e3 * np.median(trained)
    plain, keyframes = (1e3 * np.array(recorded[kind]) for kind in ("plain", "keyframe"))
    report(
        "recording",
        100 * np.median(plain) / step,
        "% of the step, median",
        step_ms=step,
        recording_ms=np.median(plain),
        observing_ms=1e3 * np.median(observed),
        steps_tiled_meanwhile=tiled,
    )
    slow, unit = np.percentile(plain, 99), "% of the step, p99 of those without a keyframe"
    report("recording_p99", 100 * slow / step, unit)
    unit = "steps that a keyframe takes, with the loss on held-out text, median"
    each = [round(one, 1) for one in keyframes.tolist()]
    report("recording_keyframe", np.median(keyframes) / step, unit, each_ms=each)
    report("recording_wal", wal / 1e6, "MB of WAL at most, with readers that stand still")


def _record(run: RunFolder, app: Application) -> tuple[list[float], list[float], dict[str, list[float]], int]:
    """Train and record a run.

    Returns the seconds of each step for training and observing, those for recording it with or without a keyframe, and the
    largest WAL in bytes.
    """
    recipe = run.recipe
    prepare_corpus(run)
    training = BareTraining(recipe, run.token_ids, run.vocabulary)
    learner = training.learner
    wal = run.steps_path.with_name("steps.sqlite-wal")
    trained: list[float] = []
    observed: list[float] = []
    recorded: dict[str, list[float]] = {"plain": [], "keyframe": []}
    largest = 0
    standing: list[object] = []
    with StepsWriter(run.steps_path) as writer:
        writer.start_attempt(0)
        observer = Observer(learner, recipe.cadence.verify_every)
        held_out = run.held_out_ids
        assert held_out is not None
        loss = HeldOutLoss(recipe, held_out)
        counts = run.vocabulary.counts
        committer = StepCommitter(
            run, writer, observer, measure_held_out=lambda: loss.measure_by_frequency(learner, counts)
        )
        committer.add_keyframe(0)
        writer.set_facts({"phase": "running", "steps": RECORDED})
        for step in range(1, RECORDED + 1):
            host, ids, targets = training.batches.batch(step)
            begun = time.perf_counter()
            result = train_step(learner, ids, targets)
            done, ended = time.perf_counter(), time.time()
            seen = observer.observe(step, host, result)
            looked = time.perf_counter()
            committer.commit(
                committer.encode_step(
                    MeasuredStep(seen, seen.moved_vectors, seen.digest(), 3e-3, ended, done - begun)
                )
            )
            committer.observe_seconds = time.time() - ended
            if step > RECORDING_WARM:
                trained.append(done - begun)
                observed.append(looked - done)
                kind = "plain" if step % recipe.cadence.keyframe_every else "keyframe"
                recorded[kind].append(time.perf_counter() - looked)
            if step == 2 * RECORDING_WARM:
                standing = _standing_readers(run, app)
            if wal.exists():
                largest = max(largest, wal.stat().st_size)
        writer.set_facts({"phase": "interrupted"})
    del standing
    return trained, observed, recorded, largest


def _standing_readers(run: RunFolder, app: Application) -> list[object]:
    """Open one reader of each kind, read a little and stop. Returns them so that they stay open."""
    opened = lamplighter.open(run.path)
    steps = opened.steps()
    next(steps)
    history = MatrixHistory(run)
    walk = history.snapshots(0, 90)
    next(walk)
    program = lamplighter.follow(f"{app.url}/?run={run.id}", channels=("pulse", "layout", "rows"))
    next(program)
    return [steps, history, walk, program]
