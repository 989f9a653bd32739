"""Recording of a foreign training loop's steps: each is measured, encoded once and committed in one transaction."""

from __future__ import annotations

import hashlib
import logging
import struct
import time
from collections import deque
from contextlib import suppress
from dataclasses import replace
from typing import Any, Protocol

import numpy as np

from lamplighter.client.matrix_diff import ChangedRows, MatrixDiff
from lamplighter.runfolder.phase import Phase
from lamplighter.runfolder.role_lock import RoleLock
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.steps import StepRecord, StepsReader, StepsWriter
from lamplighter.runfolder.writing.free_space import DISK_FULL_ERRORS
from lamplighter.runfolder.writing.step_commit import MeasuredStep, StepCommitter
from lamplighter.wire.binary import Floats, UInts
from lamplighter.wire.pulse_frames import StepEffects
from lamplighter.wire.row_frames import NEVER

log = logging.getLogger(__name__)

WAITING_STEPS, WAITING_BYTES = 10_000, 64_000_000
"""Limits of the steps that wait in memory for disk space; beyond them the record ends."""


class ComparedMatrix(Protocol):
    """A matrix in training, as it was when it was last compared."""

    @property
    def matrix(self) -> Floats:
        """Return the matrix at the last comparison, in host memory, shape (V, D)."""
        ...


class StepRecording:
    """A recording in progress: the run of one loop, from its first matrix on."""

    def __init__(
        self, run: RunFolder, lock: RoleLock, matrix: Floats | ComparedMatrix, first: int, end: int
    ) -> None:
        self.run, self._lock = run, lock
        self.matrix_diff = MatrixDiff(matrix) if isinstance(matrix, np.ndarray) else matrix
        rows = len(self.matrix_diff.matrix)
        self.layers: list[str] = []
        self.touches: UInts = np.zeros(rows, dtype=np.uint32)
        self.last_lit: UInts = np.full(rows, NEVER, dtype=np.uint32)
        self._exact = False
        self._needs_keyframe = first > 0
        self.writer = StepsWriter(run.steps_path)
        self.writer.start_attempt(first)
        self._committer = StepCommitter(run, self.writer, self)
        if first == 0:
            self._committer.add_keyframe(0)
            self._exact = True
        self._waiting: deque[StepRecord] = deque()
        self._waiting_bytes = 0
        self._pending_facts: dict[str, Any] = {}
        self.ended_early = False
        """Set when the record has ended before the loop, because the disk was full for too long."""
        facts = {"phase": Phase.RUNNING, "message": "", "changed": time.time(), "steps": end}
        self.writer.add_event(first, "started", "recorded from a training loop of its own", facts)

    def embedding(self) -> Floats:
        """Return the matrix at the last comparison, shape (V, D); not a copy."""
        return self.matrix_diff.matrix

    def commit(
        self,
        step: int,
        matrix: Floats | ChangedRows,
        batch: tuple[UInts, UInts],
        gradient_rows: tuple[UInts, Floats] | None,
        scalars: tuple[float, float],
        ended: float,
        seconds: float,
        *,
        seen_first: bool,
    ) -> None:
        """Measure what the step changed and commit it. While the disk is full, steps wait in memory and are committed
        later, in order.
        """
        if self.ended_early:
            return
        # If this is interrupted (Ctrl-C) and the loop goes on, the copy is ahead of the record, so the next step must
        # keep the whole matrix.
        whole, self._needs_keyframe = self._needs_keyframe, True
        if isinstance(matrix, ChangedRows):
            changed = matrix
        else:
            assert isinstance(self.matrix_diff, MatrixDiff)
            changed = self.matrix_diff.diff(matrix)
        none = np.empty(0, dtype=np.uint32)
        gradient_ids, norms = (
            gradient_rows if gradient_rows is not None else (none, np.empty(0, dtype=np.float32))
        )
        with np.errstate(over="ignore", invalid="ignore"):
            norm = np.float32(np.linalg.norm(norms)) if gradient_rows is not None else np.float32(np.nan)
        effects = StepEffects(
            step=step,
            loss=scalars[0],
            batch_ids=batch[0],
            batch_counts=batch[1],
            gradient_ids=gradient_ids,
            gradient_norms=norms,
            moved_ids=changed.token_ids,
            moved_distances=changed.distances,
            layer_norms=np.full(len(self.layers), norm, dtype=np.float32),
            verified=not seen_first,
        )
        few = changed.vectors is not None and 2 * len(changed.token_ids) <= len(self.touches)
        digest = _digest(effects, changed.vectors)
        measured = MeasuredStep(effects, changed.vectors if few else None, digest, scalars[1], ended, seconds)
        before = self.touches, self.last_lit
        self.touches, self.last_lit = self.touches.copy(), self.last_lit.copy()
        self.touches[batch[0]] += 1
        self.last_lit[batch[0]] = step
        try:
            self._write(measured, whole=whole)
        except BaseException:
            self.touches, self.last_lit = before
            raise
        self._needs_keyframe = False
        self._committer.observe_seconds = time.time() - ended

    def _write(self, measured: MeasuredStep, *, whole: bool) -> None:
        # While earlier steps wait without their matrices, moved rows have no base to apply to.
        record = self._committer.encode_step(measured, whole=whole or bool(self._waiting))
        try:
            self._write_waiting()
            kept = self._committer.commit(record)
        except DISK_FULL_ERRORS as error:
            self._exact = False
            self._enqueue(replace(record, rows=None, keyframe=None, census=None), str(error))
            return
        self._exact = kept and (record.keyframe is not None or (record.rows is not None and self._exact))

    def set_facts(self, facts: dict[str, Any]) -> None:
        """Set facts about the run, deferred while the disk is full."""
        self._pending_facts |= facts
        with suppress(*DISK_FULL_ERRORS):
            self._write_waiting()

    def _write_waiting(self) -> None:
        while self._waiting:
            self.writer.commit(self._waiting[0])
            self._waiting_bytes -= len(self._waiting.popleft().pulse)
        if self._pending_facts:
            self.writer.set_facts(self._pending_facts)
            self._pending_facts = {}

    def _enqueue(self, record: StepRecord, why: str) -> None:
        """Keep a step in memory, without its matrix, until there is disk space."""
        if not self._waiting:
            log.warning("the disk is full (%s): what is recorded waits in memory until there is room", why)
        self._waiting.append(record)
        self._waiting_bytes += len(record.pulse)
        if len(self._waiting) > WAITING_STEPS or self._waiting_bytes > WAITING_BYTES:
            self.ended_early = True
            log.warning(
                "the disk has been full for too long: the record ends before step %d; the loop goes on",
                self._waiting[0].step,
            )
            self._waiting.clear()

    def finish(self, step: int, phase: Phase, message: str) -> None:
        """Keep the last matrix unless it can be rebuilt, record how the run ended, and release the lock. Whatever the
        disk has no space for is left out, with a warning.
        """
        try:
            sealed = False
            try:
                self._write_waiting()
                if self.ended_early:
                    with StepsReader(self.run.steps_path) as reader:
                        step = reader.newest_step()[1]
                    phase, message = (
                        Phase.INTERRUPTED,
                        f"the disk was full: what followed step {step} is not recorded",
                    )
                elif (
                    not self._exact
                    and step
                    and self._committer.snapshots != "none"
                    and not self._needs_keyframe
                ):
                    with suppress(*DISK_FULL_ERRORS):
                        self._committer.add_keyframe(step)
                facts = {"phase": phase, "message": message, "changed": time.time(), "steps": step}
                self.writer.add_event(step, phase, message, facts)
                sealed = True
            except DISK_FULL_ERRORS as error:
                log.warning(
                    "the disk is full (%s): the record of %s has no end, and lacks its last %d steps",
                    error,
                    self.run.id,
                    len(self._waiting),
                )
            finally:
                self.writer.close(sealed=sealed)
        finally:
            self._lock.close()


def _digest(effects: StepEffects, moved_vectors: Floats | None) -> bytes:
    digest = hashlib.blake2b(struct.pack("<If", effects.step, effects.loss), digest_size=16)
    for array in (effects.batch_ids, effects.gradient_norms, effects.moved_ids, moved_vectors if moved_vectors is not None else effects.moved_distances):
        digest.update(np.ascontiguousarray(array).data)
    return digest.digest()
