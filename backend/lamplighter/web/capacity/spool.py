"""The spool: bodies that are made but not sent yet, in unnamed files.

The system removes such a file with the process, however it ends. The files are in the runs' folder, because
the temporary folder is memory on many systems; they go there only if the runs' folder is not writable. Their
total size is bounded, and leaves free the space that training needs. Bodies small enough to be made in one
piece stay in memory while there is room, as do a few large ones on a full disk.

All clients but the presenter share three quarters of the room. If none is left, the spool first asks its
owner to free some (`make_room`).
"""

from __future__ import annotations

import io
import os
import tempfile
import threading
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import IO

from lamplighter.runfolder.writing.free_space import spare_bytes
from lamplighter.web.capacity.limiter import BusyError

_DISK_BYTES = 2 << 30
_MEMORY_BYTES = 48 << 20
_SHARE = 0.75
"""The share of the room that is not reserved for the presenter."""
_GROWTH_BYTES = 4 << 20
"""Bytes by which the room of a file of unknown length grows."""


class SpoolFile:
    """Bytes that one thread writes in order, and any number of readers read during or after that."""

    def __init__(self, file: IO[bytes], room: _Room | None = None) -> None:
        """Use an empty file open for reading and writing; `room` is its share of a spool, if any."""
        self._file = file
        self._room = room
        # Also releases the room when the file is garbage-collected; must not hold a reference to `self`.
        self._close_file = weakref.finalize(self, file.close)
        self._lock = threading.Lock()
        self.size = 0
        """Bytes written so far."""
        self.in_memory = isinstance(file, io.BytesIO)
        """True if reading it never waits for a disk."""

    def write(self, data: bytes | memoryview) -> None:
        """Append bytes. Raises BusyError if the spool has no room for them, OSError if the disk is full."""
        if self._room is not None:
            self._room.require(self.size + len(data))
        with self._lock:
            self._file.seek(self.size)
            self._file.write(data)
            self.size += len(data)

    def read(self, offset: int, count: int) -> bytes:
        """Return at most `count` bytes from `offset` on; none at the end of what is written."""
        with self._lock:
            self._file.seek(offset)
            return self._file.read(min(count, self.size - offset))

    def trim(self) -> None:
        """Give back the room that a complete file does not use."""
        if self._room is not None:
            self._room.release(self.size)

    def close(self) -> None:
        with self._lock:
            self._close_file()
        if self._room is not None:
            self._room.release()

    def __del__(self) -> None:
        if self._room is not None:
            self._room.release()


class Spool:
    """The room for bodies waiting to be sent. Its methods block briefly, so call them from a thread."""

    def __init__(
        self,
        folder: Path,
        disk_bytes: int = _DISK_BYTES,
        memory_bytes: int = _MEMORY_BYTES,
        growth_bytes: int = _GROWTH_BYTES,
    ) -> None:
        """Keep at most `disk_bytes` of files in `folder` if it is writable. The room of a file of unknown length
        grows by `growth_bytes` at a time.
        """
        self.growth_bytes = growth_bytes
        self._folders = (folder, Path(tempfile.gettempdir()))
        self._disk = _Budget(disk_bytes)
        self._memory = _Budget(memory_bytes)
        self.make_room: Callable[[], bool] = lambda: False
        """Frees a dispensable file; returns whether there was one."""

    @property
    def used(self) -> int:
        return self._disk.used + self._memory.used

    def hold(self, body: bytes, *, presenter: bool = False) -> SpoolFile:
        """Return a complete file of a body: in memory while there is room, because a disk costs milliseconds.
        Raises BusyError.
        """
        room = _Room(self, self._memory, None, presenter=presenter)
        file = (
            SpoolFile(io.BytesIO(), room)
            if room.take(len(body))
            else self.open(len(body), presenter=presenter)
        )
        file.write(body)
        return file

    def open(self, size: int | None, *, presenter: bool = False) -> SpoolFile:
        """Return an empty file with room for `size` bytes; with None, the room grows with the file. Raises
        BusyError.
        """
        first = self.growth_bytes if size is None else size
        for folder in self._folders:
            room = _Room(self, self._disk, folder, presenter=presenter)
            if room.extend(first):
                try:
                    return SpoolFile(tempfile.TemporaryFile(prefix=".spool-", dir=folder), room)
                except OSError:
                    room.release()
        room = _Room(self, self._memory, None, presenter=presenter)
        if room.extend(first):
            return SpoolFile(io.BytesIO(), room)
        raise BusyError(
            "this server has no room left for answers that wait to be read: try again in a few seconds"
        )


class _Budget:
    """A byte limit, and the number of bytes taken."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.used = 0
        # Garbage collection may close a file while this thread holds the lock.
        self.lock = threading.RLock()

    def take(self, size: int, share: float) -> bool:
        with self.lock:
            if self.used + size > share * self.limit:
                return False
            self.used += size
            return True


class _Room:
    """The bytes of a budget taken by one file."""

    def __init__(self, spool: Spool, budget: _Budget, folder: Path | None, *, presenter: bool) -> None:
        self._spool = spool
        self._budget = budget
        self._folder = folder
        self._share = 1.0 if presenter else _SHARE
        self._size = 0

    def require(self, size: int) -> None:
        if size > self._size and not self.extend(max(size - self._size, self._spool.growth_bytes)):
            raise BusyError(
                "this server has no room left for answers of that size: try again, or ask for less"
            )

    def extend(self, size: int) -> bool:
        while not self.take(size):
            if not self._spool.make_room():
                return False
        return True

    def take(self, size: int) -> bool:
        if not (self._disk_has(size) and self._budget.take(size, self._share)):
            return False
        with self._budget.lock:
            self._size += size
        return True

    def release(self, kept: int = 0) -> None:
        with self._budget.lock:
            self._budget.used -= max(0, self._size - kept)
            self._size = min(self._size, kept)

    def _disk_has(self, size: int) -> bool:
        if self._folder is None:
            return True
        try:
            return os.access(self._folder, os.W_OK) and spare_bytes(self._folder) >= size
        except OSError:
            return False
