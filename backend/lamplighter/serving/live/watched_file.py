"""A run's file that another process writes and this one reads, continuously or when it changes."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Generic, Protocol, TypeVar


class VersionedReader(Protocol):
    """The interface that the readers of `runfolder` share."""

    def version(self) -> int:
        """Return a number that changes with every commit."""
        ...

    def close(self) -> None: ...


R = TypeVar("R", bound=VersionedReader)


class WatchedFile(Generic[R]):
    """A file that is kept open while it is busy, and closed otherwise."""

    def __init__(self, path: Path, open_file: Callable[[Path], R]) -> None:
        """Watch `path`; `open_file` raises FileNotFoundError while the file does not exist."""
        self._path = path
        self._open = open_file
        self._version = -1
        self._mark: object = None
        self.reader: R | None = None
        """The reader, while it is kept open."""

    def reader_if_changed(self) -> R | None:
        """Return the reader if there may be a commit since the last call, else None. Raises FormatError."""
        if self.reader is None:
            # Take the mark first, so that later commits show at the next poll.
            mark = (_file_mark(self._path), _file_mark(self._path.with_name(self._path.name + "-wal")))
            if mark == self._mark:
                return None
            with suppress(FileNotFoundError):
                self.reader = self._open(self._path)
                self._version = -1
            self._mark = mark
            if self.reader is None:
                return None
        version = self.reader.version()
        if version == self._version:
            return None
        self._version = version
        return self.reader

    def close_until_changed(self) -> None:
        if self.reader is not None:
            self.reader.close()
            self.reader = None

    def reset(self) -> None:
        """Close the file, and treat all of it as new next time."""
        self.close_until_changed()
        self._mark = None

    @contextmanager
    def opened(self) -> Generator[R]:
        """Provide the reader, opening the file for the duration if it is not kept open. Raises FileNotFoundError."""
        if self.reader is not None:
            yield self.reader
            return
        reader = self._open(self._path)
        try:
            yield reader
        finally:
            reader.close()


def _file_mark(path: Path) -> tuple[int, int] | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size
