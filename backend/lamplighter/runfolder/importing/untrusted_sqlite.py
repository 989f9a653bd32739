"""Untrusted SQLite files: an imported run may be hostile.

Such a file must have exactly the tables of a run. It is read row by row, and checked rows are inserted into a new file
(`checked_copy.py`).
"""

from __future__ import annotations

import math
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import apsw

from lamplighter.platform.printable import quote_foreign
from lamplighter.runfolder.errors import FormatError
from lamplighter.runfolder.importing.run_checks import MAX_ROWS, RunChecks
from lamplighter.runfolder.lineage import step_key
from lamplighter.runfolder.sqlite.database import QUERY_ERRORS, check_version, open_writer
from lamplighter.runfolder.sqlite.remote_database import MAX_RECORD
from lamplighter.runfolder.sqlite.table_list import has_tables, is_later_table_missing
from lamplighter.wire.binary import FrameError
from lamplighter.wire.district_frames import Districts
from lamplighter.wire.frames import decode
from lamplighter.wire.layout_frames import Layout
from lamplighter.wire.pulse_frames import Pulse
from lamplighter.wire.row_frames import Census, Rows

_MAX_MEMORY = 4 * MAX_RECORD

F = TypeVar("F", Pulse, Layout, Rows, Census, Districts)


class UntrustedFile:
    """An untrusted SQLite file, opened read-only with SQLite's defences enabled."""

    def __init__(self, source: Path | bytes, schema: str, checks: RunChecks) -> None:
        """Open the file, or the bytes of one, and check it as a whole: it has exactly the tables of `schema`
        (`has_tables`). Raises FormatError if it is invalid.
        """
        self.name = "the fragment" if isinstance(source, bytes) else source.name
        self._checks = checks
        if isinstance(source, bytes):
            self._connection = apsw.Connection(":memory:")
            self._connection.deserialize("main", source)
        else:
            self._connection = apsw.Connection(str(source), flags=apsw.SQLITE_OPEN_READONLY)
        self._connection.config(apsw.SQLITE_DBCONFIG_DEFENSIVE, 1)
        self._connection.config(apsw.SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0)
        self._connection.limit(apsw.SQLITE_LIMIT_LENGTH, MAX_RECORD)
        try:
            for pragma in ("trusted_schema=OFF", "cell_size_check=ON", "mmap_size=0", "journal_mode"):
                for (mode,) in self._connection.execute(f"PRAGMA {pragma}"):
                    if mode == "wal":
                        raise FormatError(
                            f"{self.name} was copied while it was being written: export it instead"
                        )
            pages, size = (int(str(self._connection.pragma(name))) for name in ("page_count", "page_size"))
            if isinstance(source, bytes) and pages * size != len(source):
                raise FormatError(f"{self.name} has more bytes than its database")
            check_version(self._connection, self.name)
            if not has_tables(self._connection, schema):
                raise FormatError(f"{self.name} has other tables than the file of a run: refused")
            for (verdict,) in self._connection.execute("PRAGMA quick_check(1)"):
                if verdict != "ok":
                    raise FormatError(f"{self.name} is damaged: {quote_foreign(verdict)}")
        except QUERY_ERRORS as error:
            self._connection.close()
            raise FormatError(f"{self.name} cannot be read: {quote_foreign(error)}") from error
        except FormatError:
            self._connection.close()
            raise

    def rows(self, query: str, limit: int = MAX_ROWS) -> Iterator[tuple[Any, ...]]:
        """Yield the rows of a query, one at a time. Raises FormatError if the file cannot be read, or there
        are more than `limit` rows.
        """
        try:
            for count, row in enumerate(self._connection.execute(query)):
                if count % 64 == 0:
                    self._checks.tick()
                if count >= limit:
                    raise FormatError(f"{self.name} has more than {limit:,} rows in one table")
                yield row
        except QUERY_ERRORS as error:
            if not is_later_table_missing(error):
                raise FormatError(f"{self.name} cannot be read: {quote_foreign(error)}") from error

    def decode_frame(self, record: Any, kind: type[F], row: Any) -> F:
        """Decode a record, and check its kind, its row id and its dimensions. Raises FormatError if the
        record is not a frame, or fails a check.
        """
        if not isinstance(record, bytes):
            raise FormatError("a record that is not bytes")
        try:
            frame = decode(record)
        except FrameError as error:
            raise FormatError(str(error)) from error
        if not isinstance(frame, kind) or step_key(frame.attempt, frame.step) != row:
            raise FormatError("a record that contradicts its row")
        size = len(frame.coordinates) if isinstance(frame, Layout) else 0
        size = len(frame.of) if isinstance(frame, Districts) else size
        size = len(frame.touches) if isinstance(frame, Census) else size
        size = frame.vocabulary if isinstance(frame, Pulse | Rows) else size
        width = frame.vectors.shape[1] if isinstance(frame, Rows) else self._checks.dim
        if (size, width) != (self._checks.vocabulary, self._checks.dim) or not math.isfinite(frame.time):
            raise FormatError("a record that does not match this run's vocabulary and width")
        return frame

    def __enter__(self) -> UntrustedFile:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, *_: object) -> None:
        self._connection.close()
        if isinstance(error, FormatError) and not str(error).startswith(self.name):
            raise FormatError(f"{self.name}: {error}") from error


class CheckedCopy:
    """A new file for checked rows, committed when the `with` block ends without an error."""

    def __init__(self, path: Path, schema: str, checks: RunChecks, page_size: int = 4096) -> None:
        self._checks = checks
        self._connection = open_writer(path, schema, page_size)
        # The copy is one transaction: a write-ahead log would double the space it needs.
        self._connection.pragma("journal_mode", "delete")
        self._connection.execute("BEGIN")

    def insert(self, sql: str, *values: Any) -> None:
        """Insert a row. Raises FormatError if the row violates a constraint, such as a unique key, or exceeds
        the limits of a run.
        """
        self._checks.spend(values)
        try:
            self._connection.execute(sql, values)
        except apsw.ConstraintError as error:
            raise FormatError(f"a row that contradicts another: {quote_foreign(error)}") from error

    def __enter__(self) -> CheckedCopy:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None:
                self._connection.execute("COMMIT")
        finally:
            self._connection.close()


@contextmanager
def bounded_sqlite_memory() -> Generator[None]:
    """Limit the memory that SQLite takes in this process: it reads a file's schema whole, of any length."""
    before = apsw.hard_heap_limit(_MAX_MEMORY)
    try:
        yield
    finally:
        apsw.hard_heap_limit(before)
