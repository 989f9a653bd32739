"""Cost of recording for the trainer, also of steps with a keyframe, and the size of the WAL while readers hold it open.

One process trains the default recipe and records every step as the trainer does, in the runs folder of a real server
with projector and analyst at work (so stretches are tiled, and tiled rows are dropped). At the same time readers of
every kind stop in the middle of reading: an iterator over steps, a cursor over snapshots, and a viewer that stops
receiving.

Observation is not included; `benchmarks.observation` measures it. It is printed for comparison.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from websockets.sync.client import connect

import lamplighter
from benchmarks.support.report import report
from lamplighter.contract.recipe import Recipe
from lamplighter.model.batch_reader import BatchReader
from lamplighter.model.held_out import HeldOutLoss
from lamplighter.model.learner import build_learner
from lamplighter.model.observer import Observer
from lamplighter.model.step import train_step
from lamplighter.runfolder.reading.matrix_history import MatrixHistory
from lamplighter.runfolder.role_lock import RoleLock
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_store import RunStore
from lamplighter.runfolder.tables.steps import StepsWriter
from lamplighter.runfolder.writing.step_commit import MeasuredStep, StepCommitter
from lamplighter.training.corpus_setup import prepare_corpus
from tests.support.application import Application

STEPS, WARM = 1_500, 50


def main() -> bool:
    """Measure and print. Returns whether the goals are met."""
    with tempfile.TemporaryDirectory() as folder, Application(Path(folder), "serve") as app:
        run = RunStore(Path(folder)).create(Recipe(steps=STEPS))
        with RoleLock(run.path, "trainer"):
            trained, observed, recorded, wal = _train(run, app)
        with MatrixHistory(run) as history:
            tiled = sum(stretch.last - stretch.first + 1 for stretch in history.stretches())
    median = float(np.median(trained))
    plain, keyframes = (1e3 * np.array(recorded[kind]) for kind in ("plain", "keyframe"))
    met = report(
        "recording",
        100 * float(np.median(plain)) / (1e3 * median),
        "% of the step, median",
        step_ms=1e3 * median,
        recording_ms=float(np.median(plain)),
        observing_ms=1e3 * float(np.median(observed)),
        steps_tiled_meanwhile=tiled,
    )
    p99 = float(np.percentile(plain, 99))
    met &= report(
        "recording_p99", 100 * p99 / (1e3 * median), "% of the step, p99 of those without a keyframe"
    )
    met &= report(
        "recording_keyframe",
        float(np.median(keyframes)) / (1e3 * median),
        "steps that a keyframe takes, with the loss on held-out text, median",
        each_ms=[round(one, 1) for one in keyframes],
    )
    unit = "MB of WAL at most, with readers that stand still"
    return report("recording_wal", wal / 1e6, unit) and met


def _train(run: RunFolder, app: Application) -> tuple[list[float], list[float], dict[str, list[float]], int]:
    """Train and record a run.

    Returns the seconds of each step for training and observing, those for recording it with or without a keyframe, and the
    largest WAL in bytes.
    """
    recipe = run.recipe
    prepare_corpus(run)
    torch.set_num_threads(recipe.threads)
    device = torch.device("cpu")
    batches = BatchReader(recipe, run.token_ids, device)
    learner = build_learner(recipe, len(run.vocabulary), device)
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
        writer.set_facts({"phase": "running", "steps": STEPS})
        for step in range(1, STEPS + 1):
            host, ids, targets = batches.batch(step)
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
            if step > WARM:
                trained.append(done - begun)
                observed.append(looked - done)
                kind = "plain" if step % recipe.cadence.keyframe_every else "keyframe"
                recorded[kind].append(time.perf_counter() - looked)
            if step == 2 * WARM:
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
    socket = connect(
        f"{app.url.replace('http', 'ws', 1)}/api/runs/{run.id}/live?channels=pulse,layout,rows",
        origin=app.url,  # pyright: ignore[reportArgumentType]
        max_size=None,
        max_queue=1,
        ping_interval=None,
        compression=None,
    )
    socket.recv()
    return [steps, history, walk, socket]
