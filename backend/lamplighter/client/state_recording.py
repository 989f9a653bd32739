"""States of an embedding as a finished run: a whole matrix at each step, and the rows that moved from one to the next.

Of what happened between two states nothing is known, and nothing is claimed: no batch, no loss, no gradient.
"""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from types import TracebackType

import numpy as np

from lamplighter.client.errors import InputError
from lamplighter.client.matrix_diff import ChangedRows, MatrixDiff
from lamplighter.client.recording.loop_facts import make_recorded_recipe
from lamplighter.recipe import DEFAULT_DISK_BUDGET
from lamplighter.runfolder.phase import Phase
from lamplighter.runfolder.role_lock import RoleLock
from lamplighter.runfolder.run_store import create_recorded_run, require_free_path
from lamplighter.runfolder.tables.steps import StepRecord, StepsWriter
from lamplighter.wire.binary import Floats
from lamplighter.wire.frames import encode
from lamplighter.wire.pulse_frames import Pulse
from lamplighter.wire.row_frames import NEVER, Census, Rows
from lamplighter.wire.vocabulary import Vocabulary

_ROOM = 1.1
"""Free space that is asked for, in sizes of the matrices."""
_UNKNOWN = float("nan")


class StateRecording:
    """A run in the making. Use it in a `with`: after an exception nothing is left of it."""

    def __init__(self, path: Path, name: str, vocabulary: Vocabulary, steps: list[int], dim: int) -> None:
        """Create the run.

        Args:
            path: its folder, which must not exist yet or be empty.
            name: what people call it.
            vocabulary: its tokens, V of them.
            steps: those of the states to come, ascending.
            dim: D.

        Raises:
            InputError: the folder's name is no run id, or there is too little room for the matrices.
            FileExistsError: `path` is not empty.
        """
        try:
            require_free_path(path)
        except ValueError as error:
            raise InputError(str(error)) from error
        size = 4 * len(vocabulary) * dim * len(steps)
        _require_room(path, size)
        plan = {
            "corpus": {"kind": "recorded", "name": name[:200]},
            "steps": max(1, steps[-1]),
            # Enough for the matrices, and as much again for their maps.
            "disk_budget": DEFAULT_DISK_BUDGET + 2 * size,
        }
        self._first, self._last = steps[0], steps[-1]
        self._nothing = np.zeros(len(vocabulary), dtype=np.uint32)
        self.run = create_recorded_run(path, make_recorded_recipe(plan, dim), vocabulary)
        try:
            self._lock = RoleLock(self.run.path, "trainer")
            self._writer = StepsWriter(self.run.steps_path)
            self._writer.start_attempt(self._first)
        except BaseException:
            self._remove()
            raise
        self._diff: MatrixDiff | None = None

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

    def add_state(self, step: int, matrix: Floats) -> int:
        """Record the embedding after a step, shape (V, D). Return how many rows moved since the state before."""
        now, attempt, size = time.time(), self._writer.attempt, len(matrix)
        keyframe = encode(Rows.of_matrix(attempt, step, now, matrix))
        census = encode(Census(attempt, step, now, self._nothing, np.full(size, NEVER, dtype=np.uint32)))
        moved = None if self._diff is None else self._diff.diff(matrix)
        if self._diff is None:
            self._diff = MatrixDiff(matrix)
        if step == 0:
            # The state before any training is no step: it has a keyframe alone.
            self._writer.add_keyframe(0, keyframe, census)
        else:
            pulse = encode(self._pulse(step, now, moved, size))
            # Nothing can be computed again, so there is nothing to compare by a digest.
            self._writer.commit(StepRecord(step, pulse, b"", keyframe=keyframe, census=census))
        return 0 if moved is None else len(moved.token_ids)

    def finish(self, message: str) -> None:
        """End the run, with a message for people."""
        facts = {
            "phase": Phase.FINISHED,
            "message": message[:500],
            "changed": time.time(),
            "steps": self._last,
            "layers": [],
        }
        self._writer.add_event(self._last, Phase.FINISHED, message[:500], facts)

    def _pulse(self, step: int, now: float, moved: ChangedRows | None, size: int) -> Pulse:
        ids, numbers = np.empty(0, dtype=np.uint32), np.empty(0, dtype=np.float32)
        return Pulse(
            attempt=self._writer.attempt,
            step=step,
            time=now,
            vocabulary=size,
            loss=_UNKNOWN,
            learning_rate=_UNKNOWN,
            tokens_per_second=_UNKNOWN,
            step_seconds=_UNKNOWN,
            observe_seconds=_UNKNOWN,
            # No step of training reads nothing: without rows the batch is not known.
            batch_ids=ids,
            batch_counts=ids,
            gradient_ids=ids,
            gradient_norms=numbers,
            moved_ids=ids if moved is None else moved.token_ids,
            moved_distances=numbers if moved is None else moved.distances,
            layer_norms=numbers,
            # Of the first state it is not known what moved.
            verified=moved is not None,
        )

    def _remove(self) -> None:
        shutil.rmtree(self.run.path, ignore_errors=True)


def _require_room(path: Path, size: int) -> None:
    near = next((folder for folder in path.parents if folder.is_dir()), path)
    free = shutil.disk_usage(near).free
    if free < _ROOM * size:
        raise InputError(
            f"the matrices take {size / 1e6:,.0f} MB, and {free / 1e6:,.0f} MB are free on the disk: make room, or give fewer"
        )
