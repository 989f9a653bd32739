"""Hidden folders in which a run, an upload or an export is prepared, before it is renamed to its place.

Whoever prepares holds a lock in the folder. A folder whose lock can be acquired was left by a process that was
killed, and is removed.
"""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import apsw

from lamplighter.platform.private_modes import make_private_folder
from lamplighter.runfolder.errors import FormatError
from lamplighter.runfolder.role_lock import RoleLock, RoleTakenError, lock_path

Purpose = Literal["making", "importing", "receiving", "lamplighter-export"]
"""The first word of a folder's name. The last one says whose it is: an export is made in any folder of its user."""
_ROLE = "preparation"


@contextmanager
def preparation_folder(store: Path, purpose: Purpose) -> Generator[Path]:
    """Yield a new folder in the folder of what is prepared; it is removed at the end, with all that is still in it.

    Raises:
        OSError: no folder can be created there.
    """
    folder, lock = _claim_folder(store, purpose)
    try:
        yield folder
    finally:
        # A file that is open cannot be removed everywhere: first all else, while nobody takes it for a leftover.
        shutil.rmtree(folder, ignore_errors=True)
        lock.close()
        shutil.rmtree(folder, ignore_errors=True)


def clear_preparations(store: Path, *purposes: Purpose) -> int:
    """Remove the folders for these purposes that killed processes left behind. Return their number. Never raises."""
    removed = 0
    for folder in _preparations(store, tuple(f".{purpose}-" for purpose in purposes)):
        try:
            lock = RoleLock(folder, _ROLE)
        except (RoleTakenError, FormatError, apsw.Error, OSError):
            # It is in use, or nobody can tell.
            continue
        shutil.rmtree(folder, ignore_errors=True)
        lock.close()
        shutil.rmtree(folder, ignore_errors=True)
        removed += not folder.exists()
    return removed


def _preparations(store: Path, prefixes: tuple[str, ...]) -> list[Path]:
    try:
        return [
            path
            for path in store.iterdir()
            if path.name.startswith(prefixes) and path.is_dir() and not path.is_symlink()
        ]
    except OSError:
        return []


def _claim_folder(store: Path, purpose: Purpose) -> tuple[Path, RoleLock]:
    while True:
        folder = store / f".{purpose}-{secrets.token_hex(6)}"
        make_private_folder(folder)
        # Until the lock is held the folder looks like a leftover: if somebody clears it away, take another.
        try:
            # Where no file can be created SQLite does not say why.
            lock_path(folder, _ROLE).touch()
            lock = RoleLock(folder, _ROLE)
        except RoleTakenError:
            continue
        except (apsw.Error, OSError) as error:
            if not folder.exists():
                continue
            shutil.rmtree(folder, ignore_errors=True)
            if isinstance(error, OSError):
                raise
            raise OSError(f"{store.name}: nothing can be prepared there: {error}") from error
        if lock_path(folder, _ROLE).exists():
            return folder, lock
        lock.close()
