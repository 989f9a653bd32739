"""The log files of worker processes: opened for append, bounded, and their last line."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from lamplighter.platform.private_modes import make_private_folder, open_like_folder


def log_path(run: Path, role: str) -> Path:
    return run / "logs" / f"{role}.log"


def open_log(run: Path, role: str, limit: int) -> BinaryIO:
    """Open a worker's log for appending. A log longer than `limit` bytes is set aside first."""
    path = log_path(run, role)
    make_private_folder(path.parent, exist_ok=True)
    with suppress(FileNotFoundError):
        if path.stat().st_size > limit:
            path.replace(path.with_suffix(".log.1"))
    return open(path, "ab", opener=open_like_folder)


def limit_log(run: Path, role: str, limit: int) -> None:
    """Set aside the log of a running worker once it is longer than `limit` bytes. The worker continues in the emptied
    file."""
    path = log_path(run, role)
    with suppress(OSError):
        if path.stat().st_size <= limit:
            return
        with suppress(OSError), path.open("rb") as file:
            file.seek(-limit, os.SEEK_END)
            with open(path.with_suffix(".log.1"), "wb", opener=open_like_folder) as aside:
                aside.write(file.read(limit))
        # Truncate even if there was no room for the copy: the log must not fill the disk.
        os.truncate(path, 0)


def last_line(log: Path) -> str | None:
    """Return the last line of a log, at most 300 characters; None if it printed nothing."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - 4096))
            lines = file.read().decode("utf-8", errors="replace").strip().splitlines()
    except OSError:
        return None
    return lines[-1].strip()[:300] if lines else None
