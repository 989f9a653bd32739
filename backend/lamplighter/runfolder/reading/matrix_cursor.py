"""A cursor over the matrices of successive steps: each step costs only its moves, not a full rebuild."""

from __future__ import annotations

import numpy as np

from lamplighter.runfolder.lineage import Lineage
from lamplighter.runfolder.reading.snapshot import Snapshot
from lamplighter.runfolder.tables.tiles import Stretch
from lamplighter.wire.binary import Floats, UInts


class MatrixCursor:
    """The matrix at the current step, and the unpacked moves of the current stretch."""

    def __init__(self, lineage: Lineage, start: Snapshot) -> None:
        self.lineage, self.step, self.vectors = lineage, start.step, start.vectors
        self._first, self._last = 1, 0
        self._ids: UInts = np.empty(0, dtype=np.uint32)
        self._steps: UInts = self._ids
        self._rows: Floats = np.empty((0, 0), dtype=np.float32)

    def covers(self, step: int) -> bool:
        """Return whether a step is in the unpacked stretch."""
        return self._first <= step <= self._last

    def load_stretch(self, stretch: Stretch, tiles: list[tuple[UInts, UInts, Floats]]) -> None:
        """Load the moves of another stretch: ids, steps and vectors of each tile."""
        ids, steps, rows = (np.concatenate(parts) for parts in zip(*tiles, strict=True))
        order = np.argsort(steps, kind="stable")
        self._ids, self._steps, self._rows = ids[order], steps[order], rows[order]
        self._first, self._last = stretch.first, stretch.last

    def advance_to(self, to: int) -> None:
        """Advance within the stretch, to step `to` or its end."""
        to = min(to, self._last)
        first, last = np.searchsorted(self._steps, [self.step, to], side="right")
        # Sorted by step, so that the last move of a row wins.
        self.vectors[self._ids[first:last]] = self._rows[first:last]
        self.step = to
