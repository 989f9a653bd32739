"""What the analyst has put into tiles, dropped from `steps.sqlite` by its writer, a little with every step.

A stretch is in `tiles.sqlite` for good before anything of it is dropped here. Pages that become free take the
next steps' rows, so the file of a long run hardly grows. The newest steps stay, however soon they are tiled:
who follows a run reads them from here.
"""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import apsw

from lamplighter.runfolder import failpoint
from lamplighter.runfolder.database import FormatError
from lamplighter.runfolder.tiles import Stretch, TilesReader

KEYFRAMES_APART = 400
"""Keyframes between tiles stay at most this many steps apart, where there are as many: a snapshot then costs
the nearer one and the moves of half as many steps."""
BEHIND = 200
"""Steps that stay in `steps.sqlite` whether or not they are tiled."""

_LOOK_EVERY = 50
_ROWS_A_STEP = 3
"""More than come, so that what is pending goes down."""


class Handover:
    """Drops what is tiled, on the connection of the writer of `steps.sqlite`."""

    def __init__(self, connection: apsw.Connection, tiles_path: Path) -> None:
        self._connection = connection
        self._tiles_path = tiles_path
        self._seen = 0
        self._looked = 0
        self._pending: deque[Stretch] = deque()
        self._dropped = Stretch(0, 0, 1, 0)
        """Consecutive steps of one attempt that are in tiles only."""

    def work(self, step: int) -> None:
        """Drop a few rows of steps long before `step`; inside the transaction that commits it."""
        if self._looked % _LOOK_EVERY == 0:
            self._look()
        self._looked += 1
        while self._pending and self._pending[0].last <= step - BEHIND:
            if self._drop_rows(self._pending[0], _ROWS_A_STEP):
                return
            self._drop_keyframes(self._pending.popleft())
            failpoint.here("handover")

    def finish(self) -> bool:
        """Drop all that is tiled, of a run that is over. Returns whether there was anything."""
        self._look()
        before = self._connection.total_changes()
        for stretch in self._pending:
            self._drop_rows(stretch, None)
            self._drop_keyframes(stretch)
        self._pending.clear()
        return self._connection.total_changes() > before

    def beyond(self, attempt: int, step: int) -> bool:
        """Whether tiles hold steps of an attempt after `step`: then its record lost some, in a power cut say."""
        self._look()
        return any(stretch.attempt == attempt and stretch.last > step for stretch in self._pending)

    def _look(self) -> None:
        # That the other file is not there, or cannot be read now, must not hurt the steps.
        with (
            contextlib.suppress(FileNotFoundError, FormatError, apsw.Error),
            TilesReader(self._tiles_path) as tiles,
        ):
            for stretch in tiles.stretches(self._seen):
                self._seen = stretch.id
                self._pending.append(stretch)

    def _drop_rows(self, stretch: Stretch, limit: int | None) -> int:
        self._connection.execute(
            "DELETE FROM rows WHERE id IN (SELECT id FROM rows WHERE id BETWEEN ? AND ? ORDER BY id LIMIT ?)",
            (
                _key(stretch.attempt, stretch.first),
                _key(stretch.attempt, stretch.last),
                -1 if limit is None else limit,
            ),
        )
        return self._connection.changes()

    def _drop_keyframes(self, stretch: Stretch) -> None:
        """Drop the keyframes that the tiles up to the end of a stretch make dispensable."""
        before = self._dropped
        goes_on = (before.attempt, before.last + 1) == (stretch.attempt, stretch.first)
        first = before.first if goes_on else stretch.first
        self._dropped = Stretch(stretch.id, stretch.attempt, first, stretch.last)
        since = max(first - 1, stretch.first - 2 * KEYFRAMES_APART)
        found: list[Any] = self._connection.execute(
            "SELECT id FROM keyframes WHERE id BETWEEN ? AND ? ORDER BY id",
            (_key(stretch.attempt, since), _key(stretch.attempt, stretch.last)),
        ).fetchall()
        for step in dispensable([row[0] & 0xFFFF_FFFF for row in found]):
            self._connection.execute("DELETE FROM keyframes WHERE id=?", (_key(stretch.attempt, step),))


def dispensable(steps: Sequence[int]) -> list[int]:
    """The keyframes without which the others are still at most `KEYFRAMES_APART` steps apart.

    Args:
        steps: of keyframes, ascending, between which all is in tiles.
    """
    found: list[int] = []
    kept = steps[0] if steps else 0
    for step, following in pairwise(steps[1:]):
        if following - kept <= KEYFRAMES_APART:
            found.append(step)
        else:
            kept = step
    return found


def _key(attempt: int, step: int) -> int:
    return attempt << 32 | step
