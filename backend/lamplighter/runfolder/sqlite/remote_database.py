"""Databases that lie elsewhere, read in place: SQLite asks for pages, and the file fetches the blocks that hold them."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import apsw

from lamplighter.runfolder import remote_files
from lamplighter.runfolder.errors import FormatError
from lamplighter.runfolder.remote_files import RemoteFile
from lamplighter.runfolder.sqlite.table_list import has_tables

MAX_RECORD = 1 << 28
"""Maximum bytes of one value in an untrusted file: a keyframe of 50,000 rows of 1,024 numbers fits."""
_VFS = "lamplighter-remote"


def vfs_of(path: Path) -> str | None:
    """Return the name of SQLite's access to a file that lies elsewhere; None if the file is here."""
    return None if remote_files.find(path) is None else _register_vfs().name


def guard(connection: apsw.Connection, path: Path) -> None:
    """Read a stranger's database with care: SQLite's defences are on, and it has exactly the tables of a run.
    Raises FormatError if it has others.
    """
    file = remote_files.find(path)
    if file is None:
        return
    connection.config(apsw.SQLITE_DBCONFIG_DEFENSIVE, 1)
    connection.config(apsw.SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0)
    connection.limit(apsw.SQLITE_LIMIT_LENGTH, MAX_RECORD)
    connection.pragma("temp_store", "memory")
    if not has_tables(connection, file.schema):
        raise FormatError(f"{path.name} has other tables than the file of a run: refused")


class _RemoteDatabase:
    """A file as SQLite reads it. Nothing can write to it, so it needs no locks and has no journal."""

    def __init__(self, file: RemoteFile) -> None:
        self._file = file

    def xRead(self, amount: int, offset: int) -> bytes:
        return self._file.read_at(offset, amount)

    def xFileSize(self) -> int:
        return self._file.byte_count

    def xClose(self) -> None:
        pass

    def xLock(self, level: int) -> None:
        pass

    def xUnlock(self, level: int) -> None:
        pass

    def xCheckReservedLock(self) -> bool:
        return False

    def xSectorSize(self) -> int:
        return 4096

    def xDeviceCharacteristics(self) -> int:
        return apsw.SQLITE_IOCAP_IMMUTABLE

    def xFileControl(self, op: int, ptr: int) -> bool:
        return False


class _RemoteVfs(apsw.VFS):
    name = _VFS

    def __init__(self) -> None:
        super().__init__(_VFS, "")

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> Any:
        path = name.filename() if isinstance(name, apsw.URIFilename) else name
        file = None if path is None else remote_files.find(path)
        if file is None:
            raise apsw.CantOpenError(f"{path} does not lie elsewhere")
        flags[1] = apsw.SQLITE_OPEN_READONLY
        return _RemoteDatabase(file)

    def xAccess(self, pathname: str, flags: int) -> bool:
        return False  # There is no journal.


@cache
def _register_vfs() -> _RemoteVfs:
    return _RemoteVfs()
