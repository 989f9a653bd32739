"""Plain files, apart from pipes and devices."""

from __future__ import annotations

import stat
from pathlib import Path

from lamplighter.client.errors import InputError


def require_plain_file(path: Path) -> None:
    """Refuse a pipe or a device, before it is opened: opening a pipe waits for its other end.

    Raises:
        InputError: it is no plain file.
        OSError: there is no such file, or it cannot be looked at.
    """
    if not stat.S_ISREG(path.stat().st_mode):
        raise InputError(f"{path.name}: no plain file: save what comes out of it, and name that file")
