"""Files of a run that lie elsewhere, as in an object store. In the folder an empty file of their size stands for each.

`published/shadow_folder.py` registers the files of the runs that it opens, for this process. No reader of a run knows of
stores: a database is read in place (`sqlite/remote_database.py`), any other file is brought when it is first needed.
"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol


class RemoteFile(Protocol):
    """A file of a run that is not here."""

    schema: str
    """The tables that a database may have; any others are refused. Empty for other files."""

    @property
    def byte_count(self) -> int: ...

    def read_at(self, offset: int, count: int) -> bytes:
        """Return `count` bytes from `offset`; fewer at the end of the file. Raises FormatError if they cannot
        be read, or are not those that were published.
        """
        ...

    def fetch_to(self, path: Path) -> None:
        """Write the whole file to `path`, complete or not at all, unless that was done before. Raises
        FormatError as `read_at`, OSError if the file cannot be written.
        """
        ...

    def give_up(self) -> None:
        """End its reads, now and later, with a FormatError."""
        ...


_files: dict[str, RemoteFile] = {}


def register(path: Path, file: RemoteFile) -> None:
    """Let `path`, which is absolute and without links, stand for a file that lies elsewhere."""
    _files[str(path)] = file


def unregister_below(folder: Path) -> None:
    """Forget the files of a folder that is closed."""
    for name in [name for name in _files if folder in Path(name).parents]:
        del _files[name]


def give_up() -> None:
    """End the reads of all files that lie elsewhere, so that the threads that wait for them end with the process."""
    for file in list(_files.values()):
        file.give_up()


def find(path: Path | str) -> RemoteFile | None:
    """Return the file that a path stands for; None if the file is here."""
    return _files.get(str(path)) if _files else None


def bring(path: Path) -> None:
    """Bring a file that lies elsewhere, unless it is here. Raises FormatError if it cannot be read, or is not
    the one that was published, OSError if it cannot be written.
    """
    if (file := find(path)) is not None:
        file.fetch_to(path)
