"""The ids of runs and sets, which are the names of their folders."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path

RUN_ID_PATTERN = r"[a-z0-9][a-z0-9-]{0,79}"
_ID = re.compile(RUN_ID_PATTERN)


def is_run_id(name: str) -> bool:
    """Return whether a name is a valid id. It then has no separator, and may become part of a path."""
    return _ID.fullmatch(name) is not None


def is_folder(path: Path) -> bool:
    """Return whether a path is a folder, and no link to one."""
    try:
        return stat.S_ISDIR(path.lstat().st_mode)
    except OSError:
        return False


def list_folders(path: Path) -> Iterator[Path]:
    """Yield the folders in `path` whose names are valid ids, in no order. Links are not followed.

    Raises:
        OSError: `path` cannot be listed.
    """
    with os.scandir(path) as entries:
        for entry in entries:
            if is_run_id(entry.name) and entry.is_dir(follow_symlinks=False):
                yield path / entry.name
