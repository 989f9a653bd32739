"""Recording of an external training loop's steps: each is measured, encoded once and committed in one transaction."""

from __future__ import annotations

import logging
import time
from contextlib import suppress
from dataclasses import replace
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from lamplighter.client.matrix_diff import ChangedRows, MatrixDiff
from lamplighter.client.recording.record_warnings import print_notice
from lamplighter.client.recording.step_arguments import StretchedStep
from lamplighter.client.recording.step_limits import NO_IDS, NO_NORMS, StepLimits, WaitingSteps
from lamplighter.contract.sentences import say
from lamplighter.runfolder.fragments.fragment_folder import FragmentWriter, wants_fragments
from lamplighter.runfolder.loop_facts import KEPT_ROWS_FACT
from lamplighter.runfolder.phase import Phase
from lamplighter.runfolder.reading.snapshot import Touches
from lamplighter.runfolder.role_lock import RoleLock
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.step_numbers import NUMBERS_FACT, StepNumbers
from lamplighter.runfolder.tables.steps import StepsWriter
from lamplighter.runfolder.writing.free_space import NOT_NOW, explain_failed_write
from lamplighter.runfolder.writing.step_commit import PAUSED, MeasuredStep, StepCommitter
from lamplighter.wire.binary import Floats, UInts
from lamplighter.wire.frames import encode
from lamplighter.wire.pulse_frames import StepEffects
from lamplighter.wire.row_frames import NEVER, Rows
from lamplighter.wire.top_losses import TopLosses

log = logging.getLogger(__name__)

_PATIENCE, _LAST_PATIENCE = 0.25, 60.0
"""Seconds that the loop waits for a reader of a file without a WAL, at a step and at its end."""

SMALL_MATRIX = 1 << 18
"""Size in bytes of a matrix up to which all moved rows are kept, because writing them is fast."""


class ReportedStep(NamedTuple):
    """A step as reported by the loop."""

    number: int
    """Its number in the loop."""
    rows: StretchedStep
    loss: float
    learning_rate: float
    ended: float
    """The time at which the step ended and the recorder was called, in Unix seconds."""
    scalars: str | None = None
    """Other numbers that the loop logged with the step, encoded (`runfolder/tables/scalars.py`)."""
    top_losses: TopLosses | None = None
    """The largest losses of single tokens; None if they are not known."""


class ResumePoint(NamedTuple):
    """The step of a record after which its loop goes on."""

    step: int
    """The record's own number of it."""
    facts: dict[str, Any]
    numbers: StepNumbers
    census: Touches
    is_equal: bool
    """Whether the loop begins with the very matrix of the record."""
    message: str


@runtime_checkable
class ComparedMatrix(Protocol):
    """A matrix in training as of its last comparison, read into host memory; `watch` keeps the copy on the
    weight's device."""

    @property
    def shape(self) -> tuple[int, int]: ...

    @property
    def matrix(self) -> Floats: ...

    def vectors(self, ids: NDArray[np.intp]) -> Floats: ...


class StepRecording:
    """A recording in progress of one loop's run, from its first matrix."""

    def __init__(
        self,
        run: RunFolder,
        lock: RoleLock,
        matrix: Floats | ComparedMatrix,
        first: int,
        facts: dict[str, Any],
        numbers: StepNumbers,
        resumed: ResumePoint | None = None,
    ) -> None:
        """Start with the matrix after step `first` (0: before the first), shape (V, D); of a resumed run, with that before
        `first`. It is copied unless it is a `ComparedMatrix`."""
        self.run, self._lock = run, lock
        self.matrix_diff = MatrixDiff(matrix) if isinstance(matrix, np.ndarray) else matrix
        matrix = self.matrix_diff.matrix
        self.layers: list[str] = facts.get("layers", [])
        self.touches: UInts = np.zeros(len(matrix), dtype=np.uint32)
        self.last_lit: UInts = np.full(len(matrix), NEVER, dtype=np.uint32)
        self.at = 0
        """Number of steps recorded so far."""
        self.ended = ""
        """The reason why the record ended before the loop; empty while it continues."""
        self._numbers = numbers
        self._kept_ids = np.array(facts.get(KEPT_ROWS_FACT, ()), np.uint32)
        self._exact = False
        self._needs_keyframe = first > 0
        self._first_of_attempt: int | None = None
        self._said_dense = False
        self._beyond: ReportedStep | None = None
        self.writer = StepsWriter(run.steps_path)
        self.writer.set_patience(_PATIENCE)
        if resumed is None:
            self.writer.start_attempt(first)
        self._limits = StepLimits(run, self.writer, matrix.nbytes + 8 * len(matrix))
        # Of a new run the facts say nothing about snapshots.
        self._committer = StepCommitter(run, self.writer, self, facts, budget=self._limits.budget)
        if first == 0 and self._committer.has_room_for_first_keyframe():
            self._committer.add_keyframe(0)
            self._exact = True
        self._waiting = WaitingSteps(self.writer)
        self._pending_facts: dict[str, Any] = {}
        begun = {"phase": Phase.RUNNING, "message": "", "changed": time.time()}
        if resumed is None:
            self.writer.add_event(first, "started", say("recorded_loop"), facts | begun)
        else:
            self.at, self._first_of_attempt = resumed.step, first
            self.touches, self.last_lit = resumed.census.touches, resumed.census.last_lit
            self._exact, self._needs_keyframe = resumed.is_equal, not resumed.is_equal
            self.writer.set_facts(facts | begun)
            self._committer.add_event("attempt", resumed.message)
        self._fragments = FragmentWriter(run) if wants_fragments(run.path) else None

    @property
    def next_step(self) -> tuple[int, int]:
        """Return the attempt and the number of the next step."""
        return self.writer.attempt + (self._first_of_attempt is not None), self.at + 1

    def embedding(self) -> Floats:
        return self.matrix_diff.matrix

    def lose_step(self) -> None:
        """Note that a comparison was not committed, so that the next step keeps the full matrix."""
        self._needs_keyframe = True

    def commit(
        self, seen: ReportedStep, matrix: Floats | ChangedRows, *, seen_first: bool = False
    ) -> UInts | None:
        """Measure the changes of the step, unless they are given, and commit it. Return the rows that moved,
        if known.

        While the disk cannot be written, steps wait in memory and are committed later, in order. Once the
        record has ended only the last matrix is updated.
        """
        if self.ended:
            if not isinstance(matrix, ChangedRows):
                self.matrix_diff.matrix[:] = matrix
            self._beyond = seen
            return None
        if self._first_of_attempt is not None:
            # Until then what followed in the attempt before still counts.
            self.writer.plan_attempt(self._first_of_attempt)
            self._first_of_attempt = None
        # If this is interrupted (Ctrl-C) and the loop continues, the copy is ahead of the record, so the next step must
        # keep the full matrix.
        whole, self._needs_keyframe = self._needs_keyframe, True
        changed = matrix if isinstance(matrix, ChangedRows) else self._compare(matrix)
        effects = self._measure(seen, self.at + 1)
        effects = replace(
            effects, moved_ids=changed.token_ids, moved_distances=changed.distances, verified=not seen_first
        )
        limited = self._limits.limit_effects(
            effects, 4 * len(self._kept_ids) * (1 + self.matrix_diff.shape[1]), self._committer.add_event
        )
        if limited is None:
            self.end(self._limits.reached)
            self._beyond = seen
            return None
        measured = self._measured(seen, limited, self._moved_vectors(changed, seen.number))
        before = self.touches, self.last_lit
        self._count(seen, limited.step)
        try:
            self._write(measured, seen.scalars, whole=whole)
            if not self.ended:
                self.at = limited.step
        except BaseException:
            # Ctrl-C may also arrive after the commit.
            if self.writer.has_step(limited.step):
                self.at = limited.step
            else:
                self.touches, self.last_lit = before
            raise
        self._needs_keyframe = False
        self._committer.observe_seconds = time.time() - seen.ended
        return None if seen_first else changed.token_ids

    def _moved_vectors(self, changed: ChangedRows, number: int) -> Floats | None:
        """Return the moved rows, shape (moved, D), if they are kept: at most half of a matrix, or all of a
        small one."""
        if changed.vectors is not None or self._committer.snapshots != "all":
            return changed.vectors
        rows, width = self.matrix_diff.shape
        if 4 * rows * width <= SMALL_MATRIX:
            return self.embedding()[changed.token_ids]
        every = self.run.recipe.cadence.keyframe_every
        if not self._said_dense and every > 1:
            self._said_dense = True
            thinned = say("dense_steps", step=number, every=every)
            self._committer.add_event("thinned", thinned)
            print_notice(f"{self.run.id}: {thinned}{self._price_of_all()}")
        return None

    def _price_of_all(self) -> str:
        rows, width = self.matrix_diff.shape
        size, steps = rows * (4 * width + 8) / 1e6, self.run.recipe.steps
        of_all = f", {size * steps:,.0f} MB for {steps:,} steps" if steps > 1 else ""
        budget = self.run.recipe.disk_budget / 1e6
        chosen = "" if len(self._kept_ids) else "; keep_rows=[...] keeps chosen rows of each"
        return f": that takes {size:,.1f} MB a step{of_all}, of a disk_budget of {budget:,.0f} MB{chosen}"

    def _compare(self, matrix: Floats) -> ChangedRows:
        if not isinstance(self.matrix_diff, MatrixDiff):
            raise TypeError("a ComparedMatrix is compared by its owner")
        return self.matrix_diff.diff(matrix)

    def _measure(self, seen: ReportedStep, step: int) -> StepEffects:
        gradient = seen.rows.gradient
        if gradient is not None and not self.layers:
            self.layers = ["embedding"]
            self.set_facts({"layers": self.layers})
        if self._numbers.set_number(step, seen.number):
            self.set_facts({NUMBERS_FACT: self._numbers.stretches})
        with np.errstate(over="ignore", invalid="ignore"):
            norm = np.nan if gradient is None else np.linalg.norm(gradient.norms)
        return StepEffects(
            step=step,
            loss=seen.loss,
            batch_ids=seen.rows.batch.token_ids,
            batch_counts=seen.rows.batch.counts,
            gradient_ids=NO_IDS if gradient is None else gradient.token_ids,
            gradient_norms=NO_NORMS if gradient is None else gradient.norms,
            moved_ids=NO_IDS,
            moved_distances=NO_NORMS,
            layer_norms=np.full(len(self.layers), norm, dtype=np.float32),
        )

    def _measured(self, seen: ReportedStep, effects: StepEffects, vectors: Floats | None) -> MeasuredStep:
        rows = seen.rows
        # These steps are never recomputed, so no digest is compared.
        return MeasuredStep(
            effects,
            vectors,
            b"",
            seen.learning_rate,
            seen.ended,
            rows.seconds / rows.steps,
            rows.steps,
            seen.top_losses,
        )

    def _count(self, seen: ReportedStep, step: int) -> None:
        ids = seen.rows.batch.token_ids
        self.touches, self.last_lit = self.touches.copy(), self.last_lit.copy()
        self.touches[ids] += 1
        self.last_lit[ids] = step

    def end(self, reason: str) -> None:
        """End the record before the loop: later steps are not recorded, except for the last matrix."""
        self.ended = f"{reason}: later steps than {self._numbers.number_of(self.at)} are not recorded"
        log.warning("%s: %s; the loop continues", self.run.id, self.ended)

    def _write(self, measured: MeasuredStep, scalars: str | None, *, whole: bool) -> None:
        # While earlier steps wait without their matrices, moved rows have no base.
        record = self._committer.encode_step(measured, whole=whole or bool(self._waiting))
        record = replace(record, scalars=scalars)
        if record.rows is None or not self._exact:
            record = replace(record, kept_rows=self._encode_kept_rows(measured))
        try:
            self._write_waiting()
            kept = self._committer.commit(record)
        except NOT_NOW as error:
            self._exact = False
            kept_rows = self._encode_kept_rows(measured)
            self._waiting.queue_step(
                replace(record, rows=None, keyframe=None, census=None, kept_rows=kept_rows),
                explain_failed_write(error),
            )
            if self._waiting.are_too_many:
                self.at = self._waiting.give_up()
                self.end(explain_failed_write(error))
            return
        self._exact = kept and (record.keyframe is not None or (record.rows is not None and self._exact))

    def _encode_kept_rows(self, measured: MeasuredStep) -> bytes | None:
        if not len(self._kept_ids) or self._limits.without_norms or self._committer.snapshots == PAUSED:
            return None
        vectors = self.matrix_diff.vectors(self._kept_ids.astype(np.intp))
        attempt, step = self.writer.attempt, measured.effects.step
        return encode(Rows(attempt, step, measured.ended, len(self.touches), self._kept_ids, vectors))

    def set_facts(self, facts: dict[str, Any]) -> None:
        """Set facts about the run, deferred while the disk cannot be written."""
        self._pending_facts |= facts
        with suppress(*NOT_NOW):
            self._write_waiting()

    def add_scalars(self, scalars: str) -> None:
        with suppress(*NOT_NOW):
            self.writer.add_scalars(self.at, scalars)

    def add_event(self, kind: str, message: str) -> None:
        with suppress(*NOT_NOW):
            self.writer.add_event(self.at, kind, message)

    def _write_waiting(self) -> None:
        self._waiting.commit_all()
        if self._pending_facts:
            self.writer.set_facts(self._pending_facts)
            self._pending_facts = {}

    def finish(self, phase: Phase, message: str) -> None:
        """Keep the last matrix unless it can be rebuilt, record how the run ended, and release the lock. A part that
        cannot be written is omitted with a warning."""
        try:
            self.writer.set_patience(_LAST_PATIENCE)
            sealed = False
            try:
                self.writer.undo_interrupted()
                self._write_waiting()
                with suppress(*NOT_NOW):
                    self._keep_last_matrix()
                if self.ended:
                    phase, message = Phase.INTERRUPTED, self.ended
                facts: dict[str, Any] = {"phase": phase, "message": message, "changed": time.time()}
                if self._first_of_attempt is None:
                    # Otherwise the steps of the attempt before still count.
                    facts["steps"] = self.at
                self.writer.add_event(self.at, phase, message, facts)
                sealed = True
            except NOT_NOW as error:
                log.warning(
                    "%s: the record of %s has no end, and lacks its last %d steps",
                    explain_failed_write(error),
                    self.run.id,
                    len(self._waiting),
                )
            finally:
                if self._fragments is not None:
                    self._fragments.close()
                self.writer.close(sealed=sealed)
        finally:
            self._lock.close()

    def _keep_last_matrix(self) -> None:
        if self._beyond is not None:
            # The last step of the loop is recorded separately, so that the matrix belongs to a step.
            seen, step = self._beyond, self.at + 1
            effects = replace(self._measure(seen, step), gradient_ids=NO_IDS, gradient_norms=NO_NORMS)
            effects = replace(effects, layer_norms=np.full_like(effects.layer_norms, np.nan))
            self._count(seen, step)
            pulse = replace(
                self._committer.encode_step(self._measured(seen, effects, None)), keyframe=None, census=None
            )
            self._committer.commit(pulse)
            self.at = step
        elif self._exact or self._needs_keyframe:
            return
        self._committer.add_keyframe(self.at)
