"""Explanations of why a run's file cannot be read, with advice."""

from __future__ import annotations

from pathlib import Path

import apsw

from lamplighter.platform.private_modes import open_regular
from lamplighter.runfolder.errors import FormatError
from lamplighter.runfolder.sqlite.wal import lacks_shared_memory

_WAL_MODE = b"\x02\x02"
"""Bytes 18 and 19 of an SQLite file in WAL mode, even if no WAL exists now."""
_COPY_HINT = (
    "; if this is a copy that was made while the run was being written, copy it again once it has ended, or make a"
    " copy where it is written: lamplighter.open(folder).backup(target)"
)


def is_in_wal_mode(path: Path) -> bool:
    """Return whether a file is being written, or was not closed by its writer. Reads 20 bytes."""
    try:
        with open(path, "rb", opener=open_regular) as file:
            return file.read(20)[18:] == _WAL_MODE
    except OSError:
        return False


def unreadable_file(path: Path, error: Exception) -> FormatError:
    """Return the error for a file that SQLite could not read."""
    if lacks_shared_memory(error):
        return FormatError(
            f"{path.name} cannot be read: its writer left it unfinished on another file system, and this one has no shared"
            " memory, which reading it needs: read it there, or make a backup there"
        )
    hint = copy_hint(path) if isinstance(error, apsw.CorruptError | apsw.NotADBError) else ""
    return FormatError(f"{path.name} cannot be read: {error}{hint}")


def copy_hint(path: Path) -> str:
    """Return advice on a damaged file that may be a copy; empty if its writer has closed it."""
    return _COPY_HINT if is_in_wal_mode(path) else ""
