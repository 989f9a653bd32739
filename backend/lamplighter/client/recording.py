"""What is kept of each step of somebody else's loop: measured, encoded once, committed as one."""

from __future__ import annotations

import hashlib
import struct
import time

import numpy as np

from lamplighter.client.mirror import Mirror, Moved
from lamplighter.runfolder.budget import DiskBudget
from lamplighter.runfolder.folder import RunFolder
from lamplighter.runfolder.lock import RoleLock
from lamplighter.runfolder.steps import StepRecord, StepsWriter
from lamplighter.wire.frames import NEVER, Census, Floats, Pulse, Rows, UInts, encode


def keyframe_of(attempt: int, step: int, when: float, matrix: Floats) -> bytes:
    """A whole matrix, shape (V, D), as a frame."""
    ids = np.arange(len(matrix), dtype=np.uint32)
    return encode(Rows(attempt, step, when, len(matrix), ids, matrix))


class Recording:
    """One run being written: the loop's, from its first matrix on."""

    def __init__(self, run: RunFolder, lock: RoleLock, matrix: Floats, first: int, end: int) -> None:
        self.run, self._lock = run, lock
        self.mirror = Mirror(matrix)
        self.layers: list[str] = []
        self.observe_seconds = 0.0
        self._touches: UInts = np.zeros(len(matrix), dtype=np.uint32)
        self._last_lit: UInts = np.full(len(matrix), NEVER, dtype=np.uint32)
        self._exact = False
        self._whole_next = first > 0
        self.writer = StepsWriter(run.steps_path)
        self.writer.begin_attempt(first)
        if first == 0:
            now = time.time()
            self.writer.keep_start(self._keyframe(0, now), self._census(0, now))
            self._exact = True
        self._budget = DiskBudget(run, self.writer)
        facts = {"phase": "running", "message": "", "changed": time.time(), "steps": end}
        self.writer.add_event(first, "started", "recorded from a training loop of its own", facts)

    def commit(
        self,
        step: int,
        matrix: Floats,
        batch: tuple[UInts, UInts],
        lit: tuple[UInts, Floats] | None,
        scalars: tuple[float, float],
        ended: float,
        seconds: float,
        *,
        seen_first: bool,
    ) -> None:
        """Measure what the step did and commit it."""
        # When this is cut short (Ctrl-C) and the loop goes on, the copy has run ahead of the record: the next
        # step then keeps the whole matrix.
        whole, self._whole_next = self._whole_next, True
        moved = self.mirror.look(matrix)
        none = np.empty(0, dtype=np.uint32)
        gradient_ids, norms = lit if lit is not None else (none, np.empty(0, dtype=np.float32))
        with np.errstate(over="ignore", invalid="ignore"):
            norm = np.float32(np.linalg.norm(norms)) if lit is not None else np.float32(np.nan)
        attempt, size = self.writer.attempt, len(matrix)
        pulse = Pulse(
            attempt=attempt,
            step=step,
            time=ended,
            vocabulary=size,
            loss=scalars[0],
            learning_rate=scalars[1],
            tokens_per_second=float(batch[1].sum()) / max(seconds + self.observe_seconds, 1e-9),
            step_seconds=seconds,
            observe_seconds=self.observe_seconds,
            batch_ids=batch[0],
            batch_counts=batch[1],
            gradient_ids=gradient_ids,
            gradient_norms=norms,
            moved_ids=moved.token_ids,
            moved_distances=moved.distances,
            layer_norms=np.full(len(self.layers), norm, dtype=np.float32),
            verified=not seen_first,
        )
        before = self._touches, self._last_lit
        self._touches, self._last_lit = self._touches.copy(), self._last_lit.copy()
        self._touches[batch[0]] += 1
        self._last_lit[batch[0]] = step
        try:
            self._write(step, pulse, moved, whole=whole)
        except BaseException:
            self._touches, self._last_lit = before
            raise
        self._whole_next = False

    def _write(self, step: int, pulse: Pulse, moved: Moved, *, whole: bool) -> None:
        attempt, size, ended = pulse.attempt, pulse.vocabulary, pulse.time
        self._budget.look(step)
        keeping = self._budget.snapshots
        rows = keyframe = census = None
        if not whole and keeping == "all" and 2 * len(moved.token_ids) <= size:
            rows = encode(Rows(attempt, step, ended, size, moved.token_ids, moved.vectors))
        if (whole or step % self.run.recipe.cadence.keyframe_every == 0) and keeping != "none":
            keyframe, census = self._keyframe(step, ended), self._census(step, ended)
        self.writer.commit(StepRecord(step, encode(pulse), _digest(pulse, moved), rows, keyframe, census))
        self._exact = keyframe is not None or (rows is not None and self._exact)

    def end(self, step: int, phase: str, message: str) -> None:
        """Keep the last matrix if it could not be had otherwise, say how it ended, and let go."""
        try:
            sealed = False
            try:
                if not self._exact and step and self._budget.snapshots != "none" and not self._whole_next:
                    now = time.time()
                    self.writer.keep_keyframe(step, self._keyframe(step, now), self._census(step, now))
                facts = {"phase": phase, "message": message, "changed": time.time(), "steps": step}
                self.writer.add_event(step, phase, message, facts)
                sealed = True
            finally:
                self.writer.close(sealed=sealed)
        finally:
            self._lock.close()

    def _keyframe(self, step: int, when: float) -> bytes:
        return keyframe_of(self.writer.attempt, step, when, self.mirror.matrix)

    def _census(self, step: int, when: float) -> bytes:
        return encode(Census(self.writer.attempt, step, when, self._touches, self._last_lit))


def _digest(pulse: Pulse, moved: Moved) -> bytes:
    digest = hashlib.blake2b(struct.pack("<If", pulse.step, pulse.loss), digest_size=16)
    for array in (pulse.batch_ids, pulse.gradient_norms, moved.token_ids, moved.vectors):
        digest.update(np.ascontiguousarray(array).data)
    return digest.digest()
