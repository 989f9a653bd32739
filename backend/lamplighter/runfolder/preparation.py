"""Hidden folders in which a run, an upload or an export is prepared before it is renamed to its place.

The preparing process holds a lock in the folder. A folder whose lock is free was left by a killed process, and is
removed.
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
"""The first word of a folder's name; exports go to the user's folders, so theirs names the program."""
_ROLE = "preparation"


@contextmanager
def preparation_folder(store: Path, purpose: Purpose) -> Generator[Path]:
    """Yield a new folder inside `store`; remove it at the end with its remaining contents. Raises OSError if
    no folder can be created there.
    """
    folder, lock = _claim_folder(store, purpose)
    try:
        yield folder
    finally:
        # Windows cannot remove an open file: remove all others first, while the lock still protects the folder.
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
            # In use, or unknown.
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
        try:
            make_private_folder(folder)
        except OSError as error:
            raise OSError(error.errno, error.strerror, str(store)) from error
        # Until the lock is held, another process may take the folder for a leftover and remove it: then make another.
        try:
            # SQLite does not say why a file cannot be created; `touch` does.
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
