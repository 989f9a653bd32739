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
    """Files that many read. Each method raises OSError or StoreError if it fails."""

    def put_file(self, name: str, data: bytes, media_type: str, *, lasting: bool) -> None:
        """Write a file, which readers see whole or not at all; `lasting`: its name is never used again."""
        ...

    def read_small_file(self, name: str) -> bytes | None: ...

    def remove_files(self, names: Iterable[str]) -> None:
        """Delete the given files that exist."""
        ...

    def remove_below(self, folder: str) -> None: ...


class FolderSite:
    """A folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put_file(self, name: str, data: bytes, media_type: str, *, lasting: bool) -> None:
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
        path = self._folder / name
        return path.read_bytes() if path.is_file() else None

    def remove_files(self, names: Iterable[str]) -> None:
        for name in names:
            (self._folder / name).unlink(missing_ok=True)

    def remove_below(self, folder: str) -> None:
        if (self._folder / folder).exists():
            shutil.rmtree(self._folder / folder)


class StoreSite:
    """A place in an object store whose files a web address serves."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    def put_file(self, name: str, data: bytes, media_type: str, *, lasting: bool) -> None:
        self._store.put_object(name, data, media_type, FOR_GOOD if lasting else ASKED_AGAIN)

    def read_small_file(self, name: str) -> bytes | None:
        found = self._store.read_tagged(name, _MAX_READ)
        return None if found is None else found[0]

    def remove_files(self, names: Iterable[str]) -> None:
        self._store.delete(list(names))

    def remove_below(self, folder: str) -> None:
        self._store.delete(self._store.list_keys(f"{folder}/"))
