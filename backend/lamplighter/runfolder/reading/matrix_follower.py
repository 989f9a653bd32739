"""The newest embedding of a live run: one matrix, advanced step by step.

`snapshot` rebuilds any step from scratch; a `MatrixFollower` keeps the newest matrix and applies only new
moves, so that its cost is proportional to the rows that moved. It handles keyframes, moved rows and changes
of attempt. It does not schedule itself: poll `StepsReader.version`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lamplighter.runfolder.lineage import Lineage
from lamplighter.runfolder.matrices.stored_matrix import StoredMatrix
from lamplighter.runfolder.reading.matrix_history import MatrixHistory
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.wire.frames import decode_as
from lamplighter.wire.row_frames import Rows

_BATCH = 64
"""Steps read at a time: bounds memory, and lets the WAL be checkpointed in between."""


class MatrixFollower:
    """The newest exact embedding of a run.

    Memory: the matrix and one batch of moved rows. `advance` takes the reader, since the position outlives a reader.
    """

    def __init__(self, run: RunFolder) -> None:
        self._run = run
        self.attempt = 0
        """The attempt of the current step; 0 before the first."""
        self.step = -1
        """The current step; -1 before the first."""
        self.time = 0.0
        """The end of the current step, Unix seconds."""
        self.vectors: NDArray[np.float32] | StoredMatrix = np.empty((0, 0), dtype=np.float32)
        """Shape (V, D). Changed in place: copy it to keep it past the next `advance`. A matrix in a file of its own is not
        read."""

    def advance(self, reader: StepsReader, *, to: int | None = None) -> bool:
        """Advance to the newest step that can be rebuilt exactly, not beyond step `to`.

        If moved rows are not kept (dense updates, an exhausted disk budget), that is a keyframe. If a new
        attempt supersedes the current step, restart from the last keyframe on the lineage. Returns whether
        the step or the attempt of the matrix has changed.
        """
        before = (self.attempt, self.step)
        Lineage.stable(reader, lambda lineage: self._advance_on(lineage, reader, to))
        return (self.attempt, self.step) != before and self.step >= 0

    def _advance_on(self, lineage: Lineage, reader: StepsReader, to: int | None) -> None:
        """Advance on a lineage. The matrix takes only reads during which the lineage stayed the same. Raises
        LineageChangedError if a new attempt began.
        """
        newest = reader.newest_step()[1]
        target = newest if to is None else min(to, newest)
        if not lineage.counts(self.attempt, self.step) or self.step > target:
            self.attempt, self.step = 0, -1
        key = reader.keyframe_step(target)
        if key is not None and key > self.step:
            found = reader.keyframe(key)
            lineage.require_current(reader)
            # Pruning may have dropped the keyframe between the two reads; its rows are in tiles then.
            if found is not None and found.step > self.step:
                vectors = found.vectors
                self.vectors = vectors if isinstance(vectors, StoredMatrix) else vectors.copy()
                self.attempt, self.step, self.time = found.attempt, found.step, found.time
        if isinstance(self.vectors, StoredMatrix):
            # Every state of such a run is a keyframe.
            return
        while 0 <= self.step < target:
            batch_end = self.step + _BATCH
            moved = reader.rows(self.step + 1, target, limit=_BATCH)
            lineage.require_current(reader)
            for step, data in moved:
                if step != self.step + 1:
                    break
                rows = decode_as(data, Rows)
                self.vectors[rows.token_ids] = rows.vectors
                self.attempt, self.step, self.time = rows.attempt, rows.step, rows.time
            if self.step < batch_end:
                # The target is reached, or rows are missing.
                break
        if 0 <= self.step < target and self._run.tiles_path.exists():
            self._advance_by_tiles(target, lineage)

    def _advance_by_tiles(self, target: int, lineage: Lineage) -> None:
        """Advance through tiles, for rows that `steps.sqlite` lacks. Raises LineageChangedError if a new
        attempt began.
        """
        with MatrixHistory(self._run) as history:
            if history.is_tiled(self.step + 1):
                found = history.snapshot(target, nearest=True)
                lineage.require_current(history.steps)
                self.vectors, self.attempt, self.step = found.vectors, found.attempt, found.step
                self.time = found.time
