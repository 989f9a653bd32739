"""A flag that says training is waiting for disk space. Every reader sees it, even while the disk is full.

It is an SQLite lock on an empty file: holding it takes no space, and it disappears with its holder.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import apsw

from lamplighter.platform.private_modes import restrict_like_folder
from lamplighter.runfolder.errors import FormatError
from lamplighter.runfolder.role_lock import RoleLock, RoleState, RoleTakenError, lock_path, role_state

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
