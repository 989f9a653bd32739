"""Commits of training steps: each is encoded once, as the frames that a browser decodes, and is one transaction.

The retention policy (`retention.py`) decides how much of a step is kept.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.lines import SpokenLine, encode_lines
from lamplighter.runfolder.tables.steps import StepRecord, StepsWriter
from lamplighter.runfolder.writing.disk_budget import DiskBudget
from lamplighter.runfolder.writing.retention import Retention
from lamplighter.wire.binary import Floats, UInts
from lamplighter.wire.frames import encode
from lamplighter.wire.pulse_frames import Pulse, StepEffects
from lamplighter.wire.row_frames import Census, Rows

SayLines = Callable[[int], Sequence[SpokenLine]]
"""A callback that has the model say the lines of a step, given its number; none where it says nothing then."""


class CountedMatrix(Protocol):
    """An embedding in training, and how often its rows have been in a batch."""

    @property
    def touches(self) -> UInts:
        """Return the number of batches each row has been in, shape (V,)."""
        ...

    @property
    def last_lit(self) -> UInts:
        """Return the last such step of each row, shape (V,); `NEVER` for none."""
        ...

    def embedding(self) -> Floats:
        """Return the matrix after the last step, shape (V, D)."""
        ...


@dataclass(frozen=True)
class MeasuredStep:
    """A step that was computed and measured, by our trainer or around another loop."""

    effects: StepEffects
    moved_vectors: Floats | None
    """The moved rows after the step, shape (moved, D); None if they are too many to be kept."""
    digest: bytes
    """A digest that is equal when the step is recomputed with the same result."""
    learning_rate: float
    ended: float
    """The time at which training ended and observation began, Unix seconds."""
    seconds: float
    """The duration of training alone; the mean where it stands for several steps."""
    steps: int = 1
    """The steps of a loop elsewhere that it stands for."""


class StepCommitter:
    """The committer of a run's steps, whichever loop trains them."""

    def __init__(
        self,
        run: RunFolder,
        writer: StepsWriter,
        matrix: CountedMatrix,
        facts: dict[str, Any] | None = None,
        measure_held_out: Callable[[], float | None] | None = None,
        say_lines: SayLines | None = None,
        budget: DiskBudget | None = None,
    ) -> None:
        """Resume from the run's `facts`: snapshots given up for the disk budget stay given up.

        Args:
            run: the run.
            writer: the writer of its steps.
            matrix: the matrix in training.
            facts: the run's facts.
            measure_held_out: measures the loss on held-out text, which is kept with every keyframe.
            say_lines: has the model say the lines that are kept with a step; called at every step.
            budget: what of the disk budget is for steps; by default all of it.
        """
        self._writer, self._matrix = writer, matrix
        self._measure_held_out = measure_held_out
        self._say_lines = say_lines
        self._keyframe_every, self._dim = run.recipe.cadence.keyframe_every, run.recipe.model.dim
        self._retention = Retention(run, writer, facts, budget)
        self.observe_seconds = 0.0
        """The duration of observing and recording the previous step."""

    @property
    def snapshots(self) -> str:
        """Return which snapshots are kept: `all`, `keyframes`, `none` or `paused`."""
        return self._retention.snapshots

    def encode_step(self, measured: MeasuredStep, *, whole: bool = False) -> StepRecord:
        """Encode as much of a step as is kept now; with `whole`, its matrix in place of its moved rows."""
        effects, attempt, size = measured.effects, self._writer.attempt, len(self._matrix.touches)
        pulse = Pulse(
            **effects.effects_by_name(),
            attempt=attempt,
            time=measured.ended,
            vocabulary=size,
            learning_rate=measured.learning_rate,
            tokens_per_second=int(effects.batch_counts.sum())
            / max(measured.steps * measured.seconds + self.observe_seconds, 1e-9),
            step_seconds=measured.seconds,
            observe_seconds=self.observe_seconds,
        )
        retention = self._retention
        due = whole or effects.step % self._keyframe_every == 0
        few = 0 if measured.moved_vectors is None else measured.moved_vectors.nbytes
        retention.refresh(effects.step, few, self._keyframe_bytes(), due=due)
        whole = whole or retention.needs_keyframe
        rows = keyframe = census = held_out = None
        if measured.moved_vectors is not None and not whole and retention.keeps_rows:
            moved = Rows(
                attempt, effects.step, measured.ended, size, effects.moved_ids, measured.moved_vectors
            )
            rows = encode(moved)
        if (whole or effects.step % self._keyframe_every == 0) and retention.keeps_keyframes:
            keyframe, census = self._encode_keyframe(effects.step, measured.ended)
            held_out = self._held_out_loss()
        lines = self._lines(effects.step)
        return StepRecord(
            effects.step,
            encode(pulse),
            measured.digest,
            rows,
            keyframe,
            census,
            held_out,
            lines,
            replaced_keyframe=retention.replaced_keyframe,
        )

    def has_room_for_first_keyframe(self) -> bool:
        """Return whether the matrix before the first step may be kept."""
        self._retention.refresh(0, 0, self._keyframe_bytes(), due=True)
        return self._retention.keeps_keyframes

    def add_event(self, kind: str, message: str) -> None:
        """Add an event to the next step that is committed."""
        self._retention.add_event(kind, message)

    def commit(self, record: StepRecord) -> bool:
        """Commit a step; drop its snapshots and lines if they do not fit on the disk.

        Returns:
            Whether the whole record was kept.

        Raises:
            apsw.FullError, apsw.IOError: (`DISK_FULL_ERRORS`) not even the scalars fit. Nothing is committed; the
                call can be retried.
        """
        return self._retention.commit(record)

    def add_keyframe(self, step: int) -> None:
        """Commit the matrix and the census after `step`, which is committed without, or 0: before the first.

        Raises:
            apsw.FullError, apsw.IOError: (`DISK_FULL_ERRORS`) the disk is full. Nothing is committed.
        """
        self._writer.add_keyframe(step, *self._encode_keyframe(step, time.time()))

    def add_held_out_loss(self, step: int) -> None:
        """Measure and commit the loss on held-out text after `step`, where there is such a text.

        Raises:
            apsw.FullError, apsw.IOError: (`DISK_FULL_ERRORS`) the disk is full. Nothing is committed.
        """
        loss = self._held_out_loss()
        if loss is not None:
            self._writer.add_held_out_loss(step, loss)

    def add_lines(self, step: int) -> None:
        """Commit the lines that the model says after `step`, which is committed without, or 0.

        Raises:
            apsw.FullError, apsw.IOError: (`DISK_FULL_ERRORS`) the disk is full. Nothing is committed.
        """
        lines = self._lines(step)
        if lines is not None:
            self._writer.add_lines(step, lines)

    def _lines(self, step: int) -> str | None:
        lines = () if self._say_lines is None else self._say_lines(step)
        return encode_lines(lines) if lines else None

    def _held_out_loss(self) -> float | None:
        return None if self._measure_held_out is None else self._measure_held_out()

    def _keyframe_bytes(self) -> int:
        return len(self._matrix.touches) * (4 * self._dim + 8)

    def _encode_keyframe(self, step: int, now: float) -> tuple[bytes, bytes]:
        attempt, matrix = self._writer.attempt, self._matrix
        return (
            encode(Rows.of_matrix(attempt, step, now, matrix.embedding())),
            encode(Census(attempt, step, now, matrix.touches, matrix.last_lit)),
        )
