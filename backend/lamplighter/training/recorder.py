"""Recording of training steps: each observation is committed before the next step begins."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from lamplighter.model.observer import Observation, Observer
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.steps import StepsWriter
from lamplighter.runfolder.writing.step_commit import MeasuredStep, SayLines, StepCommitter


class TrainingRecorder:
    """The recorder of a run's steps."""

    def __init__(
        self,
        run: RunFolder,
        writer: StepsWriter,
        observer: Observer,
        facts: dict[str, Any] | None = None,
        measure_held_out: Callable[[], float | None] | None = None,
        say_lines: SayLines | None = None,
        read_energy: Callable[[int], str | None] | None = None,
    ) -> None:
        """Resume recording from the run's `facts`; `measure_held_out` is called at every keyframe, `say_lines` and
        `read_energy` at every step."""
        self._read_energy = read_energy
        self._committer = StepCommitter(run, writer, observer, facts, measure_held_out, say_lines)

    def record_start(self) -> None:
        """Commit the matrix before the first step."""
        self._committer.add_keyframe(0)

    def record_start_loss(self) -> None:
        """Commit the loss on held-out text before the first step. Apart from the matrix, for which the map waits."""
        self._committer.add_held_out_loss(0)

    def record_start_lines(self) -> None:
        """Commit what the model says before the first step. Apart from the matrix, for which the map waits."""
        self._committer.add_lines(0)

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
        measured = MeasuredStep(
            observation, observation.moved_vectors, observation.digest(), learning_rate, ended, seconds
        )
        record = self._committer.encode_step(measured)
        if self._read_energy is not None:
            # Last, so that it holds what was done for this step.
            record = replace(record, energy=self._read_energy(observation.step))
        self._committer.commit(record)
        self._committer.observe_seconds = time.time() - ended
