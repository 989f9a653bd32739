"""Reserved disk space for the few writes that must succeed even when the disk is full."""

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
    """An unnamed file of incompressible bytes. The operating system frees it when the process ends, even by a kill."""

    def __init__(self, folder: Path, size: int) -> None:
        """Create an empty reserve on the file system of `folder`; `fill` reserves at most `size` bytes."""
        self._folder, self._size = folder, size
        self._file: IO[bytes] | None = None
        self._wanted = False
        self._lock = Lock()
        self.held_bytes = 0

    def fill(self) -> None:
        """Reserve as many bytes as there is room for. Never raises: training continues without a reserve."""
        with self._lock:
            self._wanted = True
            self._fill()

    def spend_on(self, write: Callable[[], Done]) -> Done:
        """Call `write`, which must be safe to repeat; if the disk is full, release the reserve, call it
        again, and reserve what is left.
        """
        try:
            done = write()
        except Exception as error:
            if not self.held_bytes or not is_disk_full(error):
                raise
        else:
            # Refill what an earlier call released, now that there may be room.
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
