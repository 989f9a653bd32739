"""A database of a run that is made under another name, and gets its own once it is whole."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from lamplighter.platform.folder_sync import replace_durably, sync_file


@contextmanager
def whole_file(path: Path) -> Generator[Path]:
    """Provide the name under which a file is made; it gets its own once it is whole, or none is left."""
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
    """Delete what a killed process left of a file that was not whole yet. Only who may make the file may do this."""
    part = _part_of(path)
    for ending in ("", "-wal", "-shm", "-journal"):
        part.with_name(part.name + ending).unlink(missing_ok=True)


def _part_of(path: Path) -> Path:
    return path.with_suffix(".part")
