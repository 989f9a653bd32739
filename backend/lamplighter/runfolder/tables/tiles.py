"""`tiles.sqlite`: the moved rows of finished stretches, reordered by token and packed. Writer: the analyst.

A *stretch* is a run of consecutive steps of one attempt; its tiles cover every token once. The writer of `steps.sqlite`
drops the rows of a stretch from there (`row_pruning.py`) only after the stretch is committed, so a reader that looks
there first, and then here, always finds them.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lamplighter.platform import failpoint
from lamplighter.runfolder.lineage import Lineage
from lamplighter.runfolder.sqlite.database_file import FileReader, FileWriter
from lamplighter.wire.tile_frames import Tile, decode_tile

SCHEMA = """
CREATE TABLE stretches(id INTEGER PRIMARY KEY, attempt INTEGER NOT NULL, first_step INTEGER NOT NULL,
    last_step INTEGER NOT NULL);
CREATE TABLE tiles(id INTEGER PRIMARY KEY, record BLOB NOT NULL);
"""
"""The tables of a new file; an imported file must have exactly these."""

_TOKEN_BITS = 24


def tile_key(stretch: int, first_token: int) -> int:
    """Return the row id of a tile; the tiles of a stretch are adjacent, ordered by token."""
    # A numpy integer would overflow here.
    return operator.index(stretch) << _TOKEN_BITS | operator.index(first_token)


def split_tile_key(row: int) -> tuple[int, int]:
    return row >> _TOKEN_BITS, row & ((1 << _TOKEN_BITS) - 1)


@dataclass(frozen=True)
class Stretch:
    """The steps `first` to `last` of an attempt, inclusive, whose moves are all in tiles."""

    id: int
    attempt: int
    first: int
    last: int


class TilesWriter(FileWriter):
    """The analyst's writer of `tiles.sqlite`."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, SCHEMA, version=2)
        # Rows committed here are dropped from `steps.sqlite`, so a commit must survive even a power cut.
        self._connection.execute("PRAGMA synchronous=FULL")

    def commit(self, attempt: int, first: int, last: int, tiles: Iterable[tuple[int, bytes]]) -> None:
        """Commit a stretch of steps, `last` included, in one transaction. `tiles`: (first token, encoded
        tile) of each tile, ascending from token 0; may be a lazy iterator.
        """
        with failpoint.trigger_within("tiling"), self._connection:
            rows: list[Any] = self._connection.execute(
                "INSERT INTO stretches(attempt,first_step,last_step) VALUES(?,?,?) RETURNING id",
                (attempt, first, last),
            ).fetchall()
            number: int = rows[0][0]
            self._connection.executemany(
                "INSERT INTO tiles VALUES(?,?)", ((tile_key(number, token), data) for token, data in tiles)
            )
            failpoint.trigger("tiling-uncommitted")


class TilesReader(FileReader):
    """A reader of `tiles.sqlite`, live or finished."""

    def stretches(self, after: int = 0) -> list[Stretch]:
        """Return the stretches with an id above `after`, in the order they were written."""
        return [
            Stretch(*row)
            for row in self._fetch_all(
                "SELECT id, attempt, first_step, last_step FROM stretches WHERE id>? ORDER BY id", after
            )
        ]

    def tiles(self, stretch: int) -> Iterator[Tile]:
        """Yield the tiles of a stretch, ordered by token; reads lazily."""
        last_row = -1
        while rows := self._fetch_all(
            "SELECT id, record FROM tiles WHERE id>? AND id<? ORDER BY id LIMIT 8",
            max(last_row, tile_key(stretch, 0) - 1),
            tile_key(stretch + 1, 0),
        ):
            for _, record in rows:
                yield decode_tile(record)
            last_row = rows[-1][0]

    def tile(self, stretch: int, token_id: int) -> Tile | None:
        """Return the tile of a stretch that contains a token; None if the stretch has no tiles up to it."""
        rows = self._fetch_all(
            "SELECT record FROM tiles WHERE id BETWEEN ? AND ? ORDER BY id DESC LIMIT 1",
            tile_key(stretch, 0),
            tile_key(stretch, token_id),
        )
        return decode_tile(rows[0][0]) if rows else None


def clip_to_lineage(stretches: Iterable[Stretch], lineage: Lineage) -> list[Stretch]:
    """Return the stretches on the lineage, cut where an attempt was superseded, ascending by step."""
    found: list[Stretch] = []
    for stretch in stretches:
        for attempt, first, last in lineage.ranges:
            if attempt == stretch.attempt and stretch.first <= last and stretch.last >= first:
                # An attempt begins where its range of the lineage begins, so only the end can be cut.
                found.append(Stretch(stretch.id, attempt, stretch.first, min(stretch.last, last)))
    return sorted(found, key=lambda stretch: stretch.first)
