"""The checkpoints at an address, by step, and the place of the embedding in one, found by reading headers only."""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import translate
from itertools import pairwise
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import quote

from lamplighter.cli.checkpoints.remote.address import FetchError, HubAddress, MissingFileError, WebAddress
from lamplighter.cli.checkpoints.remote.ranged_client import FileIdentity, RangedClient
from lamplighter.client.errors import InputError
from lamplighter.client.sources.model_folder import choose_embedding, shards_of_embedding
from lamplighter.client.sources.source_names import step_in_name
from lamplighter.platform.printable import quote_foreign
from lamplighter.runfolder.errors import FormatError
from lamplighter.runfolder.matrices.stored_matrix import StoredTensor, parse_tensor_header
from lamplighter.runfolder.step_numbers import MAX_NUMBER

LISTING = "listing.txt"
_MAX_LISTING = 16_000_000
_MAX_LISTED = 10_000


@dataclass(frozen=True)
class RemoteCheckpoint:
    """One checkpoint on the web."""

    step: int
    model: str
    """The address of its folder, ending in `/`; or of its `.safetensors` file."""
    version: str
    """The commit of a revision; empty if the server has none."""


def list_revisions(client: RangedClient, address: HubAddress, endpoint: str) -> list[RemoteCheckpoint]:
    """Return the branches and tags of a model that fit the pattern of an address, by step.

    The step is the first number in what the first `*` stands for. We ask for the list ourselves because the library of the
    Hub reads an answer of any length.
    """
    data = client.read_file(f"{endpoint}/api/models/{address.model}/refs", _MAX_LISTING)
    try:
        listed: Any = json.loads(data)
        refs = [
            (str(ref["name"]), str(ref["targetCommit"]))
            for kind in ("branches", "tags")
            for ref in listed[kind]
        ]
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise FetchError(f"{address.model}: the server's list of revisions cannot be read") from error
    before, _, after = address.revision.partition("*")
    pattern = re.compile(f"{re.escape(before)}(.*){translate(after)}")
    found: dict[str, RemoteCheckpoint] = {}
    for name, commit in refs:
        if (match := pattern.match(name)) and (number := re.search(r"\d{1,18}", match[1])):
            checkpoint = RemoteCheckpoint(int(number[0]), address.folder_of(endpoint, commit or name), commit)
            found.setdefault(name, checkpoint)
    if not found:
        some = ", ".join(quote_foreign(name) for name, _ in refs[:6])
        raise FetchError(f"{address.model}: no revision fits {address.revision}; there are {some or 'none'}")
    return _by_step(found.values(), f"{address.model}@{address.revision}")


def list_folder(client: RangedClient, address: WebAddress) -> list[RemoteCheckpoint]:
    """Return the checkpoints that the listing of a folder names, by step.

    The listing is a text: a path relative to the folder on each line, of a `.safetensors` file whose name, or the name of
    whose folder, has its step; other lines are passed over.
    """
    try:
        data = client.read_file(address.url + LISTING, _MAX_LISTING)
    except MissingFileError as error:
        raise FetchError(
            f"{quote_foreign(address.url)}: a folder needs a {LISTING}, with the path of one checkpoint on each line"
        ) from error
    found: list[RemoteCheckpoint] = []
    for line in data.decode("utf-8", "replace").split("\n"):
        path = PurePosixPath(line.strip())
        if path.suffix != ".safetensors":
            continue
        if path.is_absolute() or ".." in path.parts or "\\" in line or ":" in line:
            raise FetchError(f"{LISTING}: {quote_foreign(line)} is outside the folder")
        step = step_in_name(Path(path))
        if step is not None:
            found.append(RemoteCheckpoint(step, address.url + quote(str(path)), ""))
    if not found:
        raise FetchError(
            f"{quote_foreign(address.url)}: no .safetensors file with a step in its name is listed"
        )
    return _by_step(found, quote_foreign(address.url))


def _by_step(found: Iterable[RemoteCheckpoint], where: str) -> list[RemoteCheckpoint]:
    # A branch and a tag may name the same commit.
    ordered = sorted({(one.step, one.model): one for one in found}.values(), key=lambda one: one.step)
    for before, after in pairwise(ordered):
        if before.step == after.step:
            raise FetchError(
                f"{where}: two checkpoints have the step {after.step:,}; write a narrower pattern"
            )
    if len(ordered) > _MAX_LISTED or ordered[-1].step > MAX_NUMBER:
        raise FetchError(f"{where}: more than {_MAX_LISTED:,} checkpoints, or an impossible step")
    return ordered


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
