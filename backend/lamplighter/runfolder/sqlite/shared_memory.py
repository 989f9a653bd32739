"""A test whether a file system maps files into the memory of several processes, which SQLite's WAL mode needs.

Some network file systems and FUSE mounts have no such mappings.
"""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path

import apsw

answers: dict[int, bool] = {}
"""The answers so far, by device."""


def has_shared_memory(folder: Path) -> bool:
    """Return whether SQLite can keep a file in WAL mode in a folder. Tries it once for each file system.

    Raises:
        OSError: there is no such folder.
    """
    device = os.stat(folder).st_dev
    if device not in answers:
        answers[device] = _try_wal(folder / f".wal-{secrets.token_hex(4)}")
    return answers[device]


def lacks_shared_memory(error: BaseException) -> bool:
    """Return whether an error of SQLite says that a file could not be mapped."""
    return isinstance(error, apsw.IOError) and getattr(error, "extendedresult", 0) == apsw.SQLITE_IOERR_SHMMAP


def _try_wal(path: Path) -> bool:
    # On a file of its own: after a failure a file stays in WAL mode, and cannot be read there.
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
