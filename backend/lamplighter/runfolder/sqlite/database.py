"""Connections to the SQLite files of a run: one writer, any number of readers.

A live file is in WAL mode, so that readers and the writer never wait for each other; on a file system without shared
memory mappings it has a rollback journal, and they do wait. APSW is used for the SQLite it bundles: libraries up to
3.51.2 can corrupt a WAL file that two connections write to or checkpoint at once.

A writer does not checkpoint on its own thread: a `WalKeeper` does so in the background, so that no commit
pays for it. A file that is no longer written is sealed: it returns to a rollback journal, which opens
read-only anywhere.
"""

from __future__ import annotations

import contextlib
import operator
import re
import stat
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, SupportsIndex, cast

import apsw
import numpy as np
from numpy.typing import NDArray

from lamplighter.platform import failpoint
from lamplighter.platform.private_modes import restrict_like_folder
from lamplighter.runfolder.errors import FormatError, require_writable
from lamplighter.runfolder.sqlite.remote_database import guard, vfs_of
from lamplighter.runfolder.sqlite.table_list import is_later_table_missing
from lamplighter.runfolder.sqlite.unreadable_file import unreadable_file
from lamplighter.runfolder.sqlite.wal import WAL_LIMIT, has_shared_memory

FORMAT_VERSION = 4
"""The newest format of the SQLite files in a run folder. Each file has in `PRAGMA user_version` that of the last change that
its readers must know. Count up with every change that the version before cannot read; all lower numbers are read."""

_APPLICATION_ID = 0x4C414D50  # "LAMP"

QUERY_ERRORS = (apsw.Error, UnicodeDecodeError)
"""Errors of a query on a damaged file; text that is not UTF-8 fails to decode."""

_SQLITE_TYPES = (int, float, str, bytes, type(None))
_EXACT_TYPES = frozenset(_SQLITE_TYPES)


def bound(value: object) -> int | float | str | bytes | None:
    """Return a value converted for SQLite; every bound value goes through here. APSW stores any object with a
    buffer as a blob, numpy integers too. Every number sorts before a blob, so comparisons would silently
    find the wrong rows. Raises TypeError if the value is not null, an integer, a float, a string or bytes.
    """
    if isinstance(value, _SQLITE_TYPES):
        return value
    try:
        return operator.index(cast(SupportsIndex, value))
    except TypeError:
        raise TypeError(
            f"a {type(value).__name__} cannot be kept in a run's file: whole numbers, floats, text or bytes can"
        ) from None


class Connection(apsw.Connection):
    """A connection whose values go through `bound`."""

    def execute(self, statements: str, bindings: Any = None, **how: Any) -> apsw.Cursor:
        """Run statements with values for their placeholders (`bound`)."""
        return super().execute(statements, _row(bindings) if bindings is not None else None, **how)

    def executemany(self, statements: str, sequenceofbindings: Iterable[Any], **how: Any) -> apsw.Cursor:
        """Run a statement once for each row of values (`bound`), which may come from a lazy iterator."""
        return super().executemany(statements, map(_row, sequenceofbindings), **how)


def _row(values: Mapping[str, object] | Iterable[object]) -> Any:
    # Nearly every row is a tuple of SQLite's types, and a step commits several: pass them through.
    if type(values) is tuple and _EXACT_TYPES.issuperset(map(type, values)):
        return values
    if isinstance(values, Mapping):
        return {name: bound(value) for name, value in values.items()}
    return tuple(map(bound, values))


class _WriterConnection(Connection):
    """A connection whose transactions raise the original error. On a full disk SQLite may roll back by itself, and the
    failure of a second rollback would hide the cause."""

    def __exit__(
        self,
        etype: type[BaseException] | None,
        evalue: BaseException | None,
        etraceback: TracebackType | None,
    ) -> bool:
        try:
            return super().__exit__(etype, evalue, etraceback)
        except apsw.SQLError:
            if evalue is None or self.in_transaction:
                raise
            return False


def open_writer(
    path: Path, schema: str, page_size: int = 4096, version: int = FORMAT_VERSION
) -> apsw.Connection:
    """Open or create a file with this process as its only writer, in WAL mode if the file system allows.

    `schema`: the tables of a new file. `page_size`: its page size in bytes. Choose it to suit the records:
    a record that does not fit beside another takes a page alone, and a large one takes further whole
    pages. `version`: its format. An older file gets the tables that it lacks, and this number. Raises
    FormatError if the file was written by a newer version, does not belong to a run, or cannot be written
    to.
    """
    if path.is_dir():
        raise FormatError(f"{path.name} is a folder, not a file of a run: move it away")
    require_writable(path.parent)
    connection = _WriterConnection(str(path))
    try:
        _prepare(connection, path, schema, page_size, version)
    except (apsw.CorruptError, apsw.NotADBError) as error:
        connection.close()
        raise FormatError(f"{path.name} cannot be written: {error}") from error
    except FormatError:
        connection.close()
        raise
    return connection


def _prepare(connection: apsw.Connection, path: Path, schema: str, page_size: int, version: int) -> None:
    connection.set_busy_timeout(10_000)
    with_wal = has_shared_memory(path.parent)
    if not with_wal:
        # Readers may hold the file for as long as copying it takes.
        connection.set_busy_timeout(60_000)
        # A file that was in WAL mode elsewhere becomes readable: this process alone holds the index of the WAL.
        connection.execute("PRAGMA locking_mode=EXCLUSIVE")
    # Check before any change: a file of a newer version must stay untouched.
    written = _check_file(connection, path)
    if not written:
        # Its WAL gets the same mode.
        restrict_like_folder(path)
    connection.execute(f"PRAGMA page_size={page_size}")
    connection.execute(f"PRAGMA journal_mode={'WAL' if with_wal else 'TRUNCATE'}")
    if not with_wal:
        connection.execute("PRAGMA locking_mode=NORMAL")
    connection.execute("PRAGMA synchronous=NORMAL")
    connection.execute(f"PRAGMA journal_size_limit={WAL_LIMIT}")
    connection.execute("PRAGMA wal_autocheckpoint=0")
    if written < version:
        with connection:
            connection.execute(re.sub(r"CREATE (TABLE|INDEX) (?!IF )", r"CREATE \1 IF NOT EXISTS ", schema))
            connection.execute(f"PRAGMA application_id={_APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version={version}")


def open_reader(path: Path) -> apsw.Connection:
    """Open a file read-only. Exhaust every cursor immediately: an open one keeps the WAL from shrinking.
    Raises FileNotFoundError if the file does not exist yet, FormatError if this version cannot read the
    file.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise FormatError(f"{path.name} is no file: move it away")
    except (FileNotFoundError, NotADirectoryError):
        raise FileNotFoundError(path) from None
    except OSError as error:
        # For example, the folder belongs to another user.
        raise FormatError(f"{path.name} cannot be read: {error.strerror}") from error
    try:
        return _open_read_only(path)
    except FormatError as error:
        if not isinstance(error.__cause__, apsw.ReadOnlyError) or not _roll_back(path):
            raise
    return _open_read_only(path)


def _open_read_only(path: Path) -> apsw.Connection:
    try:
        connection = Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY, vfs=vfs_of(path))
    except apsw.Error as error:
        raise unreadable_file(path, error) from error
    connection.set_busy_timeout(2_000)
    try:
        connection.execute("PRAGMA trusted_schema=OFF")
        connection.execute("PRAGMA cell_size_check=ON")
        if not _check_file(connection, path):
            # The writer has created the file but not its tables yet.
            connection.close()
            raise FileNotFoundError(path)
        guard(connection, path)
    except apsw.Error as error:
        connection.close()
        raise unreadable_file(path, error) from error
    except FormatError:
        connection.close()
        raise
    return connection


def _roll_back(path: Path) -> bool:
    """Roll back the transaction of a writer that was killed while it created, sealed or compacted the file.

    Until then no process can read the file, or see that its writer must restart. Only a connection with write access
    can roll back; SQLite ensures that no writer is active.
    """
    try:
        connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)
        try:
            connection.set_busy_timeout(2_000)
            connection.execute("SELECT count(*) FROM sqlite_schema").fetchall()
        finally:
            connection.close()
    except apsw.Error:
        return False
    return True


def fetch_all(connection: apsw.Connection, sql: str, values: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return all rows of a query, so that no cursor stays open. Raises FormatError if the file is damaged, or
    busy for longer than the readers' timeout.
    """
    try:
        return connection.execute(sql, values).fetchall()
    except QUERY_ERRORS as error:
        if is_later_table_missing(error):
            return []
        raise unreadable_file(Path(connection.filename), error) from error


def fetch_integers(connection: apsw.Connection, sql: str, values: tuple[Any, ...] = ()) -> NDArray[np.int64]:
    """Return the only column of a query, shape (N,), as `fetch_all`, without building a list of rows."""
    try:
        return np.fromiter((number for (number,) in connection.execute(sql, values)), dtype=np.int64)
    except (*QUERY_ERRORS, TypeError, ValueError, OverflowError) as error:
        if is_later_table_missing(error):
            return np.empty(0, np.int64)
        # A damaged column may hold values of any type.
        raise unreadable_file(Path(connection.filename), error) from error


def seal(connection: apsw.Connection, patience: float = 10.0) -> bool:
    """Switch a file back to a rollback journal, so that it opens read-only anywhere. A connected reader
    prevents this; retry for `patience` seconds. Returns whether the file is sealed.
    """
    connection.set_busy_timeout(50)
    deadline = time.monotonic() + patience
    while True:
        # On a full disk, leave the file unsealed: readers lose nothing, and it can be sealed later.
        with (
            contextlib.suppress(apsw.BusyError, apsw.FullError, apsw.IOError),
            failpoint.trigger_within("seal"),
        ):
            if connection.pragma("journal_mode", "delete") == "delete":
                return True
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)


def check_version(connection: apsw.Connection, name: str) -> int:
    """Return the format of an open file; 0 before its writer made its tables. Raises FormatError if a newer
    version wrote it.
    """
    version = int(str(connection.pragma("user_version")))
    if version > FORMAT_VERSION:
        raise FormatError(
            f"{name} has format {version}; this version reads up to {FORMAT_VERSION}: update Lamplighter"
        )
    return version


def _check_file(connection: apsw.Connection, path: Path) -> int:
    version = check_version(connection, path.name)
    if version and connection.pragma("application_id") != _APPLICATION_ID:
        raise FormatError(f"{path.name} is not a file of a run")
    return version
