"""The place of the embedding in a model on the web, found by reading headers only."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import quote

from lamplighter.cli.checkpoints.remote.errors import FetchError, MissingFileError
from lamplighter.cli.checkpoints.remote.ranged_client import FileIdentity, RangedClient
from lamplighter.client.errors import InputError
from lamplighter.client.sources.model_folder import choose_embedding, shards_of_embedding
from lamplighter.platform.printable import quote_foreign
from lamplighter.runfolder.errors import FormatError
from lamplighter.runfolder.matrices.tensor_file import StoredTensor, parse_tensor_header

MAX_TABLE_BYTES = 16 << 30
"""Maximum bytes of one tensor that is fetched."""
_WHOLE, _INDEX = "model.safetensors", "model.safetensors.index.json"
_PICKLES = ("pytorch_model.bin", "pytorch_model.bin.index.json")
_FIRST_READ = 1 << 16
"""Bytes of the first request: enough for the header of most models."""
_MAX_HEADER = 25_000_000
_MAX_INDEX = 16_000_000


@dataclass(frozen=True)
class RemoteTensor:
    """One tensor of a file on the web."""

    url: str
    identity: FileIdentity
    name: str
    entry: StoredTensor

    @property
    def size(self) -> int:
        return self.entry.end - self.entry.start


def find_remote_tensor(
    client: RangedClient, model: str, folder: Path, rows: int | None, wanted: str | None
) -> RemoteTensor:
    """Return the place of the embedding of a model.

    `model`: the address of its folder, ending in `/`; or of a `.safetensors` file. `folder`: where its
    configuration lies, if it is known. `rows` and `wanted` are as for `choose_embedding`. Raises FetchError,
    or InputError if no tensor or several fit.
    """
    if not model.endswith("/"):
        return _choose(client, [model], folder, rows, wanted)
    try:
        return _choose(client, [model + _WHOLE], folder, rows, wanted)
    except MissingFileError:
        pass
    try:
        index = client.read_file(model + _INDEX, _MAX_INDEX)
    except MissingFileError as error:
        _refuse_pickles(client, model)
        raise FetchError(f"{quote_foreign(model)}: neither {_WHOLE} nor {_INDEX} is there") from error
    try:
        shards = shards_of_embedding(index.decode(), _INDEX, wanted)
    except UnicodeDecodeError as error:
        raise FetchError(f"{quote_foreign(model)}{_INDEX}: not UTF-8") from error
    return _choose(client, [model + _shard_path(shard) for shard in shards], folder, rows, wanted)


def _shard_path(name: object) -> str:
    path = PurePosixPath(str(name))
    if path.is_absolute() or ".." in path.parts or "\\" in str(name) or path.suffix != ".safetensors":
        raise FetchError(f"{_INDEX}: {quote_foreign(repr(name))} is not a safetensors file of this model")
    return quote(str(path))


def _choose(
    client: RangedClient, files: list[str], folder: Path, rows: int | None, wanted: str | None
) -> RemoteTensor:
    found: dict[str, RemoteTensor] = {}
    for url in files:
        identity, tensors = _read_header(client, url)
        found |= {name: RemoteTensor(url, identity, name, entry) for name, entry in tensors.items()}
    entries = {name: tensor.entry for name, tensor in found.items()}
    chosen = found[choose_embedding(folder / _WHOLE, entries, rows, wanted)]
    if not chosen.entry.is_matrix or chosen.size > MAX_TABLE_BYTES:
        raise InputError(
            f"{quote_foreign(chosen.name)}: {chosen.entry.type} of shape {chosen.entry.shape}; a matrix of floats of at most"
            f" {MAX_TABLE_BYTES / 1e9:.0f} GB is needed"
        )
    return chosen


def _read_header(client: RangedClient, url: str) -> tuple[FileIdentity, dict[str, StoredTensor]]:
    identity, start = client.open_range(url, 0, _FIRST_READ)
    shown = quote_foreign(url)
    if len(start) < 8:
        raise FetchError(f"{shown}: not a safetensors file")
    (length,) = struct.unpack("<Q", start[:8])
    if length > min(identity.size - 8, _MAX_HEADER):
        raise FetchError(
            f"{shown}: not a safetensors file, or one with a header above {_MAX_HEADER / 1e6:.0f} MB"
        )
    text = start[8 : 8 + length]
    if len(text) < length:
        text += b"".join(client.read_range(url, 8 + len(text), length - len(text), identity))
    try:
        return identity, parse_tensor_header(text, identity.size, shown)
    except FormatError as error:
        raise FetchError(str(error)) from error


def _refuse_pickles(client: RangedClient, model: str) -> None:
    for name in _PICKLES:
        try:
            client.identify(model + name)
        except MissingFileError:
            continue
        raise FetchError(
            f"{quote_foreign(model)}: it has only {name}, a pickle, which can run code when opened and is not read. Load it"
            " where you trust it, save it with save_pretrained(folder), and give the folder"
        )
