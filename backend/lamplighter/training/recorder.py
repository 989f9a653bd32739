"""Recording of training steps: each observation is encoded once, and committed in one transaction.

The retention policy (`runfolder/writing/retention.py`) decides how much of a step is kept.
"""

from __future__ import annotations

import time
from typing import Any

from lamplighter.model.observer import Observation, Observer
from lamplighter.recipe import Recipe
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.steps import StepRecord, StepsWriter
from lamplighter.runfolder.writing.retention import Retention
from lamplighter.wire.frames import encode
from lamplighter.wire.pulse_frames import Pulse
from lamplighter.wire.row_frames import Census, Rows


class TrainingRecorder:
    """The recorder of a run's steps."""

    def __init__(
        self, run: RunFolder, writer: StepsWriter, observer: Observer, facts: dict[str, Any] | None = None
    ) -> None:
        """Resume recording from the run's `facts`: snapshots given up for the disk budget stay given up."""
        self._recipe: Recipe = run.recipe
        self._writer = writer
        self._observer = observer
        self._retention = Retention(run, writer, facts)
        self._observe_seconds = 0.0

    def record_start(self) -> None:
        """Commit the matrix before the first step."""
        self._writer.commit_initial_state(
            self._encode_keyframe(0, time.time()), self._encode_census(0, time.time())
        )

    def record(self, observation: Observation, learning_rate: float, ended: float, seconds: float) -> None:
        """Commit a step.

        Args:
            observation: the observation of the step.
            learning_rate: the learning rate of the step.
            ended: the time at which training ended and observation began, Unix seconds.
            seconds: the duration of training alone.

        Raises:
            apsw.FullError, apsw.IOError: (`DISK_FULL_ERRORS`) the disk is full. Nothing is committed; the call
                can be retried.
        """
        attempt, vocabulary = self._writer.attempt, len(self._observer.touches)
        pulse = Pulse(
            attempt=attempt,
            step=observation.step,
            time=ended,
            vocabulary=vocabulary,
            loss=observation.loss,
            learning_rate=learning_rate,
            tokens_per_second=self._recipe.batch_tokens / (seconds + self._observe_seconds),
            step_seconds=seconds,
            observe_seconds=self._observe_seconds,
            batch_ids=observation.batch_ids,
            batch_counts=observation.batch_counts,
            gradient_ids=observation.gradient_ids,
            gradient_norms=observation.gradient_norms,
            moved_ids=observation.moved_ids,
            moved_distances=observation.moved_distances,
            layer_norms=observation.layer_norms,
            verified=observation.verified,
        )
        retention = self._retention
        retention.refresh(observation.step)
        rows = keyframe = census = None
        if observation.moved_vectors is not None and retention.keeps_rows and not retention.needs_keyframe:
            rows = encode(
                Rows(
                    attempt,
                    observation.step,
                    ended,
                    vocabulary,
                    observation.moved_ids,
                    observation.moved_vectors,
                )
            )
        if retention.needs_keyframe or (
            observation.step % self._recipe.cadence.keyframe_every == 0 and retention.keeps_keyframes
        ):
            keyframe, census = (
                self._encode_keyframe(observation.step, ended),
                self._encode_census(observation.step, ended),
            )
        retention.commit(
            StepRecord(observation.step, encode(pulse), observation.digest(), rows, keyframe, census)
        )
        self._observe_seconds = time.time() - ended

    def _encode_keyframe(self, step: int, now: float) -> bytes:
        return encode(Rows.of_matrix(self._writer.attempt, step, now, self._observer.embedding()))

    def _encode_census(self, step: int, now: float) -> bytes:
        observer = self._observer
        return encode(Census(self._writer.attempt, step, now, observer.touches, observer.last_lit))
