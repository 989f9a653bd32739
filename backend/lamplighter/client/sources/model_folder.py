"""A folder written by `save_pretrained`: safetensors, in one file or in shards, with a tokeniser and a
configuration.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, cast

from lamplighter.client.errors import InputError
from lamplighter.client.matrix_diff import check_matrix_size
from lamplighter.client.sources.folder_files import MAX_JSON, has_file, locate_file, read_text_file
from lamplighter.client.sources.refused_files import refuse_pickle
from lamplighter.client.sources.tensor_choice import choose_tensor, is_known_embedding
from lamplighter.runfolder.errors import FormatError
from lamplighter.runfolder.matrices.stored_matrix import StoredMatrix
from lamplighter.runfolder.matrices.tensor_file import StoredTensor, read_tensor_header


def read_header(path: Path) -> dict[str, StoredTensor]:
    try:
        return read_tensor_header(path)
    except FormatError as error:
        raise InputError(str(error)) from error


def open_tensor(path: Path, name: str, entry: StoredTensor) -> StoredMatrix:
    """Return one matrix of a file, shape (V, D), of which nothing is read yet."""
    if not entry.is_matrix:
        raise InputError(
            f"{path.name}: {name[:200]} is {entry.type} of shape {entry.shape}; a matrix of floats is needed"
        )
    rows, width = entry.shape
    check_matrix_size(rows, width, entry.number_type.itemsize)
    return StoredMatrix(path, entry)


_WHOLE, _INDEX = "model.safetensors", "model.safetensors.index.json"
_MAX_SHARDS = 2_000
_PICKLES = ("pytorch_model.bin", "pytorch_model.bin.index.json", "model.pt", "model.pth", "model.ckpt")


def find_model_file(folder: Path) -> Path | None:
    """Return the safetensors file of a model folder, or the index of its shards; None if it has neither."""
    for name in (_WHOLE, _INDEX):
        if has_file(folder, name):
            return locate_file(folder, name)
    others = sorted(path.name for path in folder.iterdir() if path.name.endswith(".safetensors"))
    if len(others) == 1:
        return locate_file(folder, others[0])
    if others:
        listed = ", ".join(others[:8])
        raise InputError(f"{folder.name}: several safetensors files without {_INDEX}: name one of {listed}")
    for name in _PICKLES:
        if has_file(folder, name):
            refuse_pickle(folder / name)
    return None


class LocatedTensor(NamedTuple):
    """The place of a model's embedding."""

    file: Path
    name: str
    entry: StoredTensor


def open_model_matrix(path: Path, rows: int | None, wanted: str | None) -> tuple[StoredMatrix, str]:
    """Return the embedding at `locate_model_matrix`'s place, unread, and its tensor's name."""
    file, name, entry = locate_model_matrix(path, rows, wanted)
    return open_tensor(file, name, entry), name


def locate_model_matrix(path: Path, rows: int | None, wanted: str | None) -> LocatedTensor:
    """Return the place of the embedding in a `.safetensors` file, or in the shards of a
    `.safetensors.index.json`.

    `rows` and `wanted` are as for `choose_embedding`.
    """
    if path.suffix == ".safetensors":
        tensors = {name: (path, entry) for name, entry in read_header(path).items()}
    else:
        tensors = _read_shards(path, wanted)
    chosen = choose_embedding(path, {name: entry for name, (_, entry) in tensors.items()}, rows, wanted)
    file, entry = tensors[chosen]
    return LocatedTensor(file, chosen, entry)


def choose_embedding(
    path: Path, tensors: Mapping[str, StoredTensor], rows: int | None, wanted: str | None
) -> str:
    """Return the name of the embedding among the tensors of a model.

    Args:
        path: its file, beside which its configuration may lie; it need not exist.
        tensors: the tensors by name.
        rows: the number of tokens, None if unknown.
        wanted: the name of the tensor; None if there is only one candidate.
    """
    if wanted is not None and wanted in tensors:
        # Report any error as an error of this file.
        return wanted
    matrices = {name: entry.shape for name, entry in tensors.items() if entry.is_matrix}
    return choose_tensor(path.name, matrices, _rows_of_model(path, matrices, rows), wanted)


def shards_of_embedding(index: str, where: str, wanted: str | None) -> list[Any]:
    """Return the names, unchecked, of the shards that may hold the embedding: by its name, or else all.
    `index`: the text of a `model.safetensors.index.json`; `where` begins the messages."""
    try:
        data: Any = json.loads(index)
        shard_of = {str(name): shard for name, shard in data["weight_map"].items()}
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise InputError(f"{where}: not an index of safetensors shards") from error
    asked = [
        name
        for name in shard_of
        if wanted is not None and (f".{name}".endswith((f".{wanted}", f".{wanted}.weight")))
    ]
    names = asked or [name for name in shard_of if is_known_embedding(name)] or list(shard_of)
    shards = list({str(shard_of[name]): shard_of[name] for name in names}.values())
    if len(shards) > _MAX_SHARDS:
        raise InputError(f"{where}: more than {_MAX_SHARDS:,} shards; say which tensor is the embedding")
    return shards


def _rows_of_model(path: Path, matrices: dict[str, tuple[int, ...]], rows: int | None) -> int | None:
    """Return the vocabulary size in the configuration beside a model, if the tokens match no matrix."""
    if rows is not None and any(shape[0] == rows for shape in matrices.values()):
        return rows
    if not has_file(path.parent, "config.json"):
        return rows
    try:
        config: Any = json.loads(read_text_file(locate_file(path.parent, "config.json")))
    except (ValueError, RecursionError, OSError):
        return rows
    inner = config.get("text_config") if isinstance(config, dict) else None  # pyright: ignore[reportUnknownMemberType]
    for facts in (config, inner):
        size = cast("dict[str, Any]", facts).get("vocab_size") if isinstance(facts, dict) else None
        if isinstance(size, int) and size >= (rows or 0) and any(s[0] == size for s in matrices.values()):
            return size
    return rows


def _read_shards(index: Path, wanted: str | None) -> dict[str, tuple[Path, StoredTensor]]:
    names = shards_of_embedding(read_text_file(index, MAX_JSON), index.name, wanted)
    shards = [locate_file(index.parent, name) for name in names]
    for shard in shards:
        if shard.suffix != ".safetensors":
            refuse_pickle(shard)
    return {name: (shard, entry) for shard in shards for name, entry in read_header(shard).items()}
