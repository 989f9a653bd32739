"""Checkpoints at an address, fetched into a folder that `series`, `still` and `check` read."""

from __future__ import annotations

import json
import re
import shutil
import threading
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from lamplighter.cli.checkpoints.remote.address import (
    ChangedFileError,
    FetchError,
    HubAddress,
    MissingFileError,
    StepChoice,
    UnavailableError,
    WebAddress,
)
from lamplighter.cli.checkpoints.remote.listing import (
    RemoteCheckpoint,
    RemoteTensor,
    find_remote_tensor,
    list_folder,
    list_revisions,
)
from lamplighter.cli.checkpoints.remote.ranged_client import FileIdentity, RangedClient
from lamplighter.client.errors import InputError
from lamplighter.client.sources.vocabulary_files import find_folder_vocabulary
from lamplighter.platform.printable import quote_foreign


class StoredCheckpoint:
    """The folder of one checkpoint. An unfinished file goes on where a killed process left it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._file, self._part = folder / "model.safetensors", folder / "model.safetensors.part"
        self._origin = folder / "origin.json"

    def is_version(self, version: str, wanted: str | None) -> bool:
        """Return whether the whole tensor of a version (the commit) of the model is here. `wanted`: its name
        or its end after a dot; None for the one that was chosen."""
        if not version or not self._file.is_file():
            return False
        origin = self._read_origin()
        name = str(origin.get("tensor", ""))
        return origin.get("version") == version and (wanted is None or f".{name}".endswith(f".{wanted}"))

    def fetch(
        self, client: RangedClient, tensor: RemoteTensor, version: str, on_bytes: Callable[[int], None]
    ) -> None:
        """Read a tensor into the folder, or what is lacking of it; what has come stays if that fails.

        `version`: the commit of the model, if there is one; `on_bytes`: called with the number of bytes that
        have come, also for those that were here.
        """
        entry = tensor.entry
        facts = {"dtype": entry.type, "shape": entry.shape, "data_offsets": [0, tensor.size]}
        header = json.dumps({"__metadata__": {"source": tensor.url}, tensor.name: facts}).encode()
        head = len(header).to_bytes(8, "little") + header
        origin = {
            "url": tensor.url.rpartition("/")[2],
            "tag": tensor.identity.tag,
            "size": tensor.identity.size,
            "tensor": tensor.name,
            "place": [entry.start, entry.end],
            "version": version,
        }
        self.folder.mkdir(parents=True, exist_ok=True)
        # Without a tag, nothing says that the file there is the one of which a part is here.
        same = bool(tensor.identity.tag) and self._read_origin() | {"version": version} == origin
        whole = len(head) + tensor.size
        if not same:
            self._file.unlink(missing_ok=True)
            self._part.unlink(missing_ok=True)
        self._origin.write_text(json.dumps(origin), encoding="utf-8")
        if self._file.is_file() and self._file.stat().st_size == whole:
            on_bytes(tensor.size)
            return
        with self._part.open("ab") as file:
            here = file.tell()
            if not len(head) <= here <= whole:
                file.truncate(0)
                file.write(head)
                here = len(head)
            come = here - len(head)
            on_bytes(come)
            if come < tensor.size:
                _require_room(self.folder, tensor.size - come)
                for piece in client.read_range(
                    tensor.url, entry.start + come, tensor.size - come, tensor.identity
                ):
                    file.write(piece)
                    on_bytes(len(piece))
        self._part.replace(self._file)

    def _read_origin(self) -> dict[str, object]:
        try:
            found: object = json.loads(self._origin.read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError):
            return {}
        return found if isinstance(found, dict) else {}


def _require_room(folder: Path, size: int) -> None:
    free = shutil.disk_usage(folder).free
    if free < size:
        raise UnavailableError(
            f"{size / 1e6:,.0f} MB are to be written, and {free / 1e6:,.0f} MB are free on the disk"
        )


_MAX_CARD = 1_000_000
_LICENCE = re.compile(r"^license(?:_name)?:\s*[\"']?([^\s\"'#\[\]]{1,60})", re.M)


def read_licence(client: RangedClient, card: str) -> str | None:
    """Return the licence in the head of a model card, at the address `card`; None if it names none or cannot be read."""
    try:
        text = client.read_file(card, _MAX_CARD).decode("utf-8", "replace")
    except FetchError:
        return None
    _, _, rest = text.partition("---\n")
    match = _LICENCE.search(rest.partition("\n---")[0])
    return quote_foreign(match[1]) if match else None


CONNECTIONS = 8
_TOKENISER = "tokenizer.json"
_BESIDE = (_TOKENISER, "vocab.json", "merges.txt", "vocab.txt", "config.json")
_MAX_BESIDE = 64 << 20

BytesProgress = Callable[[int, int], None]
"""A callback that gets the bytes that have come, and those of all."""


@dataclass
class Fetched:
    """The checkpoints that were read, and why others were not."""

    folders: dict[int, Path] = field(default_factory=dict[int, Path])
    """The folder of each checkpoint, by step."""
    unread: dict[int, str] = field(default_factory=dict[int, str])
    """Why others cannot be read, by step."""


class Fetch:
    """A history at an address: planned first, so that its price can be said, and then read.

    Args:
        endpoint: the address of the Hub.
        folder: gets a folder for each checkpoint; what is there of them already is used.
        choice: which of several checkpoints; None for the only one at the address.
        tensor: the name of the matrix, if there are several.

    Raises FetchError if the checkpoints cannot be listed or no first one be read, and InputError if no tensor
    fits, or several.
    """

    def __init__(
        self,
        client: RangedClient,
        address: HubAddress | WebAddress,
        endpoint: str,
        folder: Path,
        *,
        choice: StepChoice | None = None,
        tensor: str | None = None,
    ) -> None:
        self._client, self._folder, self.tensor = client, folder, tensor
        self._rows: int | None = None
        self._tokeniser: FileIdentity | None = None
        self._checkpoints = self._list(address, endpoint, choice)
        self._licence: str | None = None
        self._first, self._unread = self._find_first()
        self.count = len(self._checkpoints)
        self.bytes = sum(0 if self._is_here(one) else self._first.size for one in self._checkpoints)
        """Bytes that are left to read, if all tables are as large as the first."""

    @property
    def origin(self) -> str:
        """Return a phrase about where the checkpoints are from, with their licence."""
        where = quote_foreign(self._checkpoints[0].model.partition("/resolve/")[0])
        return where if self._licence is None else f"{where} (licence: {self._licence})"

    def fetch_all(self, progress: BytesProgress | None = None) -> Fetched:
        """Read what is lacking, several checkpoints at a time, and return the folders. What has come stays if
        this ends early.

        Raises UnavailableError if the server broke off too often, or the disk is full; the same call goes on
        later.
        """
        done, lock = 0, threading.Lock()

        def on_bytes(count: int) -> None:
            nonlocal done
            with lock:
                done += count
                if progress is not None:
                    progress(min(done, self.bytes), self.bytes)

        fetched = Fetched(unread=dict(self._unread))
        left = [one for one in self._checkpoints if one.step not in self._unread]
        with _stopping_pool(self._client) as pool:
            tasks = {pool.submit(self._fetch_one, one, on_bytes): one for one in left}
            for task in as_completed(tasks):
                step = tasks[task].step
                try:
                    fetched.folders[step] = task.result()
                except UnavailableError as error:
                    raise UnavailableError(
                        f"{error}. What has come is kept: the same command goes on from there"
                    ) from error
                except (FetchError, InputError) as error:
                    fetched.unread[step] = str(error)
        return fetched

    def _list(
        self, address: HubAddress | WebAddress, endpoint: str, choice: StepChoice | None
    ) -> list[RemoteCheckpoint]:
        if choice is None:
            if isinstance(address, WebAddress):
                return [RemoteCheckpoint(0, address.url, "")]
            return [RemoteCheckpoint(0, address.folder_of(endpoint, address.revision), "")]
        if isinstance(address, WebAddress):
            found = list_folder(self._client, address)
        else:
            found = list_revisions(self._client, address, endpoint)
        chosen = set(choice.choose([one.step for one in found]))
        return [one for one in found if one.step in chosen]

    def _find_first(self) -> tuple[RemoteTensor, dict[int, str]]:
        """Return the tensor of the first checkpoint that can be read, and why the ones before it cannot."""
        unread: dict[int, str] = {}
        first: Exception | None = None
        for checkpoint in self._checkpoints[:10]:
            self._folder.mkdir(parents=True, exist_ok=True)
            try:
                self._fetch_beside(checkpoint)
                vocabulary = find_folder_vocabulary(self._folder)
                self._rows = None if vocabulary is None else len(vocabulary)
                found = self._find(checkpoint)
            except (UnavailableError, InputError):
                raise
            except FetchError as error:
                first = first or error
                unread[checkpoint.step] = str(error)
            else:
                self.tensor = self.tensor or found.name
                self._licence = read_licence(self._client, _folder_of(checkpoint) + "README.md")
                return found, unread
        assert first is not None
        raise first

    def _fetch_beside(self, checkpoint: RemoteCheckpoint) -> None:
        """Read the tokeniser's files and the configuration, which are small, for all checkpoints."""
        for name in _BESIDE:
            if name in ("vocab.json", "merges.txt", "vocab.txt") and self._tokeniser is not None:
                continue
            try:
                data = self._client.read_file(_folder_of(checkpoint) + name, _MAX_BESIDE)
            except MissingFileError:
                (self._folder / name).unlink(missing_ok=True)
                continue
            (self._folder / name).write_bytes(data)
            if name == _TOKENISER:
                self._tokeniser = self._client.identify(_folder_of(checkpoint) + name)

    def _find(self, checkpoint: RemoteCheckpoint) -> RemoteTensor:
        return find_remote_tensor(self._client, checkpoint.model, self._folder, self._rows, self.tensor)

    def _stored(self, checkpoint: RemoteCheckpoint) -> StoredCheckpoint:
        # A folder of this name has its tokeniser beside it.
        return StoredCheckpoint(self._folder / f"checkpoint-{checkpoint.step}")

    def _is_here(self, checkpoint: RemoteCheckpoint) -> bool:
        return self._stored(checkpoint).is_version(checkpoint.version, self.tensor)

    def _fetch_one(self, checkpoint: RemoteCheckpoint, on_bytes: Callable[[int], None]) -> Path:
        stored = self._stored(checkpoint)
        if self._is_here(checkpoint):
            return stored.folder
        for attempt in (1, 2):
            try:
                tensor = self._find(checkpoint)
                self._fetch_own_tokeniser(checkpoint, stored.folder)
                stored.fetch(self._client, tensor, checkpoint.version, on_bytes)
                break
            except ChangedFileError:
                # Another version has just been stored: start again with that one, once.
                if attempt == 2:
                    raise
        return stored.folder

    def _fetch_own_tokeniser(self, checkpoint: RemoteCheckpoint, folder: Path) -> None:
        if self._tokeniser is None or not checkpoint.model.endswith("/"):
            return
        url = checkpoint.model + _TOKENISER
        try:
            if self._client.identify(url) != self._tokeniser:
                folder.mkdir(exist_ok=True)
                (folder / _TOKENISER).write_bytes(self._client.read_file(url, _MAX_BESIDE))
        except MissingFileError:
            return


def _folder_of(checkpoint: RemoteCheckpoint) -> str:
    return checkpoint.model.rpartition("/")[0] + "/"


@contextmanager
def _stopping_pool(client: RangedClient) -> Generator[ThreadPoolExecutor]:
    """Yield a pool whose work is stopped if the block is left by an exception."""
    pool = ThreadPoolExecutor(CONNECTIONS, thread_name_prefix="fetch")
    try:
        yield pool
    except BaseException:
        client.stop()
        raise
    finally:
        pool.shutdown(cancel_futures=True)
