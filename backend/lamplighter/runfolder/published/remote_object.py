"""A file of a published run: read by range, in blocks that are checked and kept in memory."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from lamplighter.platform.private_modes import open_like_folder
from lamplighter.runfolder.published.manifest import BLOCK, PublishedFile, require_digest
from lamplighter.runfolder.published.object_store import ObjectReader, StoreError, UnavailableStoreError
from lamplighter.runfolder.published.patience import Patience
from lamplighter.runfolder.writing.free_space import spare_bytes

_CHUNK = 8 << 20
_LEAST = 1 << 10
"""Bytes that a request wants in each second that it waits."""
_SECONDS, _SECONDS_WHEN_ILL = 5.0, 2.0
"""Seconds without so many bytes after which a request gives up."""
_SLOWEST = 1 << 14
"""Bytes per second over a whole answer, beyond those seconds."""
_LONGEST_TURN = 10.0
_MAX_AHEAD = 8
"""Maximum blocks of one request. Sequential reads double the number each time."""


class BlockCache:
    """The most recently used blocks of all files. Thread-safe."""

    def __init__(self, limit: int = 128 << 20) -> None:
        self._blocks: OrderedDict[tuple[str, int], bytes] = OrderedDict()
        self._left = limit
        self._lock = threading.Lock()

    def find_block(self, digest: str, index: int) -> bytes | None:
        with self._lock:
            if (found := self._blocks.get((digest, index))) is not None:
                self._blocks.move_to_end((digest, index))
            return found

    def keep_block(self, digest: str, index: int, block: bytes) -> None:
        """Keep a block, and drop those that were least recently used."""
        with self._lock:
            if (digest, index) not in self._blocks:
                self._blocks[digest, index] = block
                self._left -= len(block)
            while self._left < 0:
                self._left += len(self._blocks.popitem(last=False)[1])


class PromptReader:
    """The objects of a store as requests read them, once `hurry` was called: an attempt each, that ends soon where nothing
    comes. Thread-safe.

    While the store is ill it ends sooner, so that those who ask learn it soon, and that it is well again.
    """

    def __init__(self, objects: ObjectReader) -> None:
        self._objects, self.place = objects, objects.place
        self._hurries, self._seconds = False, _SECONDS
        self._stopped = threading.Event()

    def hurry(self) -> None:
        """Read for requests from now on, which wait for the answer."""
        self._hurries = True

    def stop(self) -> None:
        """End every read, now and later, with an UnavailableStoreError."""
        self._stopped.set()

    def read_part(self, key: str, start: int, count: int, patience: Patience | None = None) -> bytes:
        seconds = self._seconds
        total = seconds + count / _SLOWEST
        if self._hurries:
            patience = Patience(seconds, int(seconds * _LEAST), total, self._stopped)
        try:
            data = self._objects.read_part(key, start, count, patience)
        except UnavailableStoreError:
            self._seconds = _SECONDS_WHEN_ILL
            raise
        self._seconds = _SECONDS
        return data


class RemoteObject:
    """A file as `runfolder/remote_files.py` wants it. Threads may share it; one at a time asks the store."""

    def __init__(
        self,
        objects: ObjectReader,
        key: str,
        file: PublishedFile,
        cache: BlockCache,
        digests: bytes = b"",
        schema: str = "",
    ) -> None:
        """Read `file` from the object at `key`. `digests`: those of its blocks; `schema`: the tables it may have."""
        self._objects, self._key, self._file, self._cache, self._digests = objects, key, file, cache, digests
        self.schema = schema
        self._lock = threading.Lock()
        self._failures = 0
        self._next, self._ahead = 0, 1
        self._is_here = False

    @property
    def byte_count(self) -> int:
        return self._file.size

    def read_at(self, offset: int, count: int) -> bytes:
        end = min(offset + count, self.byte_count)
        if offset >= end:
            return b""
        first, last = offset // BLOCK, (end - 1) // BLOCK
        whole = b"".join(self._block(index) for index in range(first, last + 1))
        return whole[offset - first * BLOCK : end - first * BLOCK]

    def give_up(self) -> None:
        if isinstance(self._objects, PromptReader):
            self._objects.stop()

    def _block(self, index: int) -> bytes:
        digest = self._file.sha256
        if (found := self._cache.find_block(digest, index)) is not None:
            return found
        with self._turn():
            if (found := self._cache.find_block(digest, index)) is not None:
                return found
            self._ahead = min(2 * self._ahead, _MAX_AHEAD) if index == self._next else 1
            count = min(self._ahead, self._file.blocks - index)
            while count > 1 and self._cache.find_block(digest, index + count - 1) is not None:
                count -= 1
            start = index * BLOCK
            self._next = -1
            data = self._objects.read_part(self._key, start, min(count * BLOCK, self.byte_count - start))
            self._next = index + count
            for at in range(count):
                block = data[at * BLOCK : (at + 1) * BLOCK]
                self._require_block(block, index + at)
                self._cache.keep_block(digest, index + at, block)
            return data[:BLOCK]

    @contextmanager
    def _turn(self) -> Generator[None]:
        """Wait for the turn to ask the store. Those who wait while it does not answer another thread fail with that one."""
        failures = self._failures
        if not self._lock.acquire(timeout=_LONGEST_TURN):
            raise UnavailableStoreError(f"{self._objects.place}: {self._file.path} is still being read")
        try:
            if self._failures != failures:
                raise UnavailableStoreError(f"{self._objects.place}: the store did not answer")
            try:
                yield
            except UnavailableStoreError:
                self._failures += 1
                raise
        finally:
            self._lock.release()

    def _require_block(self, block: bytes, index: int) -> None:
        wanted = self._digests[32 * index : 32 * index + 32]
        if hashlib.sha256(block).digest() != wanted:
            raise StoreError(
                f"{self._objects.place}: {self._file.path} is not what was published: changed, or damaged"
            )

    def fetch_to(self, path: Path) -> None:
        with self._turn():
            if self._is_here:
                return
            if spare_bytes(path.parent) < self.byte_count:
                raise StoreError(
                    f"{self._file.path} has {self.byte_count / 1e6:,.0f} MB, and the disk has no room for it"
                )
            part, digest = path.with_name(path.name + ".part"), hashlib.sha256()
            with open(part, "wb", opener=open_like_folder) as target:
                while target.tell() < self.byte_count:
                    at = target.tell()
                    piece = self._objects.read_part(self._key, at, min(_CHUNK, self.byte_count - at))
                    if not piece:
                        break
                    digest.update(piece)
                    target.write(piece)
                came = target.tell()
            if came != self.byte_count or digest.hexdigest() != self._file.sha256:
                part.unlink()
                raise StoreError(
                    f"{self._objects.place}: {self._file.path} is not what was published: changed, or damaged"
                )
            part.replace(path)
            self._is_here = True


def fetch_small(objects: ObjectReader, key: str, file: PublishedFile, path: Path) -> None:
    """Write a small file to `path`, in one request. Raises StoreError if it cannot be read, or is another,
    OSError if it cannot be written.
    """
    data = objects.read_part(key, 0, file.size) if file.size else b""
    require_digest(data, file, f"{objects.place}: {file.path}")
    with open(path, "wb", opener=open_like_folder) as target:
        target.write(data)
