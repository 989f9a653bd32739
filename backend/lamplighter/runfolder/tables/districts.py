"""The district tables of `layouts.sqlite`: one row per clustering of the space, and the events of districts."""

from __future__ import annotations

from dataclasses import dataclass

from lamplighter.contract.documented_model import DocumentedRecord
from lamplighter.runfolder.sqlite.database_file import FileReader

DISTRICT_TABLES = """
CREATE TABLE districts(id INTEGER PRIMARY KEY AUTOINCREMENT, attempt INTEGER NOT NULL,
    step INTEGER NOT NULL, record BLOB NOT NULL);
CREATE TABLE district_events(id INTEGER PRIMARY KEY AUTOINCREMENT, time REAL NOT NULL,
    attempt INTEGER NOT NULL, step INTEGER NOT NULL, kind TEXT NOT NULL, message TEXT NOT NULL);
"""
DISTRICT_EVENT_KINDS = ("district-born", "district-gone", "district-merged", "district-split")
"""The kinds of district events."""


@dataclass(frozen=True)
class DistrictsEntry:
    """A list entry for the districts of a step."""

    id: int
    attempt: int
    step: int


@dataclass(frozen=True)
class DistrictEvent(DocumentedRecord):
    """An event in the history of a district. Ids are independent of those of other events."""

    id: int
    time: float
    attempt: int
    step: int
    kind: str
    """`district-born`, `district-gone`, `district-merged` or `district-split`."""
    message: str


class DistrictsReader(FileReader):
    """A reader of the district tables, live or finished."""

    def districts_entries(self, after: int = 0, limit: int = 10_000) -> list[DistrictsEntry]:
        """Return the entries with an id above `after`, in the order they were written."""
        rows = self._fetch_all(
            "SELECT id, attempt, step FROM districts WHERE id>? ORDER BY id LIMIT ?", after, limit
        )
        return [DistrictsEntry(*row) for row in rows]

    def districts_record(self, entry_id: int) -> bytes:
        """Return the encoded districts frame of the list entry `entry_id`. Raises IndexError if the entry was
        thinned out.
        """
        return self._fetch_all("SELECT record FROM districts WHERE id=?", entry_id)[0][0]

    def last_written_districts(self) -> bytes | None:
        """Return the districts frame written last, of any step and attempt; None if there is none."""
        rows = self._fetch_all("SELECT record FROM districts ORDER BY id DESC LIMIT 1")
        return rows[0][0] if rows else None

    def district_events(self, after: int | None = None, limit: int = 1_000) -> list[DistrictEvent]:
        """Return district events, oldest first: the first `limit` with an id above `after`, or the newest `limit`."""
        order = "DESC" if after is None else "ASC"
        rows = self._fetch_all(
            "SELECT id, time, attempt, step, kind, message FROM district_events WHERE id>?"
            f" ORDER BY id {order} LIMIT ?",
            after or 0,
            limit,
        )
        return sorted((DistrictEvent(*row) for row in rows), key=lambda event: event.id)
