"""States of an embedding as a finished run: a full matrix at each step, and the rows that moved between steps.

Nothing is known about the time between two states, so there is no batch, loss or gradient.

Tables in half precision, and large ones, lie in files of their own, in the precision in which they came, and are read and
written in blocks (`docs/decisions/0034-matrices-in-files.md`).
"""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lamplighter.client.errors import InputError
from lamplighter.client.matrix_diff import MAX_STORED_BYTES, ChangedRows, MatrixDiff, find_changed_rows
from lamplighter.client.recording.loop_facts import make_recorded_recipe
from lamplighter.contract.recipe import DEFAULT_DISK_BUDGET
from lamplighter.runfolder.matrices.stored_matrix import (
    MatrixReference,
    StoredMatrix,
    matrix_type,
    write_matrix,
)
from lamplighter.runfolder.phase import Phase
from lamplighter.runfolder.role_lock import RoleLock
from lamplighter.runfolder.run_store import create_recorded_run, require_free_path
from lamplighter.runfolder.step_numbers import NUMBERS_FACT, StepNumbers
from lamplighter.runfolder.tables.steps import StepRecord, StepsWriter
from lamplighter.wire.binary import Floats
from lamplighter.wire.frames import encode
from lamplighter.wire.pulse_frames import Pulse
from lamplighter.wire.row_frames import NEVER, Census, Rows
from lamplighter.wire.row_source import RowSource, row_blocks
from lamplighter.wire.vocabulary import Vocabulary

_ROOM = 1.1
"""Required free space, in multiples of the size of the matrices."""
_UNKNOWN = float("nan")
_MIN_STORED_BYTES = 256_000_000
"""Bytes of a float32 matrix from which it lies in a file of its own; in half precision, any does."""


class StateRecording:
    """A run under construction. Use it in a `with` block: an exception removes the run.

    The run's steps are consecutive from 0, one per state; the training steps of the states are stored as their numbers.
    """

    def __init__(
        self, path: Path, name: str, vocabulary: Vocabulary, numbers: list[int], first: RowSource
    ) -> None:
        """Create the run in `path`, which must not exist yet or be empty. `numbers`: the training step of
        each state, ascending; `first`: the first matrix, shape (V, D), which says how the matrices are
        stored.

        Raises InputError if the folder's name is not a run id or there is too little room, and
        FileExistsError.
        """
        try:
            require_free_path(path)
        except ValueError as error:
            raise InputError(str(error)) from error
        dim = first.shape[1]
        self._is_stored = is_stored(first)
        self.bytes = size = bytes_of_state(first) * len(numbers)
        """The bytes of all matrices on the disk."""
        _require_room(path, size)
        plan: dict[str, Any] = {
            "corpus": {"kind": "recorded", "name": name[:200]},
            "steps": max(1, len(numbers) - 1),
            # Enough for the matrices and their maps.
            "disk_budget": DEFAULT_DISK_BUDGET + 2 * size,
            # Every state is worth measuring.
            "cadence": {"keyframe_every": 1},
        }
        if self._is_stored:
            # Versions that know no files of matrices refuse the run.
            plan["format"] = 3
        self._at, self._last = -1, len(numbers) - 1
        self._numbers = StepNumbers([(0, numbers[0], 1)])
        for step, number in enumerate(numbers[1:], start=1):
            self._numbers.set_number(step, number)
        self._untouched = np.zeros(len(vocabulary), dtype=np.uint32)
        self.run = create_recorded_run(path, make_recorded_recipe(plan, dim), vocabulary)
        try:
            self._lock = RoleLock(self.run.path, "trainer")
            self._writer = StepsWriter(self.run.steps_path)
            self._writer.start_attempt(0)
        except BaseException:
            self._remove()
            raise
        self._diff: MatrixDiff | None = None
        self._before: StoredMatrix | None = None

    def __enter__(self) -> StateRecording:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._writer.close(sealed=error is None)
        finally:
            self._lock.close()
            if error is not None:
                self._remove()

    def add_state(self, state: RowSource) -> None:
        """Record the next state of the embedding, shape (V, D)."""
        self._at += 1
        now, attempt, size = time.time(), self._writer.attempt, len(state)
        if self._is_stored:
            self._add_stored(state, now)
            return
        matrix: Floats = np.ascontiguousarray(state[:], dtype=np.float32)
        if self._diff is None:
            # The last state is compared with no other: no copy of it is needed.
            self._diff = MatrixDiff(matrix) if self._last else None
            self._writer.add_keyframe(0, *self._encode_keyframe(matrix, now))
            return
        moved = self._diff.diff(matrix)
        rows = keyframe = census = None
        if moved.vectors is not None:
            rows = encode(Rows(attempt, self._at, now, size, moved.token_ids, moved.vectors))
        else:
            keyframe, census = self._encode_keyframe(matrix, now)
        # These steps are never recomputed, so no digest is compared.
        self._writer.commit(StepRecord(self._at, self._pulse(moved, now), b"", rows, keyframe, census))

    def _add_stored(self, state: RowSource, now: float) -> None:
        rows, width = state.shape
        reference = MatrixReference(self._writer.attempt, self._at, now, rows, width, matrix_type(state))
        write_matrix(self.run.path, reference, (block for _, block in row_blocks(state)))
        matrix = reference.open_file(self.run.path)
        keyframe, census = reference.encode(), self._encode_census(now)
        if self._before is None:
            self._writer.add_keyframe(0, keyframe, census)
        else:
            pulse = self._pulse(find_changed_rows(self._before, matrix), now)
            self._writer.commit(StepRecord(self._at, pulse, b"", None, keyframe, census))
        self._before = matrix

    def set_landmarks(self, ids: NDArray[np.int64] | None) -> None:
        """Set which tokens the map lays out, ascending; None if the vocabulary itself says which."""
        if ids is not None:
            self.run.write_landmarks(ids)

    def finish(self, message: str, more: dict[str, Any] | None = None) -> None:
        """End the run with a message, and more facts about it."""
        facts = {
            "phase": Phase.FINISHED,
            "message": message[:500],
            "changed": time.time(),
            "steps": self._at,
            "layers": [],
        } | (more or {})
        if not self._numbers.are_steps:
            facts[NUMBERS_FACT] = self._numbers.stretches
        self._writer.add_event(self._at, Phase.FINISHED, message[:500], facts)

    def _encode_keyframe(self, matrix: Floats, now: float) -> tuple[bytes, bytes]:
        return encode(Rows.of_matrix(self._writer.attempt, self._at, now, matrix)), self._encode_census(now)

    def _encode_census(self, now: float) -> bytes:
        never = np.full(len(self._untouched), NEVER, dtype=np.uint32)
        return encode(Census(self._writer.attempt, self._at, now, self._untouched, never))

    def _pulse(self, moved: ChangedRows, now: float) -> bytes:
        none, numbers = np.empty(0, dtype=np.uint32), np.empty(0, dtype=np.float32)
        pulse = Pulse(
            attempt=self._writer.attempt,
            step=self._at,
            time=now,
            vocabulary=len(self._untouched),
            loss=_UNKNOWN,
            learning_rate=_UNKNOWN,
            tokens_per_second=_UNKNOWN,
            step_seconds=_UNKNOWN,
            observe_seconds=_UNKNOWN,
            # Every training step reads rows, so a step without rows means an unknown batch.
            batch_ids=none,
            batch_counts=none,
            gradient_ids=none,
            gradient_norms=numbers,
            moved_ids=moved.token_ids,
            moved_distances=moved.distances,
            layer_norms=numbers,
            verified=True,
        )
        return encode(pulse)

    def _remove(self) -> None:
        shutil.rmtree(self.run.path, ignore_errors=True)


def is_stored(matrix: RowSource) -> bool:
    """Return whether a matrix is stored in a file of its own: in half precision, or a large one."""
    rows, width = matrix.shape
    return matrix_type(matrix) != "F32" or 4 * rows * width >= _MIN_STORED_BYTES


def bytes_of_state(matrix: RowSource) -> int:
    """Return the bytes of a matrix on the disk. Raises InputError if a run cannot hold them."""
    rows, width = matrix.shape
    size = rows * width * (4 if matrix_type(matrix) == "F32" else 2)
    if size > MAX_STORED_BYTES:
        raise InputError(
            f"a matrix of {size / 1e9:,.1f} GB: at most {MAX_STORED_BYTES / 1e9:,.0f} GB can be shown"
        )
    return size


def _require_room(path: Path, size: int) -> None:
    near = next((folder for folder in path.parents if folder.is_dir()), path)
    free = shutil.disk_usage(near).free
    if free < _ROOM * size:
        raise InputError(
            f"the matrices take {size / 1e6:,.0f} MB, and {free / 1e6:,.0f} MB are free on the disk: make room, or give fewer checkpoints"
        )
