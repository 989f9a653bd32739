"""The places that a broadcast is written to: a folder that a web server serves, or an object store."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from lamplighter.runfolder.published.object_store import ObjectStore

FOR_GOOD, ASKED_AGAIN = "public, max-age=31536000, immutable", "public, max-age=1"
"""The `Cache-Control` of files whose names are never used again, and of the others. For a folder its web server sends it."""

_MAX_READ = 1 << 16


class Site(Protocol):
    """Files that many read."""

    def put_file(self, name: str, data: bytes, media_type: str, *, lasting: bool) -> None:
        """Write a file, which readers see whole or not at all.

        Args:
            name: its path, with slashes.
            data: its contents.
            media_type: what browsers are told that it is.
            lasting: whether no other file will ever have that name.

        Raises:
            OSError, StoreError: it cannot be written.
        """
        ...

    def read_small_file(self, name: str) -> bytes | None:
        """Return a small file; None if there is none.

        Raises:
            OSError, StoreError: it cannot be read.
        """
        ...

    def remove_files(self, names: Iterable[str]) -> None:
        """Remove files, those that are there.

        Raises:
            OSError, StoreError: one cannot be removed.
        """
        ...

    def remove_below(self, folder: str) -> None:
        """Remove all files below a folder.

        Raises:
            OSError, StoreError: one cannot be removed.
        """
        ...


class FolderSite:
    """A folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put_file(self, name: str, data: bytes, media_type: str, *, lasting: bool) -> None:
        """Write a file (`Site`)."""
        path = self._folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_name(f".{path.name}.{os.getpid()}")
        try:
            unfinished.write_bytes(data)
            # A site is public, also under a strict umask.
            unfinished.chmod(0o644)
            os.replace(unfinished, path)
        except BaseException:
            with suppress(OSError):
                unfinished.unlink()
            raise

    def read_small_file(self, name: str) -> bytes | None:
        """Return a small file (`Site`)."""
        path = self._folder / name
        return path.read_bytes() if path.is_file() else None

    def remove_files(self, names: Iterable[str]) -> None:
        """Remove files (`Site`)."""
        for name in names:
            (self._folder / name).unlink(missing_ok=True)

    def remove_below(self, folder: str) -> None:
        """Remove all files below a folder (`Site`)."""
        if (self._folder / folder).exists():
            shutil.rmtree(self._folder / folder)


class StoreSite:
    """A place in an object store whose files a web address serves."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    def put_file(self, name: str, data: bytes, media_type: str, *, lasting: bool) -> None:
        """Write a file (`Site`)."""
        self._store.put_object(name, data, media_type, FOR_GOOD if lasting else ASKED_AGAIN)

    def read_small_file(self, name: str) -> bytes | None:
        """Return a small file (`Site`)."""
        found = self._store.read_tagged(name, _MAX_READ)
        return None if found is None else found[0]

    def remove_files(self, names: Iterable[str]) -> None:
        """Remove files (`Site`)."""
        self._store.delete(list(names))

    def remove_below(self, folder: str) -> None:
        """Remove all files below a folder (`Site`)."""
        self._store.delete(self._store.list_keys(f"{folder}/"))
