"""A checkpoint's embedding as a finished run of one keyframe, whose map can be explored."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lamplighter.client.errors import InputError
from lamplighter.client.recording.state_recording import StateRecording
from lamplighter.client.run import Run
from lamplighter.client.sources.columns import colour_by_column
from lamplighter.client.sources.embeddings import FoundEmbedding, find_embedding
from lamplighter.client.sources.folder_files import read_text_file
from lamplighter.client.sources.given_vocabulary import GivenVocabulary
from lamplighter.client.sources.source_names import name_source
from lamplighter.client.sources.vocabulary_files import MAX_BYTES
from lamplighter.runfolder import landmarks
from lamplighter.runfolder.run_store import run_id_of
from lamplighter.wire.row_source import RowSource, row_blocks
from lamplighter.wire.vocabulary import Vocabulary

NORM = "norm"


class ChosenLandmarks(NamedTuple):
    """Which tokens of a vocabulary are laid out."""

    ids: NDArray[np.int64] | None
    """Ascending, shape (L,); None if the vocabulary itself says which."""
    description: str
    """A phrase for the run's message; empty if all tokens are laid out."""


def choose_given_landmarks(
    vocabulary: Vocabulary, vectors: RowSource, wanted: str | os.PathLike[str] | None
) -> ChosenLandmarks:
    """Return the landmarks that were asked for, and a phrase for the run's message. `vectors`: the tokens'
    rows, (V, D).

    `wanted`: `norm` for the longest rows; a file with a token in each line; None for the most frequent
    tokens.
    """
    if wanted is None:
        return ChosenLandmarks(None, landmarks.describe_landmarks(vocabulary))
    if len(vocabulary) < landmarks.MIN_TOKENS:
        raise InputError(
            f"landmarks: {len(vocabulary):,} tokens are all laid out; from {landmarks.MIN_TOKENS:,} on there are landmarks"
        )
    if wanted == NORM:
        lengths = np.concatenate([np.linalg.norm(rows, axis=1) for _, rows in row_blocks(vectors)])
        ids = np.sort(np.argsort(-lengths, kind="stable")[: landmarks.LANDMARKS])
        return _chosen(vocabulary, ids, "tokens with the longest rows")
    path = Path(wanted)
    try:
        words = [line.rstrip("\r") for line in read_text_file(path, MAX_BYTES).split("\n")]
    except OSError as error:
        raise InputError(f"{path.name}: {error.strerror or error}") from error
    id_of = {token: at for at, token in reversed(list(enumerate(vocabulary.tokens)))}
    # A list has words without the leading space of their token.
    found = {id_of.get(word, id_of.get(f" {word}")) for word in words if word}
    ids = np.array(sorted(at for at in found if at is not None), dtype=np.int64)
    if not landmarks.MIN_LANDMARKS <= len(ids) <= landmarks.LANDMARKS:
        raise InputError(
            f"{path.name}: it names {len(ids):,} of the tokens, one in each line;"
            f" {landmarks.MIN_LANDMARKS:,} to {landmarks.LANDMARKS:,} landmarks are needed"
        )
    return _chosen(vocabulary, ids, f"tokens of {path.name[:80]}")


def _chosen(vocabulary: Vocabulary, ids: NDArray[np.int64], which: str) -> ChosenLandmarks:
    return ChosenLandmarks(ids, landmarks.describe_choice(len(vocabulary), len(ids), which))


_TOLD_BYTES = 500_000_000


def still(
    folder: str | os.PathLike[str],
    embedding: Any,
    vocabulary: GivenVocabulary | None = None,
    *,
    tensor: str | None = None,
    columns: str | os.PathLike[str] | None = None,
    colour: str | None = None,
    origin: str | None = None,
    landmarks: str | os.PathLike[str] | None = None,
    tell: Callable[[str], None] | None = None,
) -> Run:
    """Create a finished run from one matrix; a server over the folder's parent draws its map.

    Args:
        folder: the run's folder, which must not exist yet or be empty. The run's id is the nearest one to its name.
        embedding: a folder that `save_pretrained` wrote, `.safetensors` or the index of its shards, `.npy`, `.npz`, word
            vectors (word2vec's text or binary, GloVe), a folder of the Embedding Projector, gensim's `KeyedVectors`, or
            the matrix itself; shape (V, D).
        vocabulary: its tokens, if the source has none: a file for `read_vocabulary`, a model folder, a tokeniser, the
            tokens by id, or a mapping of token to id.
        tensor: the name of the matrix, if the source has several.
        columns: a table about the tokens (CSV, TSV, parquet); one of its columns colours the map.
        colour: the column to use; the first by default.
        origin: where the embedding is from, for the run's message.
        landmarks: which tokens of a large vocabulary the map lays out: `"norm"`, those with the longest rows, or a file
            with a token in each line; None: the most frequent.
        tell: called with the bytes that the matrix takes on the disk, as a sentence, before it is written.

    Raises:
        InputError: a file cannot be used; the message says which and why.
        FileExistsError: `folder` is not empty.
    """
    found = find_embedding(embedding, vocabulary, tensor)
    found, about = coloured(found, columns, colour)
    path = run_path(folder)
    name = name_source(Path(embedding)) if isinstance(embedding, str | os.PathLike) else Path(folder).name
    chosen = choose_given_landmarks(found.vocabulary, found.vectors, landmarks)
    with StateRecording(path, name, found.vocabulary, [0], found.vectors) as recording:
        tell_size(recording, tell)
        recording.set_landmarks(chosen.ids)
        recording.add_state(found.vectors)
        recording.finish(
            f"the embedding, {found.description}{told_origin(origin)}, as it is{about}{chosen.description}"
        )
    return Run(path)


def coloured(
    found: FoundEmbedding, columns: str | os.PathLike[str] | None, colour: str | None
) -> tuple[FoundEmbedding, str]:
    """Return an embedding with classes from a table's column, and a phrase that describes it."""
    if columns is None:
        if colour is not None:
            raise InputError("colour names a column of a table, so columns is needed too")
        return found, ""
    made = colour_by_column(found.vocabulary, Path(columns), colour)
    return (
        FoundEmbedding(found.vectors, made.vocabulary, found.description, found.tensor),
        f"; {made.description}",
    )


def tell_size(recording: StateRecording, tell: Callable[[str], None] | None) -> None:
    """Say what a run's matrices take on the disk, if that is much."""
    if tell is not None and recording.bytes >= _TOLD_BYTES:
        tell(f"{recording.bytes / 1e9:,.1f} GB of matrices are written to the disk")


def told_origin(origin: str | None) -> str:
    """Return the end of a phrase: where an embedding is from, if that is known."""
    return "" if origin is None else f", from {origin}"


def run_path(folder: str | os.PathLike[str]) -> Path:
    """Return the folder of a new run: the given one, with its name changed to the nearest run id."""
    path = Path(folder).absolute()
    return path.with_name(run_id_of(path.name)) if path.name else path
