"""A matrix on its way through the steps: each costs what moved in it, not a whole rebuild."""

from __future__ import annotations

import numpy as np

from lamplighter.runfolder.line import Line
from lamplighter.runfolder.snapshots import Snapshot
from lamplighter.runfolder.tiles import Stretch
from lamplighter.wire.frames import Floats, UInts


class Walk:
    """A matrix on its way through the steps, and the unpacked moves of the stretch it is in."""

    def __init__(self, line: Line, start: Snapshot) -> None:
        self.line, self.at, self.vectors = line, start.step, start.vectors
        self._first, self._last = 1, 0
        self._ids: UInts = np.empty(0, dtype=np.uint32)
        self._steps: UInts = self._ids
        self._rows: Floats = np.empty((0, 0), dtype=np.float32)

    def has(self, step: int) -> bool:
        """Whether a step is in the stretch that is unpacked."""
        return self._first <= step <= self._last

    def unpack(self, stretch: Stretch, tiles: list[tuple[UInts, UInts, Floats]]) -> None:
        """Take up the moves of another stretch: ids, steps and vectors, tile by tile."""
        ids, steps, rows = (np.concatenate(parts) for parts in zip(*tiles, strict=True))
        order = np.argsort(steps, kind="stable")
        self._ids, self._steps, self._rows = ids[order], steps[order], rows[order]
        self._first, self._last = stretch.first, stretch.last

    def go(self, to: int) -> None:
        """Move on within the stretch, to `to` or its end."""
        to = min(to, self._last)
        first, last = np.searchsorted(self._steps, [self.at, to], side="right")
        # Sorted by step: where a row moved several times, the last one stays.
        self.vectors[self._ids[first:last]] = self._rows[first:last]
        self.at = to
