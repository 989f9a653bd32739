"""A check for plain files, as opposed to pipes and devices."""

from __future__ import annotations

import stat
from pathlib import Path

from lamplighter.client.errors import InputError


def require_plain_file(path: Path) -> None:
    """Refuse a pipe or a device before it is opened, because opening a pipe waits for its other end."""
    if not stat.S_ISREG(path.stat().st_mode):
        raise InputError(f"{path.name}: not a plain file: save its output in a file, and name that one")
