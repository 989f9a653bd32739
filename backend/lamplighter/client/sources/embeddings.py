"""The embedding in a model folder, a file of vectors, or vectors in memory, with its tokens.

Only the paths of the configuration are used, and none that leads out of the folder.
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, cast

import numpy as np

from lamplighter.client.errors import InputError
from lamplighter.client.matrix_diff import check_matrix_size, to_matrix
from lamplighter.client.sources.array_files import open_memory, open_npy, read_npz
from lamplighter.client.sources.checkpoint_list import has_checkpoints
from lamplighter.client.sources.folder_files import (
    has_file,
    is_pickle_begin,
    is_pickle_name,
    locate_file,
    read_text_file,
    refuse_pickle,
    require_plain_file,
)
from lamplighter.client.sources.model_folder import find_model_file, open_model_matrix
from lamplighter.client.sources.vocabulary_files import (
    find_folder_vocabulary,
    fit_rows,
    make_vocabulary,
    read_given_vocabulary,
    read_labels,
)
from lamplighter.client.sources.word_vectors import read_word_vectors
from lamplighter.wire.binary import Floats
from lamplighter.wire.row_source import RowSource, row_blocks
from lamplighter.wire.vocabulary import Vocabulary

_CONFIGS = ("projector_config.pbtxt", "projector_config.json")
_PLAIN = (("tensors.tsv", "metadata.tsv"), ("vectors.tsv", "metadata.tsv"))
"""Names in a folder without a configuration."""
_FIELD = re.compile(
    r'(tensor_name|tensor_path|metadata_path)\s*:\s*(?:"((?:[^"\\\n]|\\.)*)"|\'((?:[^\'\\\n]|\\.)*)\')'
)
_SHAPE = re.compile(r"tensor_shape\s*:\s*(\[[\d,\s]*\]|\d+)")
_MAX_ENTRIES = 1_000


@dataclass(frozen=True)
class ProjectedTensor:
    """One embedding of a projector folder."""

    name: str
    vectors_path: Path
    labels_path: Path | None
    shape: tuple[int, ...]
    """The shape in the configuration; empty if it has none."""


def find_projected_tensor(folder: Path, wanted: str | None) -> ProjectedTensor | None:
    """Return the embedding of a projector folder; None for other folders. `wanted`: its name, if there are
    several."""
    for config in _CONFIGS:
        if has_file(folder, config):
            text = read_text_file(locate_file(folder, config))
            entries = _parse_json(text, config) if config.endswith(".json") else _parse_pbtxt(text)
            return _locate(folder, config, _choose_entry(entries, config, wanted))
    for vectors, labels in _PLAIN:
        if has_file(folder, vectors):
            return _locate(folder, vectors, {"tensor_path": vectors, "metadata_path": labels})
    return None


def read_projected_vectors(tensor: ProjectedTensor) -> Floats:
    """Return the vectors, shape (V, D): text, or the plain floats of a `.bytes` file."""
    path = tensor.vectors_path
    if path.suffix.lower() != ".bytes":
        return read_word_vectors(path).vectors
    if len(tensor.shape) != 2 or path.stat().st_size != 4 * tensor.shape[0] * tensor.shape[1]:
        raise InputError(f"{path.name}: its size does not match its tensor_shape {list(tensor.shape)}")
    check_matrix_size(*tensor.shape)
    return np.fromfile(path, dtype="<f4").astype(np.float32).reshape(tensor.shape)


def _parse_pbtxt(text: str) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = []
    for block in re.split(r"\bembeddings\s*:?\s*\{", text)[1 : _MAX_ENTRIES + 1]:
        entry: dict[str, Any] = {}
        for name, double, single in _FIELD.findall(block):
            entry[name] = re.sub(r"\\(.)", r"\1", double or single)
        sizes = [size for shape in _SHAPE.findall(block) for size in re.findall(r"\d{1,9}", shape)]
        entries.append({**entry, "tensor_shape": [int(size) for size in sizes]})
    return entries


def _parse_json(text: str, where: str) -> list[dict[str, Any]]:
    names = {"tensorName": "tensor_name", "tensorPath": "tensor_path", "metadataPath": "metadata_path"}
    names["tensorShape"] = "tensor_shape"
    try:
        found: Any = json.loads(text)["embeddings"]
        return [
            {names.get(str(key), str(key)): value for key, value in entry.items()}
            for entry in found[:_MAX_ENTRIES]
        ]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise InputError(f"{where}: not a configuration of the Embedding Projector") from error


def _choose_entry(entries: list[dict[str, Any]], where: str, wanted: str | None) -> dict[str, Any]:
    usable = [entry for entry in entries if entry.get("tensor_path")]
    chosen = [entry for entry in usable if wanted is None or entry.get("tensor_name") == wanted]
    if len(chosen) != 1:
        names = ", ".join(str(entry.get("tensor_name"))[:80] for entry in usable[:8]) or "none"
        what = (
            f"no embedding {wanted[:80]!r}"
            if wanted
            else "several embeddings; name one"
            if chosen
            else "none"
        )
        raise InputError(f"{where}: {what}; it lists {names}")
    return chosen[0]


def _locate(folder: Path, config: str, entry: dict[str, Any]) -> ProjectedTensor:
    vectors = locate_file(folder, entry["tensor_path"])
    labels = entry.get("metadata_path")
    if labels and (config in _CONFIGS or has_file(folder, str(labels))):
        labels_path = locate_file(folder, labels)
    else:
        labels_path = None
    shape = entry.get("tensor_shape") or []
    sizes: list[Any] = cast("list[Any]", shape) if isinstance(shape, list) else [None]
    if not all(type(size) is int and size >= 0 for size in sizes):
        raise InputError(f"{config}: its tensor_shape is not a list of sizes")
    return ProjectedTensor(
        str(entry.get("tensor_name") or vectors.stem)[:200], vectors, labels_path, tuple(sizes)
    )


_SHARDS = ".safetensors.index.json"
_PACKED = (".gz", ".zip", ".bz2", ".xz", ".zst", ".7z", ".tar")


@dataclass(frozen=True)
class FoundEmbedding:
    """A finite embedding with a token for each row."""

    vectors: RowSource
    """Shape (V, D); read when asked for, if it lies in a file."""
    vocabulary: Vocabulary
    description: str
    """A phrase for messages: `transformer.wte.weight of model.safetensors`."""
    tensor: str | None = None
    """Its name in a model; None for other sources."""


class RawEmbedding(NamedTuple):
    """A matrix as its source has it."""

    vectors: RowSource
    tokens: Vocabulary | None
    """The tokens of the source; None if it has none."""
    description: str
    padded: bool
    """True if the matrix may have more rows than tokens, as in models."""
    tensor: str | None = None


def find_embedding(
    source: Any, vocabulary: Any = None, tensor: str | None = None, *, known: Vocabulary | None = None
) -> FoundEmbedding:
    """Return the embedding in a source, with its tokens.

    Args:
        source: a path (a model folder, a projector folder, `.safetensors`, an index of shards, `.npy`, `.npz`, word
            vectors as text or binary), gensim's `KeyedVectors`, or a matrix of shape (V, D).
        vocabulary: its tokens, in a form for `read_given_vocabulary`; None if the source has tokens.
        tensor: the name of the matrix, if there are several.
        known: the tokens of a source without any, if no vocabulary is given.
    """
    given, is_padded = (None, False) if vocabulary is None else read_given_vocabulary(vocabulary)
    if isinstance(source, str | os.PathLike):
        path = Path(source)
        if "\0" in str(path):
            raise InputError("a path cannot contain a null character")
        try:
            raw = read_path(path, given, tensor)
        except OSError as error:
            raise InputError(f"{path.name}: {error.strerror or error}") from error
        where = path.name
    else:
        raw = read_memory(source)
        where = "the embedding"
    tokens = given or raw.tokens or known
    if tokens is None:
        raise InputError(
            f"{where}: it has no tokens: give a vocabulary too (a list, token to id, a file with one token per line,"
            " or tokenizer.json)"
        )
    tokens = fit_rows(tokens, len(raw.vectors), where, padded=raw.padded or is_padded)
    non_finite = np.concatenate(
        [
            some.start + np.flatnonzero(~np.isfinite(rows).all(axis=1))
            for some, rows in row_blocks(raw.vectors)
        ]
    )
    if len(non_finite):
        raise InputError(
            f"{where}: {len(non_finite):,} rows hold values that are not finite numbers (first row {non_finite[0]}): such a"
            " matrix has no map"
        )
    return FoundEmbedding(raw.vectors, tokens, raw.description, raw.tensor)


def read_path(path: Path, given: Vocabulary | None, tensor: str | None) -> RawEmbedding:
    """Return the matrix in a folder or file, with its tokens if it has any; it is not checked for finite
    values."""
    rows = None if given is None else len(given)
    name = path.name.lower()
    if path.is_dir():
        return _read_folder(path, given, tensor)
    if name.endswith(_PACKED):
        raise InputError(f"{path.name}: it is compressed: unpack it first")
    require_plain_file(path)
    if name.endswith((".safetensors", _SHARDS)):
        own = given or find_folder_vocabulary(path.parent)
        vectors, chosen = open_model_matrix(path, rows if own is None else len(own), tensor)
        return RawEmbedding(vectors, own, f"{chosen[:200]} of {path.name}", padded=True, tensor=chosen)
    if name.endswith(".npy"):
        return RawEmbedding(open_npy(path), None, path.name, padded=False)
    if name.endswith(".npz"):
        vectors, tokens, chosen = read_npz(path, rows, tensor)
        own = None if tokens is None else make_vocabulary(tokens, where=path.name)
        return RawEmbedding(vectors, own, f"{chosen[:200]} of {path.name}", padded=False)
    with path.open("rb") as file:
        begin = file.read(8)
    if is_pickle_name(path) or is_pickle_begin(begin):
        refuse_pickle(path)
    found = read_word_vectors(path)
    own = None if found.tokens is None else make_vocabulary(found.tokens, where=path.name)
    return RawEmbedding(found.vectors, own, path.name, padded=False)


def _read_folder(folder: Path, given: Vocabulary | None, tensor: str | None) -> RawEmbedding:
    model = find_model_file(folder)
    if model is not None:
        raw = read_path(model, given, tensor)
        return raw._replace(description=f"{raw.description} in {folder.resolve().name}")
    projected = find_projected_tensor(folder, tensor)
    if projected is None:
        if has_checkpoints(folder):
            raise InputError(
                f"{folder.name}: it holds checkpoints: use series for all, or still for one of them"
            )
        raise InputError(
            f"{folder.name}: a folder without model.safetensors, model.safetensors.index.json, projector_config.pbtxt or"
            " tensors.tsv: name the file itself"
        )
    vectors = read_projected_vectors(projected)
    own = None
    if given is None and projected.labels_path is not None:
        own = read_labels(projected.labels_path, len(vectors))
    return RawEmbedding(vectors, own, f"{projected.name} in {folder.resolve().name}", padded=False)


def read_memory(source: Any) -> RawEmbedding:
    """Return a matrix in memory, or gensim's vectors with their tokens."""
    keys, vectors = getattr(source, "index_to_key", None), getattr(source, "vectors", None)
    if keys is None and hasattr(source, "wv"):
        # A complete gensim model.
        keys, vectors = getattr(source.wv, "index_to_key", None), getattr(source.wv, "vectors", None)
    if keys is None or vectors is None:
        return RawEmbedding(open_memory(source), None, "a matrix in memory", padded=False)
    own = make_vocabulary((str(key) for key in keys), where="index_to_key")
    # gensim allocates rows ahead of its keys.
    return RawEmbedding(
        np.array(to_matrix(vectors)[: len(own)], copy=True), own, "word vectors in memory", padded=False
    )
