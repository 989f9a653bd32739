"""A simulated full disk in this process: SQLite and reserves fail as on a real one, without root."""

from __future__ import annotations

import errno
import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import apsw
import pytest

from lamplighter.runfolder.writing import free_space


class SmallDisk:
    """The disk. Growing SQLite files and reserves take from its free bytes, shrinking ones give back."""

    def __init__(self) -> None:
        self.free = 1 << 40

    def take(self, size: int) -> None:
        """Take bytes.

        Raises:
            apsw.FullError: not enough are free.
        """
        if size > self.free:
            raise apsw.FullError("database or disk is full")
        self.free -= size


@contextmanager
def small_disk(patch: pytest.MonkeyPatch) -> Generator[SmallDisk]:
    """Yield a disk for every SQLite file and reserve opened from now on. Set `free` at any time."""
    disk = SmallDisk()
    vfs = _Vfs(disk, apsw.vfs_names()[0])
    patch.setattr(free_space.tempfile, "TemporaryFile", lambda **how: _ReserveFile(disk))
    try:
        yield disk
    finally:
        vfs.unregister()


class _Vfs(apsw.VFS):
    def __init__(self, disk: SmallDisk, system: str) -> None:
        self._disk, self._system = disk, system
        super().__init__(f"small disk {id(disk)}", system, makedefault=True)

    def xOpen(self, name: Any, flags: Any) -> apsw.VFSFile:
        return _File(self._disk, self._system, name, flags)

    def xDelete(self, filename: str, syncdir: bool) -> None:
        # SQLite may delete a missing file, and ignores the failure; here it would raise an exception.
        if (path := Path(filename)).exists():
            size = path.stat().st_size
            super().xDelete(filename, syncdir)
            self._disk.free += size


class _File(apsw.VFSFile):
    def __init__(self, disk: SmallDisk, system: str, name: Any, flags: Any) -> None:
        self._disk = disk
        super().__init__(system, name, flags)

    def xWrite(self, data: Any, offset: int) -> None:
        self._disk.take(max(0, offset + len(data) - self.xFileSize()))
        super().xWrite(data, offset)

    def xTruncate(self, newsize: int) -> None:
        self._disk.free += max(0, self.xFileSize() - newsize)
        super().xTruncate(newsize)


class _ReserveFile:
    def __init__(self, disk: SmallDisk) -> None:
        self._disk, self._size = disk, 0

    def write(self, data: bytes) -> int:
        size = min(len(data), self._disk.free)
        if not size:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self._disk.take(size)
        self._size += size
        return size

    def close(self) -> None:
        self._disk.free += self._size
        self._size = 0
