"""Opening the SQLite files of a run: one writer, any number of readers.

A live file is in WAL mode, so that readers never wait for the writer nor the writer for them. APSW is used
for the SQLite it carries: libraries up to 3.51.2 can corrupt a WAL file that two connections write to or
checkpoint at once.

A writer does not checkpoint on its own thread: a `WalKeeper` does it beside, so that no commit pays for
it. A file nobody writes any more is sealed: back to a rollback journal, which opens read-only anywhere.
"""

from __future__ import annotations

import contextlib
import operator
import threading
import time
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import Any, Self, SupportsIndex, cast

import apsw

from lamplighter.runfolder import failpoint

FORMAT = 2
"""Of every SQLite file in a run folder, kept in `PRAGMA user_version`. Since 2, moved rows may be in tiles."""

_APPLICATION_ID = 0x4C414D50  # "LAMP"
_WAL_LIMIT = 4 << 20


class FormatError(ValueError):
    """A file that this version cannot read; the message says why."""


def bound(value: object) -> int | float | str | bytes | None:
    """Return a value as SQLite is to have it: every value of a statement goes through here.

    APSW takes whatever has a buffer for a blob, numpy's integers too; a blob is above every number, so a
    comparison with it finds the wrong rows and says nothing.

    Raises:
        TypeError: it is none of null, a whole number, a float, text or bytes.
    """
    if value is None or isinstance(value, int | float | str | bytes):
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
        """Run statements with values for their placeholders.

        Raises:
            TypeError: SQLite has no such type as a value's.
        """
        return super().execute(statements, _row(bindings) if bindings is not None else None, **how)

    def executemany(self, statements: str, sequenceofbindings: Iterable[Any], **how: Any) -> apsw.Cursor:
        """Run a statement once for each of many rows of values, which may be made as they are taken.

        Raises:
            TypeError: SQLite has no such type as a value's.
        """
        return super().executemany(statements, map(_row, sequenceofbindings), **how)


def _row(values: Mapping[str, object] | Iterable[object]) -> Any:
    if isinstance(values, Mapping):
        return {name: bound(value) for name, value in values.items()}
    return tuple(map(bound, values))


class _Writing(Connection):
    """A connection whose transactions fail with what went wrong: when a disk is full SQLite may undo one by
    itself, and that there is nothing left to undo would then hide it."""

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


def open_writer(path: Path, schema: str, page_size: int = 4096) -> apsw.Connection:
    """Open (or make) a file of which this process is the one writer, in WAL mode.

    Args:
        path: the file.
        schema: of a new file.
        page_size: of a new file, bytes. A record takes whole pages beyond the first, and what does not fit
            beside another record has a page of its own: it should suit what is kept.

    Raises:
        FormatError: the file was written by a newer version, or is not a file of a run.
    """
    if path.is_dir():
        raise FormatError(f"{path.name} is a folder, not a file of a run: move it away")
    connection = _Writing(str(path))
    try:
        _prepare(connection, path, schema, page_size)
    except (apsw.CorruptError, apsw.NotADBError) as error:
        connection.close()
        raise FormatError(f"{path.name} cannot be written: {error}") from error
    except FormatError:
        connection.close()
        raise
    return connection


def _prepare(connection: apsw.Connection, path: Path, schema: str, page_size: int) -> None:
    connection.set_busy_timeout(10_000)
    made = connection.pragma("user_version") != 0
    if made:
        # Before anything of it is changed: a newer one stays as it is.
        _check_format(connection, path)
    connection.execute(f"PRAGMA page_size={page_size}")
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")
    connection.execute(f"PRAGMA journal_size_limit={_WAL_LIMIT}")
    connection.execute("PRAGMA wal_autocheckpoint=0")
    if not made:
        with connection:
            connection.execute(schema)
            connection.execute(f"PRAGMA application_id={_APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version={FORMAT}")
    else:
        # From here on it may hold what an older version would misread.
        connection.execute(f"PRAGMA user_version={FORMAT}")


def open_reader(path: Path) -> apsw.Connection:
    """Open a file read-only. Finish every cursor at once: an open one keeps the WAL from shrinking.

    Raises:
        FileNotFoundError: there is no such file yet.
        FormatError: the file cannot be read by this version.
    """
    if not path.exists():
        raise FileNotFoundError(path)
    try:
        return _begin_reading(path)
    except FormatError as error:
        if not isinstance(error.__cause__, apsw.ReadOnlyError) or not _roll_back(path):
            raise
    return _begin_reading(path)


def _begin_reading(path: Path) -> apsw.Connection:
    try:
        connection = Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    except apsw.Error as error:
        raise FormatError(f"{path.name} cannot be read: {error}") from error
    connection.set_busy_timeout(2_000)
    try:
        connection.execute("PRAGMA trusted_schema=OFF")
        connection.execute("PRAGMA cell_size_check=ON")
        if connection.pragma("user_version") == 0:
            # The writer has made the file and not yet its tables.
            connection.close()
            raise FileNotFoundError(path)
        _check_format(connection, path)
    except apsw.Error as error:
        connection.close()
        raise FormatError(f"{path.name} cannot be read: {error}") from error
    except FormatError:
        connection.close()
        raise
    return connection


def _roll_back(path: Path) -> bool:
    """Undo what a writer left half done that was killed while it made, sealed or compacted the file.

    Nobody could read it before that is undone, nor see that its writer is wanted again; and only a connection
    that may write can. SQLite sees to it that no writer is at it.
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
    """All rows of a query: the cursor is finished at once.

    Raises:
        FormatError: the file is damaged, or busy for longer than readers wait.
    """
    try:
        return connection.execute(sql, values).fetchall()
    except apsw.Error as error:
        raise FormatError(f"{Path(connection.filename).name} cannot be read: {error}") from error


def data_version(connection: apsw.Connection) -> int:
    """A number that changes whenever another connection has committed; costs microseconds.

    Raises:
        FormatError: the file is damaged, or busy for longer than readers wait.
    """
    return int(fetch_all(connection, "PRAGMA data_version")[0][0])


def seal(connection: apsw.Connection, patience: float = 10.0) -> bool:
    """Turn a file back to a rollback journal, so that it opens read-only anywhere, for anyone.

    A reader that is connected keeps this from happening; it is tried again for `patience` seconds.

    Returns:
        Whether it was done.
    """
    connection.set_busy_timeout(50)
    deadline = time.monotonic() + patience
    while True:
        # With a full disk a run stays as it is: its readers lose nothing, and it is sealed another time.
        with (
            contextlib.suppress(apsw.BusyError, apsw.FullError, apsw.IOError),
            failpoint.within("seal"),
        ):
            if connection.pragma("journal_mode", "delete") == "delete":
                return True
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)


class WalKeeper:
    """Checkpoints the WAL of a file from a thread of its own, once it has grown."""

    def __init__(self, path: Path, every: float = 0.5, grown: int = 1 << 20) -> None:
        """Look every `every` seconds; act when the WAL has more than `grown` bytes."""
        self._path = path
        self._wal = path.with_name(path.name + "-wal")
        self._every = every
        self._grown = grown
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"wal of {path.name}", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop the thread and close its connection."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        connection = apsw.Connection(str(self._path))
        # Readers hold a WAL for milliseconds; who does so for longer is not waited for.
        connection.set_busy_timeout(50)
        try:
            while not self._stop.wait(self._every):
                try:
                    if self._wal.stat().st_size > self._grown:
                        # A connection that has read nothing yet does not know of the WAL: a no-op then.
                        connection.execute("SELECT count(*) FROM sqlite_schema").fetchall()
                        with failpoint.within("wal-checkpoint"):
                            connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
                        # A writer that commits during every checkpoint never finds the whole WAL copied, and
                        # goes on at its end for ever: then hold it up, briefly, so that it starts over.
                        if self._wal.stat().st_size > _WAL_LIMIT:
                            connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
                except (OSError, apsw.BusyError, apsw.LockedError, apsw.FullError, apsw.IOError):
                    # Readers, a full disk: the next look tries again; nothing is lost meanwhile.
                    continue
        finally:
            connection.close()


class FileWriter:
    """The one writer of a file, with its `WalKeeper`. Not for several threads."""

    def __init__(self, path: Path, schema: str, page_size: int = 4096) -> None:
        """Open or make the file (`open_writer`).

        Raises:
            FormatError: it was written by a newer version, or is not a file of a run.
        """
        self._connection = open_writer(path, schema, page_size)
        self._keeper = WalKeeper(path)

    def together(self) -> AbstractContextManager[object]:
        """What is written inside becomes visible as one, or, after a crash, not at all."""
        return self._connection

    def close(self, *, sealed: bool = False) -> bool:
        """Close the file; with `sealed`, turn it back to a rollback journal first if readers allow it.

        Returns:
            Whether the file is sealed.
        """
        self._keeper.close()
        done = seal(self._connection) if sealed else False
        self._connection.close()
        return done

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class FileReader:
    """Reads a file, live or finished. Not for several threads; every call finishes its cursor."""

    def __init__(self, path: Path) -> None:
        """Open the file.

        Raises:
            FileNotFoundError: its writer has not made it yet.
            FormatError: this version cannot read it.
        """
        self._connection = open_reader(path)

    def close(self) -> None:
        """Close the connection: a finished file can be sealed only when nobody is connected."""
        self._connection.close()

    def version(self) -> int:
        """A number that changes whenever the writer has committed; costs microseconds."""
        return data_version(self._connection)

    def _all(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        return fetch_all(self._connection, sql, values)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _check_format(connection: apsw.Connection, path: Path) -> None:
    if connection.pragma("application_id") != _APPLICATION_ID:
        raise FormatError(f"{path.name} is not a file of a run")
    version = int(str(connection.pragma("user_version")))
    if version > FORMAT:
        raise FormatError(
            f"{path.name} has format {version}; this version reads up to {FORMAT}: update Lamplighter"
        )
