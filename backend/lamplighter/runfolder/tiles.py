"""`tiles.sqlite`: the moved rows of finished stretches, re-ordered and packed. Writer: the analyst.

A *stretch* is consecutive steps of one attempt; its tiles cover every token once. What a stretch holds is then
dropped from `steps.sqlite` by that file's writer (`handover.py`): never before the stretch is committed, so a
reader that looks there first and here afterwards always finds it.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lamplighter.runfolder import failpoint
from lamplighter.runfolder.database import FileReader, FileWriter
from lamplighter.runfolder.line import Line
from lamplighter.wire.tiles import Tile, decode_tile

SCHEMA = """
CREATE TABLE stretches(id INTEGER PRIMARY KEY, attempt INTEGER NOT NULL, first_step INTEGER NOT NULL,
    last_step INTEGER NOT NULL);
CREATE TABLE tiles(id INTEGER PRIMARY KEY, record BLOB NOT NULL);
"""
"""The tables of a new file; a file that is brought from elsewhere must have exactly these."""

_TOKEN_BITS = 24


def tile_key(stretch: int, first_token: int) -> int:
    """The row id of a tile: tiles of a stretch lie together, by token."""
    # numpy's integers have a width of their own, in which this would overflow.
    return operator.index(stretch) << _TOKEN_BITS | operator.index(first_token)


def tile_place(row: int) -> tuple[int, int]:
    """The stretch and the first token of a tile, by its row id."""
    return row >> _TOKEN_BITS, row & ((1 << _TOKEN_BITS) - 1)


@dataclass(frozen=True)
class Stretch:
    """Steps `first` to `last` of an attempt, whose moves are all in tiles."""

    id: int
    attempt: int
    first: int
    last: int


class TilesWriter(FileWriter):
    """The analyst's hand on the file."""

    def __init__(self, path: Path) -> None:
        """Open or make the file.

        Raises:
            FormatError: it was written by a newer version.
        """
        super().__init__(path, SCHEMA)
        # What is committed here is dropped elsewhere: it must outlast even a power cut.
        self._connection.execute("PRAGMA synchronous=FULL")

    def commit(self, attempt: int, first: int, last: int, tiles: Iterable[tuple[int, bytes]]) -> None:
        """Keep a stretch whole, or, after a crash, not at all.

        Args:
            attempt: that did the steps.
            first: its first step.
            last: its last, inclusive.
            tiles: (first token, encoded tile) of each, ascending, from token 0 on; may be made as they are taken.
        """
        with failpoint.within("tiling"), self._connection:
            rows: list[Any] = self._connection.execute(
                "INSERT INTO stretches(attempt,first_step,last_step) VALUES(?,?,?) RETURNING id",
                (attempt, first, last),
            ).fetchall()
            number: int = rows[0][0]
            self._connection.executemany(
                "INSERT INTO tiles VALUES(?,?)", ((tile_key(number, token), data) for token, data in tiles)
            )
            failpoint.here("tiling-uncommitted")


class TilesReader(FileReader):
    """Reads the file, live or finished."""

    def stretches(self, after: int = 0) -> list[Stretch]:
        """Stretches with an id above `after`, in the order they were made."""
        return [
            Stretch(*row)
            for row in self._all(
                "SELECT id, attempt, first_step, last_step FROM stretches WHERE id>? ORDER BY id", after
            )
        ]

    def tiles(self, stretch: int) -> Iterator[Tile]:
        """The tiles of a stretch, by token; read one by one."""
        at = -1
        while rows := self._all(
            "SELECT id, record FROM tiles WHERE id>? AND id<? ORDER BY id LIMIT 8",
            max(at, tile_key(stretch, 0) - 1),
            tile_key(stretch + 1, 0),
        ):
            for _, record in rows:
                yield decode_tile(record)
            at = rows[-1][0]

    def tile(self, stretch: int, token_id: int) -> Tile | None:
        """The tile of a stretch that has a token."""
        rows = self._all(
            "SELECT record FROM tiles WHERE id BETWEEN ? AND ? ORDER BY id DESC LIMIT 1",
            tile_key(stretch, 0),
            tile_key(stretch, token_id),
        )
        return decode_tile(rows[0][0]) if rows else None


def on_line(stretches: Iterable[Stretch], line: Line) -> list[Stretch]:
    """The stretches as far as they count (`line.py`): cut where an attempt was superseded, ascending by step."""
    found: list[Stretch] = []
    for stretch in stretches:
        for attempt, first, last in line:
            if attempt == stretch.attempt and stretch.first <= last and stretch.last >= first:
                # An attempt's steps begin where its part of the line does, so only the end is ever cut.
                found.append(Stretch(stretch.id, attempt, stretch.first, min(stretch.last, last)))
    return sorted(found, key=lambda stretch: stretch.first)
