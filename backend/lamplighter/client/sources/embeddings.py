"""The embedding in a model folder, a file of vectors, or vectors in memory, with its tokens."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from lamplighter.client.errors import InputError
from lamplighter.client.matrix_diff import to_matrix
from lamplighter.client.sources.array_files import open_npy, read_npz
from lamplighter.client.sources.checkpoint_list import has_checkpoints
from lamplighter.client.sources.folder_vocabulary import find_folder_vocabulary, read_labels
from lamplighter.client.sources.given_vocabulary import fit_rows, read_given_vocabulary
from lamplighter.client.sources.memory_rows import open_memory
from lamplighter.client.sources.model_folder import find_model_file, open_model_matrix
from lamplighter.client.sources.plain_files import require_plain_file
from lamplighter.client.sources.projector_folder import find_projected_tensor, read_projected_vectors
from lamplighter.client.sources.refused_files import is_pickle_begin, is_pickle_name, refuse_pickle
from lamplighter.client.sources.vocabulary_files import make_vocabulary
from lamplighter.client.sources.word_vectors import read_word_vectors
from lamplighter.wire.row_source import RowSource, row_blocks
from lamplighter.wire.vocabulary import Vocabulary

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

    Raises:
        InputError: the source cannot be used; the message says which part, why, and what to do.
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
    """Return the matrix in a folder or file, with its tokens if it has any; it is not checked for finite values.

    Raises:
        InputError: the source cannot be used.
        OSError: it cannot be read.
    """
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
    """Return a matrix in memory, or gensim's vectors with their tokens.

    Raises:
        InputError: it is not a matrix of numbers.
    """
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
