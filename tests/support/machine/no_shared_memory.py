"""Simulates a file system without shared memory, like some network file systems and FUSE mounts: SQLite's
system call for it fails in this process.
"""

from __future__ import annotations

import ctypes
import errno
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import apsw

from lamplighter.runfolder.sqlite import wal

_MAP_FAILED = 2 ** (8 * ctypes.sizeof(ctypes.c_void_p)) - 1


@ctypes.CFUNCTYPE(
    ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long,
    use_errno=True,
)  # fmt: skip
def _fail(*_: object) -> int:
    ctypes.set_errno(errno.ENODEV)
    return _MAP_FAILED


def _address(function: Any) -> int:
    return ctypes.cast(function, ctypes.c_void_p).value or 0


@contextmanager
def no_shared_memory() -> Generator[None]:
    """Put every file that SQLite opens on such a file system."""
    vfs = apsw.VFS("system calls", "unix")
    known, mmap = wal.answers.copy(), vfs.xGetSystemCall("mmap")
    assert mmap is not None
    vfs.xSetSystemCall("mmap", _address(_fail))
    wal.answers.clear()
    try:
        yield
    finally:
        vfs.xSetSystemCall("mmap", mmap)
        vfs.unregister()
        wal.answers.clear()
        wal.answers.update(known)
