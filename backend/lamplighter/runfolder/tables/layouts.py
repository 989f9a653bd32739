"""`layouts.sqlite`: the layouts of the map, one per row, and the districts. Writer: the projector."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lamplighter.contract.documented_model import DocumentedRecord
from lamplighter.platform import failpoint
from lamplighter.runfolder.sqlite.database_file import FileReader
from lamplighter.runfolder.tables.facts import APPLIED_TABLE, FACTS_TABLE, FactsReader, FactsWriter
from lamplighter.wire.binary import MAX_VOCABULARY
from lamplighter.wire.district_frames import Districts
from lamplighter.wire.frames import encode
from lamplighter.wire.layout_frames import Layout, Method

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

    def districts_entries(
        self, after: int = 0, limit: int = 10_000, *, since: int = 0
    ) -> list[DistrictsEntry]:
        """Return the entries with an id above `after`, from step `since` on, in the order they were written."""
        rows = self._fetch_all(
            "SELECT id, attempt, step FROM districts WHERE id>? AND step>=? ORDER BY id LIMIT ?",
            after,
            since,
            limit,
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


SCHEMA = f"""
CREATE TABLE {FACTS_TABLE};
CREATE TABLE layouts(id INTEGER PRIMARY KEY AUTOINCREMENT, attempt INTEGER NOT NULL, step INTEGER NOT NULL,
    method INTEGER NOT NULL, trust REAL, trust_error REAL, recall REAL, record BLOB NOT NULL);
CREATE INDEX layouts_by_step ON layouts(method, step);
CREATE TABLE {APPLIED_TABLE};
{DISTRICT_TABLES}"""
"""The tables of the file; an imported file must have exactly these."""


PLACED_FACT = "placed"
"""The fact of a fork whose first layout was given to it."""
LANDMARKS_FACT = "landmarks"
"""The fact of a large vocabulary's map: how many tokens are laid out, and the trust in both kinds."""
UNTIL_FACT = "until"
"""The fact of smoothed layouts: the run's newest step when they were made."""


@dataclass(frozen=True)
class LayoutEntry:
    """A layout in the list, with its quality estimates (None: not estimated)."""

    id: int
    attempt: int
    step: int
    method: Method
    trust: float | None
    trust_error: float | None
    recall: float | None


class LayoutsWriter(FactsWriter):
    """The projector's writer of `layouts.sqlite`."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, SCHEMA, version=2)

    def commit(self, layout: Layout) -> None:
        """Commit a layout. Layouts of superseded attempts stay; readers filter by attempt."""
        quality = (layout.trust, layout.trust_error, layout.recall)
        known = (None if math.isnan(value) else value for value in quality)
        with failpoint.trigger_within("layout-commit"), self._connection:
            self._connection.execute(
                "INSERT INTO layouts(attempt,step,method,trust,trust_error,recall,record) VALUES(?,?,?,?,?,?,?)",
                (layout.attempt, layout.step, int(layout.method), *known, encode(layout)),
            )
            failpoint.trigger("layout-uncommitted")

    def commit_districts(self, found: Districts, events: Iterable[tuple[str, str]]) -> None:
        """Commit the districts of a step, and the district events as (kind, message)."""
        with self._connection:
            self._connection.execute(
                "INSERT INTO districts(attempt,step,record) VALUES(?,?,?)",
                (found.attempt, found.step, encode(found)),
            )
            self._connection.executemany(
                "INSERT INTO district_events(time,attempt,step,kind,message) VALUES(?,?,?,?,?)",
                [(time.time(), found.attempt, found.step, kind, message) for kind, message in events],
            )

    def thin_districts(self, keep: int) -> int:
        """Drop every second districts frame of the older half if there are more than `keep`; see `thin`.
        Return how many.
        """
        count: Any = self._connection.execute("SELECT count(*) FROM districts").fetchall()[0][0]
        if count <= keep:
            return 0
        with self._connection:
            self._connection.execute(
                "DELETE FROM districts WHERE id IN (SELECT id FROM (SELECT id, row_number() OVER (ORDER BY id) AS n"
                " FROM (SELECT id FROM districts ORDER BY id LIMIT ?)) WHERE n % 2 = 0)",
                (count // 2 + 1,),
            )
        return self._connection.changes()

    def thin_layouts(self, keep: int) -> int:
        """Drop every second layout of the older half, per method, if there are more than `keep`. Return how
        many.

        The early history gets coarser, the file stops growing, and the first layout stays.
        """
        count: Any = self._connection.execute("SELECT count(*) FROM layouts").fetchall()[0][0]
        if count <= keep:
            return 0
        with self._connection:
            self._connection.execute(
                "DELETE FROM layouts WHERE id IN (SELECT id FROM (SELECT id, row_number() OVER"
                " (PARTITION BY method ORDER BY id) AS n FROM (SELECT id, method FROM layouts ORDER BY id LIMIT ?))"
                " WHERE n % 2 = 0)",
                (count // 2 + 1,),
            )
        return self._connection.changes()


def decode_landmark_trust(fact: Any) -> dict[str, Any] | None:
    """Return the number of landmarks, `tokens`, and the trust in those laid out and those placed, from the fact of that name;
    None if it is not one."""
    if not isinstance(fact, dict):
        return None
    found: dict[str, Any] = {name: fact.get(name) for name in ("tokens", "laid_out", "placed")}  # pyright: ignore
    if not isinstance(found["tokens"], int | float) or not 0 < found["tokens"] <= MAX_VOCABULARY:
        return None
    for name in ("laid_out", "placed"):
        if not isinstance(found[name], int | float) or not -1 <= found[name] <= 1:
            found[name] = None
    return found | {"tokens": int(found["tokens"])}


class LayoutsReader(FactsReader, DistrictsReader):
    """A reader of `layouts.sqlite`, live or finished."""

    def layout_entries(self, after: int = 0, limit: int = 10_000, *, since: int = 0) -> list[LayoutEntry]:
        """Return the layouts with an id above `after`, from step `since` on, in the order they were written."""
        rows = self._fetch_all(
            "SELECT id, attempt, step, method, trust, trust_error, recall FROM layouts WHERE id>? AND step>=?"
            " ORDER BY id LIMIT ?",
            after,
            since,
            limit,
        )
        return [LayoutEntry(a, b, c, Method(d), e, f, g) for a, b, c, d, e, f, g in rows]

    def has_map(self) -> bool:
        """Return whether the map was ever laid out; the linear view does not count."""
        return bool(self._fetch_all("SELECT 1 FROM layouts WHERE method<>? LIMIT 1", int(Method.LINEAR)))

    def last_written(self, *methods: Method) -> bytes | None:
        """Return the encoded layout of the given methods that was written last, of any step and attempt."""
        marks = ",".join("?" * len(methods))
        rows = self._fetch_all(
            f"SELECT record FROM layouts WHERE method IN ({marks}) ORDER BY id DESC LIMIT 1",
            *map(int, methods),
        )
        return rows[0][0] if rows else None

    def last_layout_entry(self) -> LayoutEntry | None:
        """Return the list entry of the last written layout: of the map if there is one, else of the linear view."""
        rows = self._fetch_all(
            "SELECT id, attempt, step, method, trust, trust_error, recall FROM layouts"
            " ORDER BY method=?, id DESC LIMIT 1",
            int(Method.LINEAR),
        )
        return next((LayoutEntry(a, b, c, Method(d), e, f, g) for a, b, c, d, e, f, g in rows), None)

    def layout_record(self, layout_id: int) -> bytes:
        """Return the encoded layout of the list entry `layout_id`."""
        return self._fetch_all("SELECT record FROM layouts WHERE id=?", layout_id)[0][0]
