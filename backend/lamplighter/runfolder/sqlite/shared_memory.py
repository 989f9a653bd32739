"""A test for shared memory mappings of files, which SQLite's WAL mode needs.

Some network file systems and FUSE mounts lack them.
"""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path

import apsw

answers: dict[int, bool] = {}
"""The results so far, by device."""


def has_shared_memory(folder: Path) -> bool:
    """Return whether SQLite can use WAL mode in a folder. Tries it once per file system. Raises OSError if
    there is no such folder.
    """
    device = os.stat(folder).st_dev
    if device not in answers:
        answers[device] = _try_wal(folder / f".wal-{secrets.token_hex(4)}")
    return answers[device]


def lacks_shared_memory(error: BaseException) -> bool:
    """Return whether an SQLite error means that a file could not be mapped."""
    return isinstance(error, apsw.IOError) and getattr(error, "extendedresult", 0) == apsw.SQLITE_IOERR_SHMMAP


def _try_wal(path: Path) -> bool:
    # Use a scratch file: after a failure it stays in WAL mode and is unreadable there.
    connection = apsw.Connection(str(path))
    try:
        connection.execute("PRAGMA synchronous=OFF")
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("SELECT count(*) FROM sqlite_schema").fetchall()
    except apsw.IOError as error:
        if not lacks_shared_memory(error):
            raise
        return False
    finally:
        connection.close()
        for ending in ("", "-wal", "-shm", "-journal"):
            with suppress(OSError):
                os.unlink(f"{path}{ending}")
    return True
