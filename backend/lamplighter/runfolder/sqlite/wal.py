"""Checkpoints of a WAL file, made outside the committing thread."""

from __future__ import annotations

import logging
import threading
from pathlib import Path

import apsw

from lamplighter.platform import failpoint

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
