"""A file of a run that one process writes and this one reads: all the time, or when it changes."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Generic, Protocol, TypeVar


class Reader(Protocol):
    """What the readers of `runfolder` have in common."""

    def version(self) -> int:
        """Changes with every commit."""
        ...

    def close(self) -> None:
        """Let go of the file."""
        ...


R = TypeVar("R", bound=Reader)


class Watched(Generic[R]):
    """A file that is kept open while it is busy, and closed while it is not."""

    def __init__(self, path: Path, open_file: Callable[[Path], R]) -> None:
        """Watch `path`; `open_file` raises FileNotFoundError as long as it is not there."""
        self._path = path
        self._open = open_file
        self._version = -1
        self._mark: object = None
        self.reader: R | None = None
        """The open reader, if it is kept open now."""

    def news(self) -> R | None:
        """The reader, if something may have been committed since the last time; else None.

        Raises:
            FormatError: the file cannot be read.
        """
        if self.reader is None:
            # The mark is taken first: what is committed after it shows at the next look.
            mark = (_mark(self._path), _mark(self._path.with_name(self._path.name + "-wal")))
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

    def rest(self) -> None:
        """Close the file until it changes on the disk."""
        if self.reader is not None:
            self.reader.close()
            self.reader = None

    def forget(self) -> None:
        """Close the file, and take all of it for new next time."""
        self.rest()
        self._mark = None

    @contextmanager
    def opened(self) -> Generator[R]:
        """The reader, opened for a moment where it is not open anyway.

        Raises:
            FileNotFoundError: the file is not there (yet).
        """
        if self.reader is not None:
            yield self.reader
            return
        reader = self._open(self._path)
        try:
            yield reader
        finally:
            reader.close()


def _mark(path: Path) -> tuple[int, int] | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size
