"""From an observation to what is kept of the step: encoded once, committed as one.

How much is kept of a step is decided by `runfolder/keeping.py`.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from lamplighter.recipe import Recipe
from lamplighter.runfolder.folder import RunFolder
from lamplighter.runfolder.keeping import Keeping
from lamplighter.runfolder.steps import StepRecord, StepsWriter
from lamplighter.training.observe import Observation, Observer
from lamplighter.wire.frames import Census, Pulse, Rows, encode


class Recorder:
    """Writes the steps of a run."""

    def __init__(
        self, run: RunFolder, writer: StepsWriter, observer: Observer, facts: dict[str, Any] | None = None
    ) -> None:
        """Record a run that is as `facts` say: what its disk budget has given up stays given up."""
        self._recipe: Recipe = run.recipe
        self._writer = writer
        self._observer = observer
        self._keeping = Keeping(run, writer, facts)
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

        Raises:
            apsw.FullError, apsw.IOError: (`NO_ROOM`) there is no room for it. Nothing is committed; it can be
                tried again.
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
        keeping = self._keeping
        keeping.look(seen.step)
        rows = keyframe = census = None
        if seen.moved_vectors is not None and keeping.rows and not keeping.whole:
            rows = encode(Rows(attempt, seen.step, ended, vocabulary, seen.moved_ids, seen.moved_vectors))
        if keeping.whole or (seen.step % self._recipe.cadence.keyframe_every == 0 and keeping.keyframes):
            keyframe, census = self._keyframe(seen.step, ended), self._census(seen.step, ended)
        keeping.commit(StepRecord(seen.step, encode(pulse), seen.digest(), rows, keyframe, census))
        self._observe_seconds = time.time() - ended

    def _keyframe(self, step: int, now: float) -> bytes:
        matrix = self._observer.embedding()
        ids = np.arange(len(matrix), dtype=np.uint32)
        return encode(Rows(self._writer.attempt, step, now, len(matrix), ids, matrix))

    def _census(self, step: int, now: float) -> bytes:
        seen = self._observer
        return encode(Census(self._writer.attempt, step, now, seen.touches, seen.last_lit))
