"""A folder written by `save_pretrained`: safetensors, in one file or in shards, with a tokeniser and a
configuration."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

from lamplighter.client.errors import InputError
from lamplighter.client.sources.folder_files import MAX_JSON, has_file, locate_file, read_text_file
from lamplighter.client.sources.refused_files import refuse_pickle
from lamplighter.client.sources.safetensors_file import StoredTensor, read_header, read_tensor
from lamplighter.client.sources.tensor_choice import choose_tensor, is_known_embedding
from lamplighter.wire.binary import Floats

_WHOLE, _INDEX = "model.safetensors", "model.safetensors.index.json"
_MAX_SHARDS = 2_000
_PICKLES = ("pytorch_model.bin", "pytorch_model.bin.index.json", "model.pt", "model.pth", "model.ckpt")


def find_model_file(folder: Path) -> Path | None:
    """Return the safetensors file of a model folder, or the index of its shards; None if it has neither.

    Raises:
        InputError: it has several candidates, only pickles, or a link that leads out of it.
    """
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


def read_model_matrix(path: Path, rows: int | None, wanted: str | None) -> tuple[Floats, str]:
    """Return the embedding in a safetensors file, or in the shards of an index, as float32, and its tensor's name.

    Args:
        path: ends in `.safetensors`, or in `.safetensors.index.json`.
        rows: the number of tokens, None if unknown.
        wanted: the name of the tensor; None if there is only one candidate.

    Raises:
        InputError: a file is malformed, or no tensor or several fit.
        OSError: a file cannot be read.
    """
    if path.suffix == ".safetensors":
        tensors = {name: (path, entry) for name, entry in read_header(path).items()}
    else:
        tensors = _read_shards(path, wanted)
    if wanted in tensors:
        # Report any error as an error of this file.
        chosen = wanted
    else:
        matrices = {name: entry.shape for name, (_, entry) in tensors.items() if entry.is_matrix}
        chosen = choose_tensor(path.name, matrices, _rows_of_model(path, matrices, rows), wanted)
    file, entry = tensors[chosen]
    return read_tensor(file, chosen, entry), chosen


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
    """Return the tensors of the shards that may hold the embedding: by its name, or else all."""
    try:
        data: Any = json.loads(read_text_file(index, MAX_JSON))
        shard_of = {str(name): shard for name, shard in data["weight_map"].items()}
    except InputError:
        raise
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise InputError(f"{index.name}: not an index of safetensors shards") from error
    asked = [
        name
        for name in shard_of
        if wanted is not None and (f".{name}".endswith((f".{wanted}", f".{wanted}.weight")))
    ]
    names = asked or [name for name in shard_of if is_known_embedding(name)] or list(shard_of)
    shards = {str(shard_of[name]): locate_file(index.parent, shard_of[name]) for name in names}
    if len(shards) > _MAX_SHARDS:
        raise InputError(f"{index.name}: more than {_MAX_SHARDS:,} shards; say which tensor is the embedding")
    for shard in shards.values():
        if shard.suffix != ".safetensors":
            refuse_pickle(shard)
    return {name: (shard, entry) for shard in shards.values() for name, entry in read_header(shard).items()}
