"""Thinning of the keyframes in `steps.sqlite`: each new one replaces an old one, and the rest form a logarithmic
series, dense at the end.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import apsw
import numpy as np
from numpy.typing import NDArray

from lamplighter.runfolder.errors import READ_ERRORS
from lamplighter.runfolder.lineage import Lineage, split_step_key
from lamplighter.runfolder.tables.tiles import TilesReader, clip_to_lineage


class KeyframeThinning:
    """The choice of keyframes to drop, on the connection of the writer of `steps.sqlite`."""

    def __init__(self, connection: apsw.Connection, tiles_path: Path) -> None:
        self._connection = connection
        self._tiles_path = tiles_path

    def find_surplus(self, step: int | None = None) -> int | None:
        """Return the row id of the most redundant keyframe; None if none can be dropped.

        Never the first, nor one that moved rows of the next step apply to.

        Args:
            step: the step about to get a keyframe; None: none is about to, and the newest stays.
        """
        lineage = self._lineage()
        alone = self._rows(
            "SELECT id FROM keyframes WHERE NOT EXISTS (SELECT 1 FROM rows WHERE id=keyframes.id+1)"
        )
        counted: list[int] = []
        loose: set[int] = set()
        for row in self._rows("SELECT id FROM keyframes ORDER BY id"):
            if not lineage.counts(*split_step_key(row)):
                return row
            counted.append(row)
        ends = {part.last for part in lineage.ranges}
        try:
            tiled = self._tiled(lineage)
        except READ_ERRORS:
            # Unknown whether tiles need a keyframe.
            return None
        for row in alone:
            at = split_step_key(row)[1]
            if at not in ends and not any(first <= at + 1 <= last for first, last in tiled):
                loose.add(row)
        steps = np.array([split_step_key(row)[1] for row in counted], np.int64)
        free = np.array([row in loose for row in counted], bool)
        if step is None and counted:
            step, steps, free = int(steps[-1]), steps[:-1], free[:-1]
        index = None if step is None else find_most_redundant(steps, step, free)
        return None if index is None else counted[index]

    def drop(self, row: int) -> None:
        """Drop a keyframe. The next record reuses its pages."""
        self._connection.execute("DELETE FROM keyframes WHERE id=?", (row,))

    def _lineage(self) -> Lineage:
        found: Any = self._connection.execute(
            "SELECT attempt, first_step FROM attempts ORDER BY attempt DESC"
        )
        return Lineage.of_attempts(found.fetchall())

    def _tiled(self, lineage: Lineage) -> list[tuple[int, int]]:
        try:
            with TilesReader(self._tiles_path) as tiles:
                return [(part.first, part.last) for part in clip_to_lineage(tiles.stretches(), lineage)]
        except FileNotFoundError:
            return []

    def _rows(self, query: str) -> list[int]:
        found: Any = self._connection.execute(query)
        return [row for (row,) in found]


def find_most_redundant(steps: NDArray[np.int64], now: int, free: NDArray[np.bool_]) -> int | None:
    """Return the index of the step whose removal leaves the smallest gap, in logarithms of ages.

    Args:
        steps: steps before `now`, ascending, shape (N,). The first stays.
        now: the next step.
        free: which steps may be dropped, shape (N,).
    """
    if len(steps) < 2:
        return None
    # The series begins with the distance between the newest two.
    ages = np.log((now - np.append(steps, now) + now - steps[-1]).astype(np.float64))
    gaps = ages[:-2] - ages[2:]
    gaps[~free[1:]] = np.inf
    index = int(np.argmin(gaps))
    return index + 1 if np.isfinite(gaps[index]) else None
