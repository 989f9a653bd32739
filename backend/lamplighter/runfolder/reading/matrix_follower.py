"""The newest embedding of a live run: one matrix, advanced step by step.

`snapshot` rebuilds any step from scratch; a `MatrixFollower` keeps the newest matrix and applies only new
moves, so that its cost is proportional to the rows that moved. It handles keyframes, moved rows and changes
of attempt. It does not schedule itself: poll `StepsReader.version`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lamplighter.runfolder.lineage import Lineage
from lamplighter.runfolder.reading.matrix_history import MatrixHistory
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.steps import StepsReader
from lamplighter.wire.frames import decode_as
from lamplighter.wire.row_frames import Rows

_BATCH = 64
"""Steps read at a time: bounds memory, and lets the WAL be checkpointed in between."""


class MatrixFollower:
    """The newest exact embedding of a run.

    Memory: the matrix and one batch of moved rows. `advance` takes the reader, since the position survives
    closing one reader and opening another.
    """

    def __init__(self, run: RunFolder) -> None:
        self._run = run
        self.attempt = 0
        """The attempt of the current step; 0 before the first."""
        self.step = -1
        """The current step; -1 before the first."""
        self.time = 0.0
        """The end of the current step, Unix seconds."""
        self.vectors: NDArray[np.float32] = np.empty((0, 0), dtype=np.float32)
        """Shape (V, D). Changed in place: copy it to keep it past the next `advance`."""

    def advance(self, reader: StepsReader, *, to: int | None = None) -> bool:
        """Advance to the newest step that can be rebuilt exactly, not beyond step `to`.

        Where moved rows are not kept (dense updates, a spent disk budget) that is a keyframe. If a new attempt
        supersedes the current step, restart from the last keyframe on the lineage.

        Returns:
            Whether the step or the attempt of the matrix has changed.
        """
        before = (self.attempt, self.step)
        # The attempt can change between two reads, which would mix two lineages: then read again.
        while True:
            lineage = reader.lineage()
            if not lineage.counts(self.attempt, self.step):
                self.attempt, self.step = 0, -1
            target = reader.newest_step()[1] if to is None else min(to, reader.newest_step()[1])
            if self.step > target:
                self.attempt, self.step = 0, -1
            if not self._advance_to(reader, target, lineage):
                break
        return (self.attempt, self.step) != before and self.step >= 0

    def _advance_to(self, reader: StepsReader, target: int, lineage: Lineage) -> bool:
        """Advance to `target`. Return True if the lineage changed meanwhile, which makes the matrix unreliable."""
        key = reader.keyframe_step(target)
        if key is not None and key > self.step:
            found = reader.keyframe(key)
            if found is None or found[0] != key or reader.lineage() != lineage:
                return True
            rows = decode_as(found[1], Rows)
            self.vectors = rows.vectors.copy()
            self.attempt, self.step, self.time = rows.attempt, rows.step, rows.time
        while 0 <= self.step < target:
            moved = reader.rows(self.step + 1, target, limit=_BATCH)
            if reader.lineage() != lineage:
                return True
            for step, data in moved:
                if step != self.step + 1:
                    return self._advance_by_tiles(target, lineage)
                rows = decode_as(data, Rows)
                self.vectors[rows.token_ids] = rows.vectors
                self.attempt, self.step, self.time = rows.attempt, rows.step, rows.time
            if len(moved) < _BATCH:
                return self._advance_by_tiles(target, lineage)
        return False

    def _advance_by_tiles(self, target: int, lineage: Lineage) -> bool:
        """Advance through tiles, where `steps.sqlite` lacks the rows. Return True if the lineage changed meanwhile."""
        if self.step < target and self._run.tiles_path.exists():
            with MatrixHistory(self._run) as history:
                if history.is_tiled(self.step + 1):
                    found = history.snapshot(target, nearest=True)
                    if history.steps.lineage() != lineage:
                        return True
                    self.vectors, self.attempt, self.step = found.vectors, found.attempt, found.step
                    self.time = found.time
        return False
