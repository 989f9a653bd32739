"""Base classes of the tables: one writer and many readers of a database file."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from lamplighter.runfolder.sqlite.database import (
    FORMAT_VERSION,
    fetch_all,
    fetch_integers,
    open_reader,
    open_writer,
    seal,
)
from lamplighter.runfolder.sqlite.wal import WalKeeper, has_shared_memory


class FileWriter:
    """The only writer of a file, with its `WalKeeper`. Not thread-safe."""

    def __init__(self, path: Path, schema: str, page_size: int = 4096, version: int = FORMAT_VERSION) -> None:
        self._connection = open_writer(path, schema, page_size, version)
        self._keeper = WalKeeper(path)

    def transaction(self) -> AbstractContextManager[object]:
        """Return a context manager, not to be nested, whose writes are one transaction, visible at once or never."""
        self.undo_interrupted()
        return self._connection

    def undo_interrupted(self) -> None:
        """Roll back a transaction that Ctrl-C left open just before its end; later ones would be nested in it."""
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")

    def set_patience(self, seconds: float) -> None:
        """Set how long a write waits for readers of a file without a WAL; with a WAL it never waits."""
        if not has_shared_memory(Path(self._connection.filename).parent):
            self._connection.set_busy_timeout(round(1_000 * seconds))

    def close(self, *, sealed: bool = False, patience: float = 10.0) -> bool:
        """Close the file; with `sealed`, seal it first unless a reader prevents it for `patience` seconds.
        Returns whether the file is sealed.
        """
        self._keeper.close()
        done = seal(self._connection, patience) if sealed else False
        self._connection.close()
        return done

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class FileReader:
    """A reader of a file, live or finished. Not thread-safe; no call leaves a cursor open."""

    def __init__(self, path: Path) -> None:
        """Open the file. Raises FileNotFoundError if the writer has not created the file yet, FormatError if
        this version cannot read the file.
        """
        self._connection = open_reader(path)

    def close(self) -> None:
        self._connection.close()

    def version(self) -> int:
        """Return a number that changes whenever the writer commits; takes microseconds."""
        return int(self._fetch_all("PRAGMA data_version")[0][0])

    def _fetch_all(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        return fetch_all(self._connection, sql, values)

    def _fetch_integers(self, sql: str, *values: object) -> NDArray[np.int64]:
        return fetch_integers(self._connection, sql, values)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
