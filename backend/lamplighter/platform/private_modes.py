"""File modes: a new folder is its user's only, and a new file is as open as the folder it is in.

Nothing that exists is changed. So whoever shares a folder opens it once (`chmod -R go+rX`), and what is written into it
later is shared too. Windows has no modes: a folder there inherits who may read it.
"""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path

_HAS_MODES = os.name == "posix"
_OWN = 0o600
_EVERYBODY = 0o666


def make_private_folder(path: Path, *, parents: bool = False, exist_ok: bool = False) -> None:
    """Create a folder that only its user can open. One that is there already keeps its mode.

    Args:
        path: the folder.
        parents: whether to create the folders above it; these get the usual mode.
        exist_ok: whether it may be there already.

    Raises:
        OSError: it cannot be created.
    """
    path.mkdir(mode=0o700 if _HAS_MODES else 0o777, parents=parents, exist_ok=exist_ok)


def open_like_folder(path: str | Path, flags: int) -> int:
    """Open a file, creating it as open as its folder if it is new; an `opener` for the built-in `open`.

    Raises:
        OSError: it cannot be opened.
    """
    return os.open(path, flags, _folder_mode(Path(path)) if _HAS_MODES else 0o777)


def open_private(path: str | Path, flags: int) -> int:
    """Open a file, creating it for its user only if it is new, whatever its folder allows; an `opener` for `open`.

    Raises:
        OSError: it cannot be opened.
    """
    return os.open(path, flags, _OWN if _HAS_MODES else 0o777)


def restrict_like_folder(path: Path) -> None:
    """Take from a file that was just created whatever its folder does not allow; for files that a library creates."""
    if not _HAS_MODES:
        return
    # A file system without modes refuses, and nothing depends on it.
    with suppress(OSError):
        mode = stat.S_IMODE(path.stat().st_mode)
        allowed = mode & _folder_mode(path)
        if allowed != mode:
            path.chmod(allowed)


def keep_new_files_private() -> None:
    """Let only this user read the files that this process creates from now on."""
    if _HAS_MODES:
        os.umask(0o077)


def is_private(facts: os.stat_result) -> bool:
    """Return whether nobody but its user can read a file, as far as its mode tells."""
    return not _HAS_MODES or not facts.st_mode & 0o077


def is_own(facts: os.stat_result) -> bool:
    """Return whether a file belongs to the user of this process."""
    return not hasattr(os, "getuid") or facts.st_uid == os.getuid()


def _folder_mode(path: Path) -> int:
    return (stat.S_IMODE(path.parent.stat().st_mode) | _OWN) & _EVERYBODY
