"""The recorder of any training loop: the loop only makes one call per step.

The record is measured on the given matrix: the rows whose bits changed since the last call.
"""

from __future__ import annotations

import atexit
import logging
import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, SupportsIndex, cast

from lamplighter.client.errors import InputError, whole_number
from lamplighter.client.matrix_diff import ChangedRows
from lamplighter.client.recording.loop_facts import LoopFacts, displayed_end
from lamplighter.client.recording.planned_record import PlannedRecord
from lamplighter.client.recording.record_warnings import describe_error, warn
from lamplighter.client.recording.step_arguments import (
    BatchRows,
    GradientRows,
    StepConsistency,
    StepStretch,
    count_batch_rows,
    find_gradient_rows,
    read_gradient_norms,
    to_float32_scalar,
)
from lamplighter.client.recording.step_recording import ComparedMatrix, ReportedStep, StepRecording
from lamplighter.contract.sentences import say
from lamplighter.runfolder.phase import ENDED_PHASES, Phase
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.step_numbers import MAX_NUMBER
from lamplighter.runfolder.writing.free_space import DISK_FULL_ERRORS, is_disk_full
from lamplighter.wire.binary import Floats
from lamplighter.wire.vocabulary import Vocabulary

log = logging.getLogger(__name__)


class Recorder:
    """A recorder of one training loop. It holds the run's trainer role, and closes when the program ends.

    Thread-safe. In a forked child it does nothing.
    """

    def __init__(
        self,
        path: Path,
        vocabulary: Vocabulary,
        plan: dict[str, Any],
        loop: LoopFacts,
        *,
        embedding: Any,
        raises: bool,
        resume: bool = False,
    ) -> None:
        """Check the arguments (see `record`), and create the run, or find it, if `embedding` is given."""
        self._path, self._vocabulary, self._loop = path, vocabulary, loop
        self._planned = PlannedRecord(path, vocabulary, plan, loop, resume=resume)
        self._raises = raises
        self._end = loop.planned_steps()
        self._recording: StepRecording | None = None
        self._closed = self._silent = False
        self._lock, self._process = threading.RLock(), os.getpid()
        self._stretch, self._consistency = StepStretch(), StepConsistency(len(vocabulary))
        self._recorded_number = self.number = loop.first_step
        """The number of the loop's last step."""
        self._returned = time.perf_counter()
        self.after_close: Callable[[], object] = lambda: None
        """Called once the run has ended."""
        if embedding is not None:
            compared = isinstance(embedding, ComparedMatrix)
            matrix = embedding if compared else self._checked_matrix(embedding)
            self._recording = self._planned.begin_recording(matrix, first=0)
        self._earlier_error = getattr(sys, "last_value", None)
        atexit.register(self.close_at_exit)

    def __enter__(self) -> Recorder:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close_after(error)

    def __repr__(self) -> str:
        return f"<lamplighter recorder of {self._path}: {self.at} steps>"

    @property
    def folder(self) -> Path:
        """Return the path of the run's folder, which appears with the first matrix."""
        return self._path

    @property
    def at(self) -> int:
        """Return the number of recorded steps."""
        return self._recording.at if self._recording else 0

    @property
    def next_step(self) -> tuple[int, int]:
        """Return the attempt and the record's own number of the next step."""
        return self._recording.next_step if self._recording else (1, 1)

    @property
    def is_recording(self) -> bool:
        """Return whether a further step would be recorded: False once the recorder is closed or its record has
        ended."""
        return not self._closed and not (self._recording and self._recording.ended)

    @property
    def why_ended(self) -> str:
        """Return why the record ended before the loop; empty if it has not."""
        return self._recording.ended if self._recording else ""

    @property
    def run(self) -> RunFolder | None:
        """Return the run's folder; None before the first matrix."""
        return self._recording.run if self._recording else None

    def step(
        self,
        embedding: Any,
        token_ids: Any,
        loss: Any,
        *,
        learning_rate: float | None = None,
        gradient: Any = None,
        gradient_norms: Any = None,
        step: SupportsIndex | None = None,
    ) -> None:
        """Record one step, after the optimiser's update. Costs a comparison of the matrix and a commit.

        Args:
            embedding: the matrix after the step, shape (V, D): a tensor on any device or an array; float32 is kept
                bit for bit, other precisions as float32. Only read in recorded steps (`every`).
            token_ids: the batch's token ids, whole numbers of any shape; -100 is padding.
            loss: the batch's loss, in nats per token; None: unknown.
            learning_rate: the embedding's learning rate.
            gradient: the embedding's gradient, `weight.grad`, dense or sparse, shape (V, D), before it is cleared. Its
                norm is also charted. Without it the gradient is unknown.
            gradient_norms: instead of `gradient`: the norms of its rows, shape (V,), or a pair of the ids of its
                non-zero rows and their norms.
            step: the step's number in the loop, above the previous one; by default the previous one plus one.

        Raises:
            InputError: with `on_error="raise"`: an argument does not match the vocabulary or the previous matrix; the
                step is not recorded.
        """
        if os.getpid() != self._process:
            return
        ended = time.time()
        with self._lock:
            if self._silent:
                return
            seconds = time.perf_counter() - self._returned
            try:
                if self._closed:
                    raise InputError("this recorder is closed")
                rows = self._read_rows(token_ids, gradient, gradient_norms)
                scalars = to_float32_scalar(loss, "loss"), to_float32_scalar(learning_rate, "learning_rate")
                number = self._next_number(step)
                self._record(embedding, rows, number, scalars, ended, seconds)
            except Exception as error:
                # Catch every error: a record must not end a training unless requested.
                if self._raises:
                    raise
                self.end_with(error)
            self._returned = time.perf_counter()

    def _read_rows(
        self, token_ids: Any, gradient: Any, gradient_norms: Any
    ) -> tuple[BatchRows, GradientRows | None]:
        size = len(self._vocabulary)
        batch = count_batch_rows(token_ids, size)
        if gradient is not None and gradient_norms is not None:
            raise InputError("gradient and gradient_norms: give only one of them")
        if gradient is not None:
            dim = self._recording.embedding().shape[1] if self._recording else None
            return batch, find_gradient_rows(gradient, size, dim)
        return batch, None if gradient_norms is None else read_gradient_norms(gradient_norms, size)

    def _next_number(self, step: SupportsIndex | None) -> int:
        if step is None:
            return self.number + 1
        number = whole_number(step, "step")
        if not self.number < number <= MAX_NUMBER:
            raise InputError(f"step: {number} does not follow {self.number}: step numbers must increase")
        return number

    def _record(
        self,
        embedding: Any,
        rows: tuple[BatchRows, GradientRows | None],
        number: int,
        scalars: tuple[float, float],
        ended: float,
        seconds: float,
    ) -> None:
        every = self._loop.every
        due = number // every > self._recorded_number // every
        matrix = self._checked_matrix(embedding) if due else None
        self._stretch.add_step(*rows, seconds)
        self.number = number
        if matrix is None:
            return
        seen = ReportedStep(number, self._stretch.take_stretch(), *scalars, ended)
        first = self._recording is None
        if self._recording is not None or self._try_create_recording(matrix):
            self._commit(seen, matrix, seen_first=first)

    def lose_step(self) -> None:
        """Note that a comparison was not recorded, so that the next step keeps the full matrix."""
        with self._lock:
            if self._recording is not None:
                self._recording.lose_step()

    def step_found(self, seen: ReportedStep, changed: ChangedRows, *, whole_batch: bool = True) -> None:
        """Record a step that was measured elsewhere, in a recorder that was started with a `ComparedMatrix`.

        Args:
            seen: the step, with a number above the previous one.
            changed: the rows that moved since the previous step.
            whole_batch: whether the ids are complete; otherwise they need not match the gradient.

        Raises:
            InputError: the recorder is closed.
        """
        with self._lock:
            if self._closed or self._recording is None:
                raise InputError("this recorder is closed")
            self.number = seen.number
            self._commit(seen, changed, seen_first=False, checked=whole_batch)

    def _commit(
        self, seen: ReportedStep, matrix: Floats | ChangedRows, *, seen_first: bool, checked: bool = True
    ) -> None:
        recording = cast(StepRecording, self._recording)
        if self._loop.steps is None and recording.at >= self._end:
            self._end = displayed_end(recording.at + 1)
            recording.set_facts({"steps": self._end})
        moved = recording.commit(seen, matrix, seen_first=seen_first)
        self._recorded_number = seen.number
        if not checked:
            return
        contradiction = self._consistency.find_contradiction(
            seen.rows.batch.token_ids, seen.rows.gradient, moved
        )
        if contradiction is not None:
            recording.add_event("contradiction", contradiction)
            warn(f"step {seen.number} of {self._path.name}: {contradiction}")

    def note(self, kind: str, message: str) -> None:
        """Add an event to the last recorded step."""
        with self._lock:
            if self._recording is not None and self.is_recording:
                self._recording.add_event(kind, message)

    def add_scalars(self, scalars: str) -> None:
        """Store encoded numbers of a loop (`runfolder/tables/scalars.py`) with the last recorded step."""
        with self._lock:
            if self._recording is not None and self.is_recording:
                self._recording.add_scalars(scalars)

    def close(self, phase: str = Phase.FINISHED, message: str = "") -> None:
        """End the run, as the end of a `with` block or of the program does. A run that never began leaves no files.

        Args:
            phase: how it ended: `finished`, `interrupted` or `failed`.
            message: a message about the end; by default the number of recorded steps.

        Raises:
            InputError: `phase` is none of these.
        """
        if phase not in ENDED_PHASES:
            raise InputError(f"phase: {', '.join(ENDED_PHASES)}, not {phase!r}")
        if os.getpid() != self._process:
            return
        with self._lock:
            if self._closed:
                return
            self._closed = True
            atexit.unregister(self.close_at_exit)
            if self._recording is not None:
                self._recording.finish(Phase(phase), message or say("steps_recorded", steps=self.at))
            self.after_close()

    def close_after(self, error: BaseException | None, message: str = "") -> None:
        """Close after the end of the loop, with an error or, without one, a message. Our own error does not hide the loop's."""
        try:
            if error is None:
                self.close(message=message)
            else:
                description = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
                self.close(Phase.INTERRUPTED, say("loop_stopped", step=self.number, error=description))
        except Exception as own:
            if self._raises and error is None:
                raise
            warn(f"the end of {self._path.name} could not be recorded: {describe_error(own)}")

    def close_at_exit(self) -> None:
        """Close as the program ends: interrupted if an error of the loop ended it."""
        self.close_after(self.error_of_loop())

    def error_of_loop(self) -> BaseException | None:
        """Return the last error that Python printed, if it happened during this loop."""
        error = getattr(sys, "last_value", None)
        return None if error is self._earlier_error else error

    def end_with(self, error: Exception) -> None:
        """End the record with one warning, so that the loop continues."""
        self._silent = True
        reason = describe_error(error)
        warn(
            f"the record of {self._path.name} ends after step {self._recorded_number}: {reason}. Training continues"
        )
        if self._closed:
            return
        try:
            self.close(Phase.INTERRUPTED, say("not_recorded_after", step=self._recorded_number, error=reason))
        except Exception as own:  # noqa: BLE001 (no error of a record ends a training)
            log.warning("the end of %s could not be recorded: %s", self._path.name, describe_error(own))

    def _checked_matrix(self, embedding: Any) -> Floats:
        before = self._recording.embedding().shape if self._recording else None
        return self._planned.check_matrix(embedding, before)

    def _try_create_recording(self, matrix: Floats) -> bool:
        """Create the run during a loop, which must not stop because the disk is full."""
        try:
            self._recording = self._planned.begin_recording(matrix, first=1)
        except (*DISK_FULL_ERRORS, OSError) as error:
            if not is_disk_full(error):
                raise
            self._silent = True
            log.warning("the disk is full (%s): the loop continues without being recorded", error)
        return self._recording is not None
