"""`measures.sqlite`: what was computed from the record, by step. Writer: the analyst."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from lamplighter.runfolder.database import (
    WalKeeper,
    data_version,
    fetch_all,
    open_reader,
    open_writer,
    seal,
)

SCHEMA = """
CREATE TABLE measures(id INTEGER PRIMARY KEY AUTOINCREMENT, attempt INTEGER NOT NULL, step INTEGER NOT NULL,
    name TEXT NOT NULL, value REAL NOT NULL);
CREATE INDEX measures_by_step ON measures(step);
"""
"""The tables of a new file; a file that is brought from elsewhere must have exactly these."""

Line = Sequence[tuple[int, int, int]]
_EVERY_STEP = ((None, 0, 0xFFFF_FFFF),)


class MeasuresWriter:
    """The analyst's hand on the file."""

    def __init__(self, path: Path) -> None:
        """Open or make the file.

        Raises:
            FormatError: it was written by a newer version.
        """
        self._connection = open_writer(path, SCHEMA)
        self._keeper = WalKeeper(path)

    def commit(self, attempt: int, step: int, values: dict[str, float]) -> None:
        """Keep the measures of one step, as one. Those that are not a number are left out."""
        with self._connection:
            self._connection.executemany(
                "INSERT INTO measures(attempt,step,name,value) VALUES(?,?,?,?)",
                [(attempt, step, name, value) for name, value in values.items() if not math.isnan(value)],
            )

    def close(self, *, sealed: bool = False) -> bool:
        """Close the file; with `sealed`, turn it back to a rollback journal first if readers allow it."""
        self._keeper.close()
        done = seal(self._connection) if sealed else False
        self._connection.close()
        return done

    def __enter__(self) -> MeasuresWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class MeasuresReader:
    """Reads the file, live or finished."""

    def __init__(self, path: Path) -> None:
        """Open the file.

        Raises:
            FileNotFoundError: the analyst has not made it yet.
            FormatError: this version cannot read it.
        """
        self._connection = open_reader(path)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def __enter__(self) -> MeasuresReader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def version(self) -> int:
        """A number that changes whenever the writer has committed."""
        return data_version(self._connection)

    def last_step(self, line: Line | None = None) -> int:
        """The newest step with measures, of the steps of a line (`StepsReader.line`) where one is given; -1
        for none."""
        stretches = _EVERY_STEP if line is None else line
        found = [
            self._all(
                "SELECT max(step) FROM measures WHERE step BETWEEN ? AND ? AND attempt=ifnull(?, attempt)",
                first,
                last,
                attempt,
            )[0][0]
            for attempt, first, last in stretches
        ]
        return max((step for step in found if step is not None), default=-1)

    def last_made(self) -> tuple[int, int]:
        """(attempt, step) of the measures made last; (0, -1) for none."""
        rows = self._all("SELECT attempt, step FROM measures ORDER BY id DESC LIMIT 1")
        return rows[0] if rows else (0, -1)  # pyright: ignore[reportReturnType]

    def by_step(
        self, first: int = 0, last: int = 0xFFFF_FFFF, line: Line | None = None
    ) -> dict[int, dict[str, float]]:
        """Measures by step and name, ascending: of the steps of a line (`StepsReader.line`) where one is
        given; otherwise, of several attempts at a step, the newest's."""
        found: dict[int, dict[str, float]] = {}
        for attempt, lower, upper in _EVERY_STEP if line is None else line:
            for step, name, value in self._all(
                "SELECT step, name, value FROM measures WHERE step BETWEEN ? AND ?"
                " AND attempt=ifnull(?, attempt) ORDER BY step, attempt, id",
                max(first, lower),
                min(last, upper),
                attempt,
            ):
                found.setdefault(step, {})[name] = value
        return found

    def _all(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        return fetch_all(self._connection, sql, values)
