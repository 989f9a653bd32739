"""A second chance for files that were not sealed: their writer was killed first, or a reader was in the way."""

from __future__ import annotations

from pathlib import Path

from lamplighter.runfolder import layouts, measures, steps
from lamplighter.runfolder.database import open_writer, seal
from lamplighter.runfolder.folder import RunFolder
from lamplighter.runfolder.lock import RoleLock, RoleTakenError, is_held
from lamplighter.runfolder.trouble import READ_ERRORS

_WAL_MODE = b"\x02\x02"
"""Bytes 18 and 19 of an SQLite file whose journal is a WAL, whether or not there is one now."""


def left_open(run: RunFolder) -> tuple[str, ...]:
    """The roles (`trainer`, `projector`, `analyst`) whose file is not sealed. Reads two bytes a file."""
    return tuple(role for role, (path, _) in _files(run).items() if _in_wal_mode(path))


def seal_left_open(run: RunFolder, role: str) -> bool:
    """Seal the file of a role that nobody has. Of a run that is over only. Waits for nobody.

    Returns:
        Whether it is sealed now. False: somebody has the role, reads the file, or it cannot be written.
    """
    path, schema = _files(run)[role]
    try:
        if is_held(run.path, role):
            return False
        with RoleLock(run.path, role):
            connection = open_writer(path, schema)
            try:
                return seal(connection, patience=0.0)
            finally:
                connection.close()
    except (RoleTakenError, *READ_ERRORS):
        return False


def _files(run: RunFolder) -> dict[str, tuple[Path, str]]:
    return {
        "trainer": (run.steps_path, steps.SCHEMA),
        "projector": (run.layouts_path, layouts.SCHEMA),
        "analyst": (run.measures_path, measures.SCHEMA),
    }


def _in_wal_mode(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(20)[18:] == _WAL_MODE
    except OSError:
        return False
