"""What the analyst has put into tiles, dropped from `steps.sqlite` by its writer, a little with every step.

A stretch is in `tiles.sqlite` for good before anything of it is dropped here. Pages that become free take the
next steps' rows, so the file of a long run hardly grows. The newest steps stay, however soon they are tiled:
who follows a run reads them from here.
"""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import apsw

from lamplighter.runfolder import failpoint
from lamplighter.runfolder.database import FormatError
from lamplighter.runfolder.tiles import Stretch, TilesReader

KEYFRAMES_APART = 200
"""Keyframes between tiles stay at most this many steps apart, where there are as many: a snapshot then costs
one of them and the moves of no more steps."""
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
        since = max(0, stretch.first - 2 * KEYFRAMES_APART)
        found: list[Any] = self._connection.execute(
            "SELECT id FROM keyframes WHERE id BETWEEN ? AND ? ORDER BY id",
            (_key(stretch.attempt, since), _key(stretch.attempt, stretch.last)),
        ).fetchall()
        steps = [row[0] & 0xFFFF_FFFF for row in found]

        def tiled(first: int, last: int) -> bool:
            rows: list[Any] = self._connection.execute(
                "SELECT count(*) FROM rows WHERE id BETWEEN ? AND ?",
                (_key(stretch.attempt, first), _key(stretch.attempt, last)),
            ).fetchall()
            return first >= stretch.first and last <= stretch.last and rows[0][0] == 0

        for step in dispensable(steps, tiled):
            self._connection.execute("DELETE FROM keyframes WHERE id=?", (_key(stretch.attempt, step),))


def dispensable(steps: Sequence[int], tiled: Callable[[int, int], bool]) -> list[int]:
    """The keyframes without which the others are still at most `KEYFRAMES_APART` steps apart.

    Args:
        steps: of keyframes, ascending.
        tiled: whether all steps from one to another, inclusive, are in tiles.
    """
    found: list[int] = []
    kept = steps[0] if steps else 0
    for step, following in pairwise(steps[1:]):
        if following - kept <= KEYFRAMES_APART and tiled(kept + 1, following):
            found.append(step)
        else:
            kept = step
    return found


def _key(attempt: int, step: int) -> int:
    return attempt << 32 | step
