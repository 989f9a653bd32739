"""Open files that another user may have created: opening a pipe can block for good, and a link can lead to any file."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path


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
