"""Commits of training steps. Each step is encoded once, as the frames that a browser decodes, in one transaction.

The retention policy (`retention.py`) decides how much of a step to keep.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.lines import SpokenLine, encode_lines
from lamplighter.runfolder.tables.scalars import encode_scalars
from lamplighter.runfolder.tables.steps import StepRecord, StepsWriter
from lamplighter.runfolder.writing.disk_budget import DiskBudget
from lamplighter.runfolder.writing.free_space import DISK_FULL_ERRORS, FreeSpace
from lamplighter.wire.binary import Floats, UInts
from lamplighter.wire.frames import encode
from lamplighter.wire.pulse_frames import Pulse, StepEffects
from lamplighter.wire.row_frames import Census, Rows
from lamplighter.wire.top_losses import TopLosses

PAUSED = "paused"
"""Value of a run's `snapshots` while the disk is full."""


class Retention:
    """The retention policy of a run: decides what to keep of a step, and commits it.

    Each change is recorded as an event of the step at which it takes effect.
    """

    def __init__(
        self,
        run: RunFolder,
        writer: StepsWriter,
        facts: dict[str, Any] | None = None,
        budget: DiskBudget | None = None,
    ) -> None:
        """Resume from the run's `facts`. Without a `budget`, steps may use the whole budget of the recipe."""
        facts = facts or {}
        self._writer = writer
        self._budget = budget or DiskBudget(run, writer)
        last_state = facts.get("snapshots", "all")
        self._free_space = FreeSpace(run.path, paused=last_state == PAUSED)
        # An imported run has only the fact `snapshots`.
        self._budget.snapshots = facts.get("budget_left", last_state)
        self._pending_events: list[tuple[str, str]] = []
        self._keyframe_due = False

    @property
    def snapshots(self) -> str:
        """Return which snapshots are kept: `all`, `keyframes`, `none` or `paused`."""
        allowed = "keyframes" if self._budget.snapshots == "series" else self._budget.snapshots
        return PAUSED if self._free_space.paused and allowed != "none" else allowed

    @property
    def keeps_rows(self) -> bool:
        return self.snapshots == "all"

    @property
    def keeps_keyframes(self) -> bool:
        return self.snapshots in ("all", "keyframes") and self._budget.has_room

    @property
    def replaced_keyframe(self) -> int | None:
        """Return the row of the keyframe that the current step's replaces; None if there is room for both."""
        return self._budget.replaced_keyframe

    @property
    def needs_keyframe(self) -> bool:
        """Return whether the current step needs a keyframe because earlier snapshots were not kept."""
        return self._keyframe_due and self.keeps_keyframes

    def refresh(self, step: int, rows: int, keyframe: int, *, due: bool) -> None:
        """Update the policy for `step`, which becomes the current one. Cheap; call once per step. `rows`,
        `keyframe`: the bytes of its moved rows (0 if it has none) and of a keyframe. `due`: whether it is
        due to have one.
        """
        was_paused = self._free_space.paused
        message = self._free_space.refresh()
        self._keyframe_due = self._keyframe_due or was_paused
        thinned = self._budget.refresh(step, rows, keyframe, due=due or self._keyframe_due)
        if thinned is not None:
            self._pending_events.append(("thinned", thinned))
        if message is not None:
            self._add_event("full" if self._free_space.paused else "room", message)

    def commit(self, record: StepRecord) -> bool:
        """Commit a step; drop its snapshots and lines if they do not fit on the disk. Return whether the
        whole record was kept. If not even the scalars fit (`DISK_FULL_ERRORS`), nothing is committed, and
        the call can be retried.
        """
        try:
            self._write(record)
        except DISK_FULL_ERRORS as error:
            self._pause(str(error))
            if record.rows is record.keyframe is record.kept_rows is record.lines is None:
                raise
            self._write(replace(record, rows=None, keyframe=None, census=None, kept_rows=None, lines=None))
            return False
        if record.keyframe is not None:
            self._keyframe_due = False
            self._free_space.reset_retry_delay()
        return True

    def _pause(self, why: str) -> None:
        was_paused, message = self._free_space.paused, self._free_space.pause(why)
        self._keyframe_due = True
        if self._pending_events and self._pending_events[-1][0] == "room":
            self._pending_events.pop()  # The write failed despite free space, as with a quota.
        elif not was_paused:
            self._add_event("full", message)

    def add_event(self, kind: str, message: str) -> None:
        self._pending_events.append((kind, message))

    def _add_event(self, kind: str, message: str) -> None:
        # Without snapshots in the budget there is nothing to pause.
        if self._budget.snapshots != "none":
            self._pending_events.append((kind, message))

    def _write(self, record: StepRecord) -> None:
        if not self._pending_events:
            # The usual case; a nested transaction would double the cost.
            self._writer.undo_interrupted()
            self._writer.commit(record)
            return
        with self._writer.transaction():
            self._writer.commit(record)
            for kind, message in self._pending_events:
                facts = {"snapshots": self.snapshots, "budget_left": self._budget.snapshots}
                self._writer.add_event(record.step, kind, message, facts)
        self._pending_events.clear()


SayLines = Callable[[int], Sequence[SpokenLine]]
"""A callback that makes the model say the lines of a given step; empty if none are due."""
HeldOut = tuple[float, dict[str, float]]
"""The loss on held-out text, and numbers beside it by name."""


class CountedMatrix(Protocol):
    """An embedding in training, and the number of batches its rows have been in."""

    @property
    def touches(self) -> UInts:
        """Return the number of batches each row has been in, shape (V,)."""
        ...

    @property
    def last_lit(self) -> UInts:
        """Return the last step with each row in the batch, shape (V,); `NEVER` if there is none."""
        ...

    def embedding(self) -> Floats:
        """Return the matrix after the last step, shape (V, D)."""
        ...


@dataclass(frozen=True)
class MeasuredStep:
    """A computed and measured step, from our trainer or a client's loop."""

    effects: StepEffects
    moved_vectors: Floats | None
    """The moved rows after the step, shape (moved, D); None if there are too many to keep."""
    digest: bytes
    """A digest that recomputing the step must reproduce."""
    learning_rate: float
    ended: float
    """The time at which training ended and observation began, Unix seconds."""
    seconds: float
    """The duration of training alone; the mean if this stands for several steps."""
    steps: int = 1
    """The number of steps of a client's loop that this stands for."""
    top_losses: TopLosses | None = None
    """The predictions with the largest losses, if they are known."""


class StepCommitter:
    """The committer of a run's steps, for any training loop."""

    def __init__(
        self,
        run: RunFolder,
        writer: StepsWriter,
        matrix: CountedMatrix,
        facts: dict[str, Any] | None = None,
        measure_held_out: Callable[[], HeldOut | None] | None = None,
        say_lines: SayLines | None = None,
        budget: DiskBudget | None = None,
    ) -> None:
        """Resume from the run's `facts`: snapshots stopped by the disk budget do not resume.
        `measure_held_out`: measures the loss on held-out text, and numbers beside it by name, stored with
        every keyframe. `say_lines`: makes the model say the lines stored with a step; called at every
        step. `budget`: the disk budget for steps; by default that of the recipe.
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
        return self._retention.snapshots

    def encode_step(self, measured: MeasuredStep, *, whole: bool = False) -> StepRecord:
        """Encode as much of a step as the policy keeps; with `whole`, the matrix in place of moved rows."""
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
            held_out = self._measured_held_out()
        lines = self._lines(effects.step)
        return StepRecord(
            effects.step,
            encode(pulse),
            measured.digest,
            rows,
            keyframe,
            census,
            None if held_out is None else held_out[0],
            lines,
            scalars=None if held_out is None else encode_scalars(held_out[1]),
            top_losses=None if measured.top_losses is None else measured.top_losses.encode(),
            replaced_keyframe=retention.replaced_keyframe,
        )

    def has_room_for_first_keyframe(self) -> bool:
        """Return whether the matrix before the first step fits."""
        self._retention.refresh(0, 0, self._keyframe_bytes(), due=True)
        return self._retention.keeps_keyframes

    def add_event(self, kind: str, message: str) -> None:
        self._retention.add_event(kind, message)

    def commit(self, record: StepRecord) -> bool:
        """Commit a step, as `Retention.commit`."""
        return self._retention.commit(record)

    def add_keyframe(self, step: int) -> None:
        """Commit the matrix and the census after `step`, which is 0 or was committed without them. If the
        disk is full (`DISK_FULL_ERRORS`), nothing is committed, as in the methods below.
        """
        self._writer.add_keyframe(step, *self._encode_keyframe(step, time.time()))

    def add_held_out_loss(self, step: int) -> None:
        """Measure and commit the loss on held-out text after `step`, if there is such a text."""
        held_out = self._measured_held_out()
        if held_out is not None:
            loss, beside = held_out
            self._writer.add_held_out_loss(step, loss, encode_scalars(beside))

    def add_lines(self, step: int) -> None:
        """Commit the lines that the model says after `step`, which is 0 or was committed without them."""
        lines = self._lines(step)
        if lines is not None:
            self._writer.add_lines(step, lines)

    def _lines(self, step: int) -> str | None:
        lines = () if self._say_lines is None else self._say_lines(step)
        return encode_lines(lines) if lines else None

    def _measured_held_out(self) -> HeldOut | None:
        return None if self._measure_held_out is None else self._measure_held_out()

    def _keyframe_bytes(self) -> int:
        return len(self._matrix.touches) * (4 * self._dim + 8)

    def _encode_keyframe(self, step: int, now: float) -> tuple[bytes, bytes]:
        attempt, matrix = self._writer.attempt, self._matrix
        return (
            encode(Rows.of_matrix(attempt, step, now, matrix.embedding())),
            encode(Census(attempt, step, now, matrix.touches, matrix.last_lit)),
        )
