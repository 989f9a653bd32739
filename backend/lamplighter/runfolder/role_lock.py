"""Role locks: at most one process per role, released when its process dies.

The lock is SQLite's own lock on an empty file: it works on every system, and the operating system releases it
when the process ends, even by a kill.
"""

from __future__ import annotations

from pathlib import Path
from types import TracebackType

import apsw

from lamplighter.runfolder.errors import FormatError


class RoleTakenError(RuntimeError):
    """An error for a role of a run that another process already holds."""


class RoleLock:
    """A lock on a role (`trainer`, `projector`, `reprojector`, `analyst`, `waiting`) of a run, held until it is closed."""

    def __init__(self, folder: Path, role: str) -> None:
        """Acquire the role.

        Raises:
            RoleTakenError: another process holds it.
            FormatError: the lock file is a folder or some other file.
        """
        path = lock_path(folder, role)
        if path.is_dir():
            raise FormatError(f"{path.name} is a folder, not a lock: remove it")
        self._connection = apsw.Connection(str(path))
        # `is_held` takes a shared lock for microseconds, so wait a little; a real holder keeps its lock.
        self._connection.set_busy_timeout(1_000)
        try:
            self._connection.execute("PRAGMA journal_mode=MEMORY")
            self._connection.execute("BEGIN EXCLUSIVE")
        except apsw.BusyError as error:
            self._connection.close()
            raise RoleTakenError(f"another process is already the {role} of {folder.name}") from error
        except (apsw.NotADBError, apsw.CorruptError) as error:
            self._connection.close()
            raise FormatError(f"{path.name} is not a lock ({error}): remove it") from error

    def close(self) -> None:
        """Release the role."""
        self._connection.close()

    def __enter__(self) -> RoleLock:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def lock_path(folder: Path, role: str) -> Path:
    """Return the path of a role's lock file."""
    return folder / f"{role}.lock"


def is_held(folder: Path, role: str) -> bool:
    """Return whether some process holds the role now."""
    path = lock_path(folder, role)
    if not path.exists():
        return False
    try:
        connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    except apsw.Error:
        return False
    try:
        connection.execute("SELECT count(*) FROM sqlite_schema").fetchall()
    except apsw.BusyError:
        return True
    except apsw.Error:
        # Not one of our lock files, so no process can hold the role.
        return False
    finally:
        connection.close()
    return False
