"""A sign that training waits for room on the disk, seen by whoever reads the run, though nothing can be written.

It is SQLite's lock on an empty file: to hold it takes no room, and it is gone with its holder.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import apsw

from lamplighter.runfolder.database import FormatError
from lamplighter.runfolder.lock import RoleLock, RoleTakenError, is_held, lock_path

_ROLE = "waiting"


class WaitingSign:
    """Shown by the one who trains a run, while it waits for room."""

    def __init__(self, folder: Path) -> None:
        """Hold nothing yet. The file's name takes room, if nothing else of it does: it is made while there is some."""
        self._folder = folder
        self._lock: RoleLock | None = None
        with suppress(OSError):
            lock_path(folder, _ROLE).touch()

    def show(self) -> None:
        """Waiting. Where not even an empty file can be made nobody sees it."""
        if self._lock is None:
            with suppress(apsw.Error, FormatError, RoleTakenError):
                self._lock = RoleLock(self._folder, _ROLE)

    def hide(self) -> None:
        """Not waiting any more."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None


def waits_for_room(folder: Path) -> bool:
    """Whether a run's trainer waits for room on the disk now."""
    return is_held(folder, _ROLE)
