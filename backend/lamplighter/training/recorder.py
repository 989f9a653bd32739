"""From an observation to what is kept of the step: encoded once, committed as one.

Keeps to the run's disk budget: near it only keyframes are kept, at it only scalars and sets; and it says so.
"""

from __future__ import annotations

import time

import numpy as np

from lamplighter.recipe import Recipe
from lamplighter.runfolder.budget import DiskBudget
from lamplighter.runfolder.folder import RunFolder
from lamplighter.runfolder.steps import StepRecord, StepsWriter
from lamplighter.training.observe import Observation, Observer
from lamplighter.wire.frames import Census, Pulse, Rows, encode


class Recorder:
    """Writes the steps of a run."""

    def __init__(self, run: RunFolder, writer: StepsWriter, observer: Observer) -> None:
        self._recipe: Recipe = run.recipe
        self._writer = writer
        self._observer = observer
        self._budget = DiskBudget(run, writer)
        self._observe_seconds = 0.0

    def keep_start(self) -> None:
        """Keep the matrix before the first step."""
        self._writer.keep_start(self._keyframe(0, time.time()), self._census(0, time.time()))

    def record(self, seen: Observation, learning_rate: float, ended: float, seconds: float) -> None:
        """Commit a step.

        Args:
            seen: what it did.
            learning_rate: it was computed with.
            ended: Unix seconds when training ended and observation began.
            seconds: what training alone took.
        """
        attempt, vocabulary = self._writer.attempt, len(self._observer.touches)
        pulse = Pulse(
            attempt=attempt,
            step=seen.step,
            time=ended,
            vocabulary=vocabulary,
            loss=seen.loss,
            learning_rate=learning_rate,
            tokens_per_second=self._recipe.batch_tokens / (seconds + self._observe_seconds),
            step_seconds=seconds,
            observe_seconds=self._observe_seconds,
            batch_ids=seen.batch_ids,
            batch_counts=seen.batch_counts,
            gradient_ids=seen.gradient_ids,
            gradient_norms=seen.gradient_norms,
            moved_ids=seen.moved_ids,
            moved_distances=seen.moved_distances,
            layer_norms=seen.layer_norms,
            verified=seen.verified,
        )
        self._budget.look(seen.step)
        rows = keyframe = census = None
        if seen.moved_vectors is not None and self._budget.snapshots == "all":
            rows = encode(Rows(attempt, seen.step, ended, vocabulary, seen.moved_ids, seen.moved_vectors))
        if seen.step % self._recipe.cadence.keyframe_every == 0 and self._budget.snapshots != "none":
            keyframe, census = self._keyframe(seen.step, ended), self._census(seen.step, ended)
        self._writer.commit(StepRecord(seen.step, encode(pulse), seen.digest(), rows, keyframe, census))
        self._observe_seconds = time.time() - ended

    def _keyframe(self, step: int, now: float) -> bytes:
        matrix = self._observer.embedding()
        ids = np.arange(len(matrix), dtype=np.uint32)
        return encode(Rows(self._writer.attempt, step, now, len(matrix), ids, matrix))

    def _census(self, step: int, now: float) -> bytes:
        seen = self._observer
        return encode(Census(self._writer.attempt, step, now, seen.touches, seen.last_lit))

    def resume(self, snapshots: str) -> None:
        """Go on as the run was left."""
        self._budget.snapshots = snapshots
