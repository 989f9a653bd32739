"""The districts in `layouts.sqlite`: clusters of the space, a row a look, and what became of them.

Files that were made before there were districts have none of these tables, and are read as having no district.
"""

from __future__ import annotations

from dataclasses import dataclass

from lamplighter.runfolder.database import FileReader

TABLES = """
CREATE TABLE IF NOT EXISTS districts(id INTEGER PRIMARY KEY AUTOINCREMENT, attempt INTEGER NOT NULL,
    step INTEGER NOT NULL, record BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS district_events(id INTEGER PRIMARY KEY AUTOINCREMENT, time REAL NOT NULL,
    attempt INTEGER NOT NULL, step INTEGER NOT NULL, kind TEXT NOT NULL, message TEXT NOT NULL);
"""
"""What the writer makes beside the layouts; in an older file too."""
KINDS = ("district-born", "district-gone", "district-merged", "district-split")
"""Of what can become of a district."""


@dataclass(frozen=True)
class DistrictsEntry:
    """The districts of a step, in the list."""

    id: int
    attempt: int
    step: int


@dataclass(frozen=True)
class DistrictEvent:
    """What became of a district: something worth a place on the timeline."""

    id: int
    """Of this file alone: the trainer's events have ids of their own."""
    time: float
    attempt: int
    step: int
    kind: str
    """One of `KINDS`."""
    message: str


class DistrictsReader(FileReader):
    """Reads them, live or finished."""

    _there = False

    @property
    def _has_districts(self) -> bool:
        # The writer may add the tables while an older file is open here; it never drops them.
        self._there = self._there or bool(
            self._all("SELECT 1 FROM sqlite_schema WHERE name='district_events'")
        )
        return self._there

    def districts_entries(self, after: int = 0, limit: int = 10_000) -> list[DistrictsEntry]:
        """Those with an id above `after`, in the order they were found."""
        if not self._has_districts:
            return []
        rows = self._all(
            "SELECT id, attempt, step FROM districts WHERE id>? ORDER BY id LIMIT ?", after, limit
        )
        return [DistrictsEntry(*row) for row in rows]

    def districts_record(self, entry_id: int) -> bytes:
        """One frame of districts, by its id in the list.

        Raises:
            IndexError: it was thinned out.
        """
        return self._all("SELECT record FROM districts WHERE id=?", entry_id)[0][0]

    def last_districts(self) -> bytes | None:
        """The frame that was found last, whatever its step and attempt."""
        if not self._has_districts:
            return None
        rows = self._all("SELECT record FROM districts ORDER BY id DESC LIMIT 1")
        return rows[0][0] if rows else None

    def district_events(self, after: int | None = None, limit: int = 1_000) -> list[DistrictEvent]:
        """What became of districts, oldest first: the first `limit` with an id above `after`, or the newest."""
        if not self._has_districts:
            return []
        order = "DESC" if after is None else "ASC"
        rows = self._all(
            "SELECT id, time, attempt, step, kind, message FROM district_events WHERE id>?"
            f" ORDER BY id {order} LIMIT ?",
            after or 0,
            limit,
        )
        return sorted((DistrictEvent(*row) for row in rows), key=lambda event: event.id)
