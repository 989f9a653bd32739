"""A database of a run, made under a temporary name and renamed once it is complete."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from lamplighter.platform.folder_sync import replace_durably, sync_file


@contextmanager
def whole_file(path: Path) -> Generator[Path]:
    """Provide a temporary path for a file; rename it on success, delete it on an error."""
    delete_unfinished(path)
    part = _part_of(path)
    try:
        yield part
        sync_file(part)
        replace_durably(part, path)
    except BaseException:
        delete_unfinished(path)
        raise


def delete_unfinished(path: Path) -> None:
    """Delete an incomplete file left by a killed process. Only the process allowed to make the file may call this."""
    part = _part_of(path)
    for ending in ("", "-wal", "-shm", "-journal"):
        part.with_name(part.name + ending).unlink(missing_ok=True)


def _part_of(path: Path) -> Path:
    return path.with_suffix(".part")
