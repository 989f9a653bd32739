"""The embedding of a run that is still growing: one matrix, moved forward step by step.

`snapshot` rebuilds any step from nothing; a `MatrixFollower` keeps the newest one and applies only what is
new, so that following costs what moved. It covers keyframes, moved rows and changes of attempt. It does
not decide when to look: poll `StepsReader.version`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lamplighter.runfolder.folder import RunFolder
from lamplighter.runfolder.history import History
from lamplighter.runfolder.line import Line
from lamplighter.runfolder.steps import StepsReader
from lamplighter.wire.frames import Rows, decode_as

_BATCH = 64
"""Steps read at once: bounds memory, and lets the WAL be checkpointed in between."""


class MatrixFollower:
    """The newest exact embedding of a run.

    Its memory is the matrix and one batch of moved rows. It keeps its place when a reader is closed and
    another opened, so `advance` takes the reader.
    """

    def __init__(self, run: RunFolder) -> None:
        self._run = run
        self.attempt = 0
        """Of the step held; 0 while there is none."""
        self.step = -1
        """The step held; -1 while there is none."""
        self.time = 0.0
        """When that step ended, Unix seconds."""
        self.vectors: NDArray[np.float32] = np.empty((0, 0), dtype=np.float32)
        """Shape (V, D). The follower's own: copy it to keep it past the next `advance`."""

    def advance(self, reader: StepsReader, *, to: int | None = None) -> bool:
        """Move to the newest step that can be rebuilt exactly (not beyond step `to`).

        Where moved rows are not kept (dense updates, a spent disk budget) that is a keyframe. A new attempt
        that supersedes the step held makes it start again from the last keyframe that counts.

        Returns:
            Whether the matrix is of another step, or attempt, than before.
        """
        before = (self.attempt, self.step)
        # The attempt can change between two reads; then what was read may mix two lines: read again.
        while True:
            line = reader.line()
            if not any(a == self.attempt and first <= self.step <= last for a, first, last in line):
                self.attempt, self.step = 0, -1
            target = reader.last()[1] if to is None else min(to, reader.last()[1])
            if self.step > target:
                self.attempt, self.step = 0, -1
            if not self._towards(reader, target, line):
                break
        return (self.attempt, self.step) != before and self.step >= 0

    def _towards(self, reader: StepsReader, target: int, line: Line) -> bool:
        """Go on to `target`; True when the line changed under way, and the step held cannot be relied on."""
        key = reader.keyframe_step(target)
        if key is not None and key > self.step:
            found = reader.keyframe(key)
            if found is None or found[0] != key or reader.line() != line:
                return True
            rows = decode_as(found[1], Rows)
            self.vectors = rows.vectors.copy()
            self.attempt, self.step, self.time = rows.attempt, rows.step, rows.time
        while 0 <= self.step < target:
            moved = reader.rows(self.step + 1, target, limit=_BATCH)
            if reader.line() != line:
                return True
            for step, data in moved:
                if step != self.step + 1:
                    return self._by_tiles(target, line)
                rows = decode_as(data, Rows)
                self.vectors[rows.token_ids] = rows.vectors
                self.attempt, self.step, self.time = rows.attempt, rows.step, rows.time
            if len(moved) < _BATCH:
                return self._by_tiles(target, line)
        return False

    def _by_tiles(self, target: int, line: Line) -> bool:
        """Go on where the rows are not in `steps.sqlite`: in tiles, or nowhere. Returns as `_towards`."""
        if self.step < target and self._run.tiles_path.exists():
            with History(self._run) as history:
                if history.tiled(self.step + 1):
                    found = history.snapshot(target, nearest=True)
                    if history.steps.line() != line:
                        return True
                    self.vectors, self.attempt, self.step = found.vectors, found.attempt, found.step
                    self.time = found.time
        return False
