"""Role locks: at most one process per role, released when its process dies; and a flag of the trainer that waits for disk
space.

Both are SQLite's own lock on an empty file: it works on every system, holding it takes no space, and the operating system
releases it when the process ends, even by a kill.
"""

from __future__ import annotations

import stat
from contextlib import suppress
from enum import Enum
from pathlib import Path

import apsw

from lamplighter.platform.private_modes import restrict_like_folder
from lamplighter.runfolder.errors import FormatError, require_writable


class RoleTakenError(RuntimeError):
    """An error for a role of a run that another process already holds."""


class RoleState(Enum):
    """The state of a role's lock."""

    HELD = "held"
    FREE = "free"
    UNKNOWN = "unknown"
    """The lock cannot be examined now."""


class RoleLock:
    """A lock on a role (`trainer`, `projector`, `reprojector`, `output-projector`, `analyst`, `waiting`) of a run, on
    `sweep` of a set, or on `.class` of a folder of runs, held until it is closed."""

    def __init__(self, folder: Path, role: str) -> None:
        """Acquire the role. Raises RoleTakenError if another process holds it, FormatError if the lock file
        is a folder or some other file, or its folder cannot be written to.
        """
        path = lock_path(folder, role)
        if path.is_dir():
            raise FormatError(f"{path.name} is a folder, not a lock: remove it")
        require_writable(folder)
        is_new = not path.exists()
        self._connection = apsw.Connection(str(path))
        if is_new:
            restrict_like_folder(path)
        # `role_state` takes a shared lock for microseconds, so wait a little; a real holder keeps its lock.
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
        self._connection.close()

    def __enter__(self) -> RoleLock:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def lock_path(folder: Path, role: str) -> Path:
    return folder / f"{role}.lock"


def role_state(folder: Path, role: str) -> RoleState:
    """Return whether a process holds the role now. Require `RoleState.FREE` before deleting or taking over.

    The role is free if there is no lock file, or if the file is not one of ours. It is unknown if the file cannot be
    opened or read, for example with too many open files.
    """
    path = lock_path(folder, role)
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return RoleState.FREE
    except OSError:
        return RoleState.UNKNOWN
    if not stat.S_ISREG(mode):
        return RoleState.FREE
    try:
        connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    except apsw.Error:
        # Unless the file was removed.
        return RoleState.UNKNOWN if path.exists() else RoleState.FREE
    try:
        connection.execute("SELECT count(*) FROM sqlite_schema").fetchall()
    except apsw.BusyError:
        return RoleState.HELD
    except apsw.NotADBError:
        return RoleState.FREE
    except apsw.Error:
        return RoleState.UNKNOWN
    finally:
        connection.close()
    return RoleState.FREE


_ROLE = "waiting"


class DiskFullFlag:
    """The flag of a run's trainer, set while it waits for disk space."""

    def __init__(self, folder: Path) -> None:
        """Create the lock file without locking it: once the disk is full, not even an empty file can be created."""
        self._folder = folder
        self._lock: RoleLock | None = None
        with suppress(OSError):
            path = lock_path(folder, _ROLE)
            if not path.exists():
                path.touch()
                restrict_like_folder(path)

    def set(self) -> None:
        """Set the flag. Readers do not see it if the lock file could not be created."""
        if self._lock is None:
            with suppress(apsw.Error, FormatError, RoleTakenError):
                self._lock = RoleLock(self._folder, _ROLE)

    def clear(self) -> None:
        if self._lock is not None:
            self._lock.close()
            self._lock = None


def is_waiting_for_space(folder: Path) -> bool:
    return role_state(folder, _ROLE) is RoleState.HELD
