"""Space that a process holds on a disk, for the few things that must be written even when the disk is full."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import IO, TypeVar

from lamplighter.runfolder.writing.free_space import is_disk_full

Done = TypeVar("Done")

_BLOCK = 16_384


class SpaceReserve:
    """A file without a name, of bytes that no file system can compress. The system frees them with the process, however
    that ends."""

    def __init__(self, folder: Path, size: int) -> None:
        """Hold nothing until `fill`.

        Args:
            folder: a folder on the file system.
            size: the maximum number of bytes to hold.
        """
        self._folder, self._size = folder, size
        self._file: IO[bytes] | None = None
        self._wanted = False
        self._lock = Lock()
        self.held_bytes = 0

    def fill(self) -> None:
        """Hold as many bytes as there is room for. Never raises: without a reserve a full disk stops more."""
        with self._lock:
            self._wanted = True
            self._fill()

    def spend_on(self, write: Callable[[], Done]) -> Done:
        """Call `write`; if the disk is full, give up the reserve, call it once more, and hold what is left.

        Args:
            write: the operation; must be safe to repeat after a failure.

        Raises:
            Exception: whatever `write` raises, at last.
        """
        try:
            done = write()
        except Exception as error:
            if not self.held_bytes or not is_disk_full(error):
                raise
        else:
            # What an earlier call took, now that there may be room.
            with self._lock:
                self._fill()
            return done
        with self._lock:
            self._release()
            try:
                return write()
            finally:
                self._fill()

    def close(self) -> None:
        """Give up the reserve for good."""
        with self._lock:
            self._wanted = False
            self._release()

    def _fill(self) -> None:
        if not self._wanted or self.held_bytes == self._size:
            return
        with suppress(OSError):
            if self._file is None:
                self._file = tempfile.TemporaryFile(dir=self._folder, prefix=".reserve-", buffering=0)  # noqa: SIM115
            while self.held_bytes < self._size:
                block = os.urandom(min(_BLOCK, self._size - self.held_bytes))
                self.held_bytes += self._file.write(block)

    def _release(self) -> None:
        if self._file is not None:
            self._file.close()
        self._file, self.held_bytes = None, 0
