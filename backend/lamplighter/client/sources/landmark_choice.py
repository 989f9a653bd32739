"""The choice of the tokens that the map of a large vocabulary lays out, for `still` and `series`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lamplighter.client.errors import InputError
from lamplighter.client.sources.folder_files import read_text_file
from lamplighter.client.sources.vocabulary_files import MAX_BYTES
from lamplighter.runfolder import landmarks
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
