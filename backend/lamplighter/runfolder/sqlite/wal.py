"""SQLite's WAL mode: whether a folder allows it, and checkpoints outside the committing thread.

It needs shared memory mappings of files, which some network file systems and FUSE mounts lack.
"""

from __future__ import annotations

import logging
import os
import secrets
import threading
from contextlib import suppress
from pathlib import Path

import apsw

from lamplighter.platform import failpoint

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


WAL_LIMIT = 4 << 20

log = logging.getLogger(__name__)


class WalKeeper:
    """A background thread that checkpoints the WAL of a file once it has grown."""

    def __init__(self, path: Path, interval: float = 0.5, min_bytes: int = 1 << 20) -> None:
        """Start the thread: every `interval` seconds, checkpoint if the WAL exceeds `min_bytes`."""
        self._path = path
        self._wal = path.with_name(path.name + "-wal")
        self._every = interval
        self._grown = min_bytes
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"wal of {path.name}", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        connection: apsw.Connection | None = None
        damaged = False
        while not self._stop.wait(self._every):
            try:
                if self._wal.stat().st_size > self._grown:
                    connection = connection or self._open()
                    self._checkpoint(connection)
            except (OSError, MemoryError, apsw.Error) as error:
                # Readers, a full disk, no free descriptor or no memory: retry next time on a new connection. Nothing is
                # lost.
                if connection is not None:
                    connection.close()
                    connection = None
                if isinstance(error, (apsw.CorruptError, apsw.NotADBError)) and not damaged:
                    damaged = True
                    log.warning("%s cannot be checkpointed: %s", self._path.name, error)
        if connection is not None:
            connection.close()

    def _open(self) -> apsw.Connection:
        connection = apsw.Connection(str(self._path))
        # Readers hold a WAL for milliseconds; do not wait for one that holds it longer.
        connection.set_busy_timeout(50)
        return connection

    def _checkpoint(self, connection: apsw.Connection) -> None:
        # Read first: on a connection that has not read yet, the checkpoint is a no-op.
        connection.execute("SELECT count(*) FROM sqlite_schema").fetchall()
        with failpoint.trigger_within("wal-checkpoint"):
            connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
        # A writer that commits during every checkpoint never finds the WAL fully copied, and appends to it forever.
        # Block it briefly, so that it restarts at the beginning.
        if self._wal.stat().st_size > WAL_LIMIT:
            connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
