"""How files are opened and made: regular files only, a new folder private to its user, a new file like its folder.

Existing modes are not changed. So to share a folder, run `chmod -R go+rX` once; files written into it later are shared
too. Windows has no modes: folders there inherit permissions.
"""

from __future__ import annotations

import errno
import os
import stat
from contextlib import suppress
from pathlib import Path

_HAS_MODES = os.name == "posix"
_OWN = 0o600
_EVERYBODY = 0o666


def make_private_folder(path: Path, *, parents: bool = False, exist_ok: bool = False) -> None:
    """Create a folder that only its user can open. An existing folder keeps its mode. `parents`: whether to
    create its parents, with the default mode. Raises OSError if the folder cannot be created.
    """
    path.mkdir(mode=0o700 if _HAS_MODES else 0o777, parents=parents, exist_ok=exist_ok)


def open_like_folder(path: str | Path, flags: int) -> int:
    """Open a file; a new one gets the permissions of its folder. An `opener` for the built-in `open`. Raises
    OSError if the file cannot be opened.
    """
    return os.open(path, flags, _folder_mode(Path(path)) if _HAS_MODES else 0o777)


def open_private(path: str | Path, flags: int) -> int:
    """Open a file; a new one is private to its user even in a shared folder. An `opener` for the built-in
    `open`. Raises OSError if the file cannot be opened.
    """
    return os.open(path, flags, _OWN if _HAS_MODES else 0o777)


def restrict_like_folder(path: Path) -> None:
    """Restrict a file just created by a library to the permissions of its folder."""
    if not _HAS_MODES:
        return
    # A file system without modes fails here; nothing depends on it.
    with suppress(OSError):
        mode = stat.S_IMODE(path.stat().st_mode)
        allowed = mode & _folder_mode(path)
        if allowed != mode:
            path.chmod(allowed)


def keep_new_files_private() -> None:
    """Make files that this process creates from now on private to this user."""
    if _HAS_MODES:
        os.umask(0o077)


def is_private(facts: os.stat_result) -> bool:
    return not _HAS_MODES or not facts.st_mode & 0o077


def is_own(facts: os.stat_result) -> bool:
    return not hasattr(os, "getuid") or facts.st_uid == os.getuid()


def _folder_mode(path: Path) -> int:
    return (stat.S_IMODE(path.parent.stat().st_mode) | _OWN) & _EVERYBODY


def open_regular(path: str | Path, flags: int) -> int:
    """Open a file without waiting. An `opener` for the built-in `open`; links are followed. Raises OSError if
    it is not a regular file, or cannot be opened.
    """
    descriptor = os.open(path, flags | getattr(os, "O_NONBLOCK", 0))
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "it is no file", str(path))
    return descriptor


def open_foreign(path: str | Path, flags: int) -> int:
    """Open a file as `open_regular` does, unless it is a link."""
    return open_regular(path, flags | getattr(os, "O_NOFOLLOW", 0))
