"""`measures.sqlite`: the measures computed from the record, by step. Writer: the analyst."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lamplighter.runfolder.lineage import LAST_STEP, Lineage
from lamplighter.runfolder.sqlite.database_file import FileReader, FileWriter

SCHEMA = """
CREATE TABLE measures(id INTEGER PRIMARY KEY AUTOINCREMENT, attempt INTEGER NOT NULL, step INTEGER NOT NULL,
    name TEXT NOT NULL, value REAL NOT NULL);
CREATE INDEX measures_by_step ON measures(step);
"""
"""The tables of a new file; an imported file must have exactly these."""

_EVERY_STEP = ((None, 0, LAST_STEP),)


class MeasuresWriter(FileWriter):
    """The analyst's writer of `measures.sqlite`."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, SCHEMA, version=2)

    def commit(self, attempt: int, step: int, values: dict[str, float]) -> None:
        """Commit the measures of one step in one transaction. NaN values are omitted."""
        with self._connection:
            self._connection.executemany(
                "INSERT INTO measures(attempt,step,name,value) VALUES(?,?,?,?)",
                [(attempt, step, name, value) for name, value in values.items() if not math.isnan(value)],
            )


class MeasuresReader(FileReader):
    """A reader of `measures.sqlite`, live or finished."""

    def last_step(self, lineage: Lineage | None = None) -> int:
        """Return the newest step with measures, on the lineage if one is given; -1 if none."""
        ranges = _EVERY_STEP if lineage is None else lineage.ranges
        found = [
            self._fetch_all(
                "SELECT max(step) FROM measures WHERE step BETWEEN ? AND ? AND attempt=ifnull(?, attempt)",
                first,
                last,
                attempt,
            )[0][0]
            for attempt, first, last in ranges
        ]
        return max((step for step in found if step is not None), default=-1)

    def newest(self) -> tuple[int, int]:
        """Return (attempt, step) of the newest measures of the newest attempt that has any; (0, -1) if none."""
        rows = self._fetch_all("SELECT attempt, step FROM measures ORDER BY attempt DESC, step DESC LIMIT 1")
        return rows[0] if rows else (0, -1)  # pyright: ignore[reportReturnType]

    def steps_with(self, name: str) -> set[tuple[int, int]]:
        """Return (attempt, step) of every set with a measure of that name."""
        return set(self._fetch_all("SELECT attempt, step FROM measures WHERE name=?", name))  # pyright: ignore[reportReturnType]

    def size(self) -> tuple[int, int]:
        """Return the number of all values, and the characters of their names."""
        return self._fetch_all("SELECT count(*), coalesce(sum(length(name)), 0) FROM measures")[0]  # pyright: ignore[reportReturnType]

    def steps(self) -> NDArray[np.int64]:
        """Return the measured steps, ascending, of any attempt, shape (N,)."""
        return self._fetch_integers("SELECT DISTINCT step FROM measures ORDER BY step")

    def by_step(
        self, first: int = 0, last: int = LAST_STEP, lineage: Lineage | None = None
    ) -> dict[int, dict[str, float]]:
        """Return the measures by step and name, ascending.

        With a lineage, only its steps; without one, the newest attempt at each step.
        """
        found: dict[int, dict[str, float]] = {}
        for attempt, lower, upper in _EVERY_STEP if lineage is None else lineage.ranges:
            for step, name, value in self._fetch_all(
                "SELECT step, name, value FROM measures WHERE step BETWEEN ? AND ?"
                " AND attempt=ifnull(?, attempt) ORDER BY step, attempt, id",
                max(first, lower),
                min(last, upper),
                attempt,
            ):
                found.setdefault(step, {})[name] = value
        return found

    def names(self, limit: int) -> list[str]:
        """Return the names of measures in alphabetical order, at most `limit`."""
        return [
            name
            for (name,) in self._fetch_all("SELECT DISTINCT name FROM measures ORDER BY name LIMIT ?", limit)
        ]

    def curve(self, name: str, lineage: Lineage, limit: int) -> dict[int, float]:
        """Return the values of a measure by step of the lineage, ascending, at most `limit` of each attempt."""
        return {
            step: value
            for attempt, first, last in lineage.ranges
            for step, value in self._fetch_all(
                "SELECT step, value FROM measures WHERE step BETWEEN ? AND ? AND attempt=? AND name=?"
                " ORDER BY step, id LIMIT ?",
                first,
                last,
                attempt,
                name,
                limit,
            )
        }
