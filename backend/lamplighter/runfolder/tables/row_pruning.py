"""Pruning of `steps.sqlite`: its writer drops a few tiled rows with every step.

A stretch is committed durably to `tiles.sqlite` before any of its rows are dropped here. Later steps reuse the freed
pages, so that the file of a long run hardly grows. The newest steps stay even when they are tiled, for readers that
follow the run.
"""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import apsw

from lamplighter.platform import failpoint
from lamplighter.runfolder.errors import FormatError
from lamplighter.runfolder.lineage import split_step_key, step_key
from lamplighter.runfolder.tables.tiles import Stretch, TilesReader

MAX_KEYFRAME_GAP = 400
"""Maximum gap in steps between keyframes that pruning leaves within tiled steps: a snapshot then reads the nearer
keyframe and the moves of at most half as many steps."""
UNPRUNED_STEPS = 200
"""Number of newest steps that stay in `steps.sqlite` even when they are tiled."""

_READ_EVERY = 50
_ROWS_PER_STEP = 3
"""Rows dropped per step: more than are added, so that the backlog shrinks."""


class RowPruning:
    """A pruner of tiled rows and redundant keyframes, on the connection of the writer of `steps.sqlite`."""

    def __init__(self, connection: apsw.Connection, tiles_path: Path) -> None:
        self._connection = connection
        self._tiles_path = tiles_path
        self._last_stretch_id = 0
        self._calls = 0
        self._pending: deque[Stretch] = deque()
        self._pruned = Stretch(0, 0, 1, 0)
        """The last run of consecutive pruned steps of one attempt."""

    def prune(self, step: int) -> None:
        """Drop a few rows of steps long before `step`. Call inside the transaction that commits `step`."""
        if self._calls % _READ_EVERY == 0:
            self._read_new_stretches()
        self._calls += 1
        while self._pending and self._pending[0].last <= step - UNPRUNED_STEPS:
            if self._drop_rows(self._pending[0], _ROWS_PER_STEP):
                return
            self._drop_keyframes(self._pending.popleft())
            failpoint.trigger("handover")

    def prune_all(self) -> bool:
        """Drop all tiled rows of a finished run. Return whether there were any."""
        self._read_new_stretches()
        before = self._connection.total_changes()
        for stretch in self._pending:
            self._drop_rows(stretch, None)
            self._drop_keyframes(stretch)
        self._pending.clear()
        return self._connection.total_changes() > before

    def has_tiles_after(self, attempt: int, step: int) -> bool:
        """Return whether tiles hold steps of `attempt` after `step`: the record lost them, as after a power cut."""
        self._read_new_stretches()
        return any(stretch.attempt == attempt and stretch.last > step for stretch in self._pending)

    def _read_new_stretches(self) -> None:
        # A missing or unreadable tiles file must not stop the steps from being written.
        with (
            contextlib.suppress(FileNotFoundError, FormatError, apsw.Error),
            TilesReader(self._tiles_path) as tiles,
        ):
            for stretch in tiles.stretches(self._last_stretch_id):
                self._last_stretch_id = stretch.id
                self._pending.append(stretch)

    def _drop_rows(self, stretch: Stretch, limit: int | None) -> int:
        self._connection.execute(
            "DELETE FROM rows WHERE id IN (SELECT id FROM rows WHERE id BETWEEN ? AND ? ORDER BY id LIMIT ?)",
            (
                step_key(stretch.attempt, stretch.first),
                step_key(stretch.attempt, stretch.last),
                -1 if limit is None else limit,
            ),
        )
        return self._connection.changes()

    def _drop_keyframes(self, stretch: Stretch) -> None:
        """Drop the keyframes that the tiles up to the end of a stretch make redundant."""
        before = self._pruned
        goes_on = (before.attempt, before.last + 1) == (stretch.attempt, stretch.first)
        first = before.first if goes_on else stretch.first
        self._pruned = Stretch(stretch.id, stretch.attempt, first, stretch.last)
        since = max(first - 1, stretch.first - 2 * MAX_KEYFRAME_GAP)
        found: list[Any] = self._connection.execute(
            "SELECT id FROM keyframes WHERE id BETWEEN ? AND ? ORDER BY id",
            (step_key(stretch.attempt, since), step_key(stretch.attempt, stretch.last)),
        ).fetchall()
        for step in redundant_keyframes([split_step_key(row[0])[1] for row in found]):
            self._connection.execute("DELETE FROM keyframes WHERE id=?", (step_key(stretch.attempt, step),))


def redundant_keyframes(steps: Sequence[int]) -> list[int]:
    """Return the keyframes whose removal leaves the others at most `MAX_KEYFRAME_GAP` steps apart. `steps`:
    those of the keyframes, ascending; all steps between them are tiled.
    """
    found: list[int] = []
    kept = steps[0] if steps else 0
    for step, following in pairwise(steps[1:]):
        if following - kept <= MAX_KEYFRAME_GAP:
            found.append(step)
        else:
            kept = step
    return found
