"""One process a role: a lock that dies with its holder.

The lock is SQLite's own, on an empty file, since it works on every system and is released by the operating
system when the process ends, however it ends.
"""

from __future__ import annotations

from pathlib import Path
from types import TracebackType

import apsw

from lamplighter.runfolder.database import FormatError


class RoleTakenError(RuntimeError):
    """Another process already has this role in this run."""


class RoleLock:
    """Holds a role (`trainer`, `projector`, `analyst`) in a run for as long as it is open."""

    def __init__(self, folder: Path, role: str) -> None:
        """Take the role.

        Raises:
            RoleTakenError: another process has it.
            FormatError: the lock's file is something else.
        """
        path = lock_path(folder, role)
        if path.is_dir():
            raise FormatError(f"{path.name} is a folder, not a lock: remove it")
        self._connection = apsw.Connection(str(path))
        # A passing look by `is_held` holds a shared lock for microseconds; a holder holds it for good.
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
        """Give the role back."""
        self._connection.close()

    def __enter__(self) -> RoleLock:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def lock_path(folder: Path, role: str) -> Path:
    """The file a role's lock is on."""
    return folder / f"{role}.lock"


def is_held(folder: Path, role: str) -> bool:
    """Whether some process has the role now."""
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
        # Not a lock of ours: nobody can hold it.
        return False
    finally:
        connection.close()
    return False
