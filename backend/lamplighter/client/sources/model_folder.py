"""The embedding of a model that `save_pretrained` wrote, as safetensors in one file or in shards."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, cast

from lamplighter.client.errors import InputError
from lamplighter.client.matrix_diff import check_matrix_size
from lamplighter.client.sources.folder_files import (
    MAX_JSON,
    has_file,
    locate_file,
    read_text_file,
    refuse_pickle,
)
from lamplighter.runfolder.errors import FormatError
from lamplighter.runfolder.matrices.stored_matrix import StoredMatrix, StoredTensor, read_tensor_header

_KNOWN = (
    # T5 and BART, whose encoder and decoder may each list it again.
    "shared",
    "wte",
    "embed_tokens",
    "word_embeddings",
    "tok_embeddings",
    "embed_in",
    "token_embedding",
    "token_embeddings",
    "token_embedding_table",
    "tok_emb",
    "word_embedding",
    "embedding",
    "embeddings",
)
"""Last parts of the names of token embeddings (GPT-2, Llama, BERT, ...), the most certain first."""
_MAX_LISTED = 8


def choose_tensor(
    where: str, shapes: Mapping[str, tuple[int, ...]], rows: int | None, wanted: str | None
) -> str:
    """Return the name of the token embedding among the matrices of a model.

    Args:
        where: begins the messages.
        shapes: (V, D) of each matrix by name.
        rows: the number of tokens; a padded embedding may have more rows. None if unknown.
        wanted: the requested name, or its end after a dot.
    """
    likely = sorted(shapes, key=lambda name: (_rank(name), _misfit(shapes[name], rows)))
    if wanted is not None:
        found = [name for name in shapes if name == wanted] or [
            name for name in shapes if f".{name}".endswith((f".{wanted}", f".{wanted}.weight"))
        ]
        if len(found) == 1:
            return found[0]
        what = (
            f"several tensors are called {wanted[:200]!r}"
            if found
            else f"there is no tensor {wanted[:200]!r}"
        )
        raise InputError(f"{where}: {what}; there are {_list_names(found or likely)}")
    exact = [name for name in likely if rows is None or shapes[name][0] == rows]
    padded = [name for name in likely if rows is not None and shapes[name][0] > rows]
    named = [name for name in exact if any(word in name.lower() for word in ("emb", "wte"))]
    for some in (_surest(exact), named, _surest(padded), exact):
        if len(some) == 1:
            return some[0]
        if some:
            fit = "could be the embedding" if rows is None else f"have {shapes[some[0]][0]:,} rows"
            raise InputError(f"{where}: several matrices {fit}; name one: {_list_names(some)}")
    listed = _list_names([f"{name} ({' x '.join(f'{n:,}' for n in shapes[name])})" for name in likely])
    needed = "to choose from" if rows is None else f"has {rows:,} rows, as many as the vocabulary has tokens"
    raise InputError(f"{where}: no matrix {needed}; there are {listed}")


def is_known_embedding(name: str) -> bool:
    return _rank(name) < len(_KNOWN)


def _rank(name: str) -> int:
    last = name.removesuffix(".weight").rpartition(".")[2].lower()
    return _KNOWN.index(last) if last in _KNOWN else len(_KNOWN)


def _surest(names: list[str]) -> list[str]:
    known = [name for name in names if is_known_embedding(name)]
    return [name for name in known if _rank(name) == _rank(known[0])]


def _misfit(shape: tuple[int, ...], rows: int | None) -> int:
    return 0 if rows is None else abs(shape[0] - rows)


def _list_names(names: list[str]) -> str:
    listed = ", ".join(name[:80] for name in names[:_MAX_LISTED]) or "none"
    return f"{listed}, and {len(names) - _MAX_LISTED} more" if len(names) > _MAX_LISTED else listed


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
