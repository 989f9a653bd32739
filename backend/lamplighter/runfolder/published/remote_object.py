"""A file of a published run: read by range, in blocks that are checked and kept in memory."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from pathlib import Path

from lamplighter.platform.private_modes import open_like_folder
from lamplighter.runfolder.published.manifest import BLOCK, PublishedFile, require_digest
from lamplighter.runfolder.published.object_store import ObjectReader, StoreError
from lamplighter.runfolder.writing.free_space import spare_bytes

_CHUNK = 8 << 20
_MAX_AHEAD = 8
"""Maximum blocks of one request. Sequential reads double the number each time."""


class BlockCache:
    """The most recently used blocks of all files. Thread-safe."""

    def __init__(self, limit: int = 128 << 20) -> None:
        """Keep at most `limit` bytes."""
        self._blocks: OrderedDict[tuple[str, int], bytes] = OrderedDict()
        self._left = limit
        self._lock = threading.Lock()

    def find_block(self, digest: str, index: int) -> bytes | None:
        """Return a block of the object of a digest, if it is kept."""
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


class RemoteObject:
    """A file as `runfolder/remote_files.py` wants it. Threads may share it; one at a time asks the store."""

    def __init__(
        self,
        objects: ObjectReader,
        key: str,
        file: PublishedFile,
        cache: BlockCache,
        digests: bytes = b"",
        schemas: tuple[object, ...] = (),
    ) -> None:
        """Read `file` from the object at `key`. `digests`: those of its blocks; `schemas`: the tables it may have."""
        self._objects, self._key, self._file, self._cache, self._digests = objects, key, file, cache, digests
        self.schemas = schemas
        self._lock = threading.Lock()
        self._next, self._ahead = 0, 1
        self._is_here = False

    @property
    def byte_count(self) -> int:
        """Return its bytes."""
        return self._file.size

    def read_at(self, offset: int, count: int) -> bytes:
        """Return `count` bytes from `offset`; fewer at the end (`RemoteFile`)."""
        end = min(offset + count, self.byte_count)
        if offset >= end:
            return b""
        first, last = offset // BLOCK, (end - 1) // BLOCK
        whole = b"".join(self._block(index) for index in range(first, last + 1))
        return whole[offset - first * BLOCK : end - first * BLOCK]

    def _block(self, index: int) -> bytes:
        digest = self._file.sha256
        if (found := self._cache.find_block(digest, index)) is not None:
            return found
        with self._lock:
            if (found := self._cache.find_block(digest, index)) is not None:
                return found
            self._ahead = min(2 * self._ahead, _MAX_AHEAD) if index == self._next else 1
            count = min(self._ahead, self._file.blocks - index)
            while count > 1 and self._cache.find_block(digest, index + count - 1) is not None:
                count -= 1
            start = index * BLOCK
            data = self._objects.read_part(self._key, start, min(count * BLOCK, self.byte_count - start))
            self._next = index + count
            for at in range(count):
                block = data[at * BLOCK : (at + 1) * BLOCK]
                self._require_block(block, index + at)
                self._cache.keep_block(digest, index + at, block)
            return data[:BLOCK]

    def _require_block(self, block: bytes, index: int) -> None:
        wanted = self._digests[32 * index : 32 * index + 32]
        if hashlib.sha256(block).digest() != wanted:
            raise StoreError(
                f"{self._objects.place}: {self._file.path} is not what was published: changed, or damaged"
            )

    def fetch_to(self, path: Path) -> None:
        """Write the whole file to `path`, complete or not at all, unless that was done before (`RemoteFile`)."""
        with self._lock:
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
    """Write a small file to `path`, in one request.

    Raises:
        StoreError: it cannot be read, or is another.
        OSError: it cannot be written.
    """
    data = objects.read_part(key, 0, file.size) if file.size else b""
    require_digest(data, file, f"{objects.place}: {file.path}")
    with open(path, "wb", opener=open_like_folder) as target:
        target.write(data)
