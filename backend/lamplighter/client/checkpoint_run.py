"""A checkpoint's embedding as a finished run of one keyframe, whose map can be explored."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lamplighter.client.errors import InputError
from lamplighter.client.recording.state_recording import StateRecording
from lamplighter.client.run import Run
from lamplighter.client.sources.columns import colour_by_column
from lamplighter.client.sources.embeddings import FoundEmbedding, find_embedding
from lamplighter.client.sources.given_vocabulary import GivenVocabulary
from lamplighter.client.sources.landmark_choice import choose_given_landmarks
from lamplighter.client.sources.source_names import name_source
from lamplighter.runfolder.run_store import run_id_of

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
