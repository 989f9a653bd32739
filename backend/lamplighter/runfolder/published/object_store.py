"""Object stores: S3 and what speaks like it, Google's, Azure's, a local folder, or memory, through `obstore`.

Reading needs nothing but GET with a range. Writing needs conditional puts, by which exactly one of several writers wins.
"""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Generator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any, Protocol

from lamplighter.platform.printable import quote_foreign
from lamplighter.platform.private_modes import make_private_folder
from lamplighter.runfolder.errors import FormatError, OutOfReachError
from lamplighter.runfolder.published.patience import Patience
from lamplighter.runfolder.role_lock import RoleLock, RoleTakenError

if TYPE_CHECKING:
    from obstore.store import ObjectStore as Store

_NO_EXTRA = "object stores need the extra store: pip install -e '.[store]' in the checkout"
_MAX_REASON = 160
_LOCAL_WRITER = "publisher"
_RETRIES: Any = {"max_retries": 4, "retry_timeout": timedelta(seconds=60)}
_CLIENT: Any = {"connect_timeout": "10s", "timeout": "120s"}
_CREDENTIALS = (
    "AWS_ACCESS_KEY_ID",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_SKIP_SIGNATURE",
)
"""Variables of the environment of which one says how to sign requests to S3."""


class StoreError(FormatError):
    """An error for a store that cannot be read or written, or holds something else; the message is one line with what to do."""


class MissingObjectError(StoreError):
    """An error for an object that a store does not have."""


class UnavailableStoreError(StoreError, OutOfReachError):
    """An error for a store that does not answer now, and may later."""


class ObjectReader(Protocol):
    """A source of objects that are read by range."""

    @property
    def place(self) -> str: ...

    def read_part(self, key: str, start: int, count: int, patience: Patience | None = None) -> bytes:
        """Return `count` bytes of an object from `start`; fewer at its end. The object is not empty.

        With a `patience` there is one attempt, which ends with it; otherwise what fails is tried again.
        Raises MissingObjectError if there is no such object, UnavailableStoreError if the store does not
        answer, or too slowly, StoreError if it cannot be read.
        """
        ...


def read_small(objects: ObjectReader, key: str, most: int) -> bytes:
    """Return a whole object of at most `most` bytes. Raises as `ObjectReader.read_part`, and StoreError if it
    is larger.
    """
    data = objects.read_part(key, 0, most + 1)
    if len(data) > most:
        raise StoreError(f"{objects.place}: {key} has more than {most:,} bytes: refused")
    return data


class ObjectStore:
    """A place in an object store, to read and to write. Threads may share it."""

    def __init__(self, store: Store, place: str, folder: Path | None = None) -> None:
        """Use a store of `obstore`. `place`: its address, for messages; `folder`: the folder that it is, if it is one."""
        self._store, self.place, self._folder = store, place, folder

    def read_part(self, key: str, start: int, count: int, patience: Patience | None = None) -> bytes:
        with self._explained(key):
            if patience is None or self._folder is not None:
                return bytes(_obstore().get_range(self._store, key, start=start, length=count))
            return asyncio.run(self._read_in_time(key, start, count, patience))

    async def _read_in_time(self, key: str, start: int, count: int, patience: Patience) -> bytes:
        reading = _obstore().get_range_async(self._store, key, start=start, length=count)
        task = asyncio.ensure_future(reading)
        while not task.done():
            began = monotonic()
            await asyncio.wait([task], timeout=patience.next_wait())
            patience.count(monotonic() - began, 0)
        return bytes(await task)

    def read_tagged(self, key: str, most: int) -> tuple[bytes, str] | None:
        """Return an object of at most `most` bytes with the tag of its version; None if there is none. Raises
        StoreError if it is larger, or cannot be read.
        """
        try:
            with self._explained(key):
                found = _obstore().get(self._store, key)
                if found.meta["size"] > most:
                    raise StoreError(f"{self.place}: {key} has more than {most:,} bytes: refused")
                return bytes(found.bytes()), found.meta["e_tag"] or ""
        except MissingObjectError:
            return None

    def size_of(self, key: str) -> int | None:
        """Return the bytes of an object; None if there is none. Raises StoreError if the store cannot be
        asked.
        """
        try:
            with self._explained(key):
                return _obstore().head(self._store, key)["size"]
        except MissingObjectError:
            return None

    def put_object(
        self, key: str, source: bytes | Path, media_type: str | None = None, caching: str | None = None
    ) -> None:
        """Write an object, in parts if it is large, from bytes or a file. It appears whole. `media_type`:
        what a store tells browsers that it is. `caching`: what it tells caches (`Cache-Control`). Raises
        StoreError if it cannot be written.
        """
        # A folder has no place for it: its web server goes by the name.
        told = {"Content-Type": media_type, "Cache-Control": caching}
        known = {} if self._folder is not None else {name: value for name, value in told.items() if value}
        with self._explained(key):
            _obstore().put(self._store, key, source, attributes=known or None)

    def list_keys(self, prefix: str) -> list[str]:
        """Return the names of all objects whose names begin with a folder's. Raises StoreError if the store
        cannot be asked.
        """
        with self._explained(prefix):
            return [one["path"] for one in _obstore().list(self._store, prefix=prefix).collect()]

    def delete(self, keys: list[str]) -> None:
        """Delete objects, those that are there. Raises StoreError if one cannot be deleted."""
        if keys:
            with suppress(MissingObjectError), self._explained(keys[0]):
                _obstore().delete(self._store, keys)

    def put_if_absent(self, key: str, data: bytes) -> bool:
        """Write an object unless there is one of that name, and return whether it was written. Raises
        StoreError if it cannot be written.
        """
        return self._put_if(key, data, "create")

    def replace(self, key: str, data: bytes, tag: str) -> bool:
        """Write an object if its version is still the one of `tag`, and return whether it was written. Raises
        StoreError if it cannot be written.
        """
        if self._folder is None:
            return self._put_if(key, data, {"e_tag": tag})
        # A file system has no such operation: writers take turns, and a killed one gives up its turn.
        with _turn(self._folder / Path(key).parent):
            found = self.read_tagged(key, 1 << 30)
            if found is None or found[1] != tag:
                return False
            self.put_object(key, data)
            return True

    def _put_if(self, key: str, data: bytes, mode: Any) -> bool:
        import obstore.exceptions as errors

        try:
            with self._explained(key, errors.AlreadyExistsError, errors.PreconditionError):
                _obstore().put(self._store, key, data, mode=mode)
        except (errors.AlreadyExistsError, errors.PreconditionError, MissingObjectError):
            return False
        return True

    @contextmanager
    def _explained(self, key: str, *passed: type[Exception]) -> Generator[None]:
        """Turn errors of obstore, except those `passed`, into lines that say what to do."""
        import obstore.exceptions as errors

        if self._folder is not None and (self._folder / key).is_fifo():
            raise StoreError(f"{self.place}: {key} is no file")
        try:
            yield
        except (StoreError, *passed):
            raise
        except FileNotFoundError as error:
            what = "there is no such bucket" if "NoSuchBucket" in str(error) else f"there is no {key}"
            raise MissingObjectError(f"{self.place}: {what}") from error
        except TimeoutError as error:
            raise UnavailableStoreError(f"{self.place}: {error}") from error
        except (errors.BaseError, NotImplementedError, ValueError, OSError) as error:
            reason = _reason(error)
            kind = UnavailableStoreError if reason == _UNREACHABLE else StoreError
            raise kind(f"{self.place}: {reason}") from error


_UNREACHABLE = "the store cannot be reached: check the address and the network"
_REASONS = (
    # How it begins in what obstore says; what it means.
    (
        r"169\.254\.169\.254|Credential|credential",
        "no credentials were found: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_SKIP_SIGNATURE=true for a"
        " public bucket",
    ),
    (
        r"403 Forbidden|PermissionDenied",
        "no permission (403): check the credentials, and that they may use this bucket",
    ),
    (r"401 Unauthorized|Unauthenticated", "the store asks for other credentials (401)"),
    (
        r"301 Moved|PermanentRedirect|AuthorizationHeaderMalformed|missing region",
        "the bucket is in another region: set AWS_REGION",
    ),
    (
        r"error sending request|timed out|dns error",
        _UNREACHABLE,
    ),
    (
        r"HTTP URLs? |scheme is not https|BadScheme|builder error",
        "plain http is refused: AWS_ALLOW_HTTP=true allows it",
    ),
)


def _reason(error: Exception) -> str:
    text = f"{type(error).__name__} {error}"
    for pattern, meaning in _REASONS:
        if re.search(pattern, text):
            return meaning
    return quote_foreign(str(error).split("\n", 1)[0][:_MAX_REASON])


def open_object_store(address: str, *, writing: bool) -> ObjectStore:
    """Return the store at an address, `s3://bucket/prefix`, `gs://`, `az://` or `file:///folder`, or at a
    path. Raises StoreError if the address is invalid, or `obstore` is not installed.
    """
    module = _stores()
    if "://" not in address or address.startswith("file://"):
        folder = Path(address.removeprefix("file://")).absolute()
        if writing:
            make_private_folder(folder, parents=True, exist_ok=True)
        elif not folder.is_dir():
            raise StoreError(f"{quote_foreign(address)}: there is no such folder")
        return ObjectStore(module.LocalStore(folder), address, folder)
    options: dict[str, Any] = {}
    if address.startswith("s3://") and not writing and not any(name in os.environ for name in _CREDENTIALS):
        # Otherwise it would ask a cloud machine's own address for a role, for half a minute.
        options["skip_signature"] = True
    try:
        store = module.from_url(
            address, client_options=_CLIENT | _plain_http(), retry_config=_RETRIES, **options
        )
    except Exception as error:
        raise StoreError(f"{quote_foreign(address)}: {_reason(error)}") from error
    return ObjectStore(store, address)


def _plain_http() -> dict[str, Any]:
    return {"allow_http": True} if os.environ.get("AWS_ALLOW_HTTP", "").lower() in ("true", "1") else {}


@contextmanager
def _turn(folder: Path) -> Generator[None]:
    for _ in range(10):
        try:
            with RoleLock(folder, _LOCAL_WRITER):
                yield
                return
        except RoleTakenError:
            continue
    raise StoreError(f"{folder}: another process is publishing there")


def _obstore() -> Any:
    try:
        import obstore
    except ModuleNotFoundError as error:
        raise StoreError(_NO_EXTRA) from error
    return obstore


def _stores() -> Any:
    _obstore()
    import obstore.store

    return obstore.store


class CountingReader:
    """A reader that counts what it reads."""

    def __init__(self, objects: ObjectReader) -> None:
        self._objects = objects
        self.place = objects.place
        self.requests, self.bytes = 0, 0

    def read_part(self, key: str, start: int, count: int, patience: Patience | None = None) -> bytes:
        self.requests += 1
        data = self._objects.read_part(key, start, count, patience)
        self.bytes += len(data)
        return data
