"""A checkpoint's embedding as a finished run of one keyframe, whose map can be explored; and checkpoints of one training
as one, with a step for each and maps laid out jointly.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, SupportsIndex

import numpy as np
from numpy.typing import NDArray

from lamplighter.client.errors import InputError, require_whole_application
from lamplighter.client.histories.checked_sources import TableOpener
from lamplighter.client.histories.history_check import HistoryCheck
from lamplighter.client.histories.report import HistoryReport
from lamplighter.client.recording.state_recording import StateRecording
from lamplighter.client.run import Run
from lamplighter.client.sources.array_files import ReorderedRows
from lamplighter.client.sources.checkpoint_list import Checkpoint, collect_checkpoints
from lamplighter.client.sources.columns import colour_by_column
from lamplighter.client.sources.embeddings import FoundEmbedding, find_embedding
from lamplighter.client.sources.folder_files import read_text_file
from lamplighter.client.sources.source_names import name_source
from lamplighter.client.sources.vocabulary_files import MAX_BYTES, GivenVocabulary
from lamplighter.runfolder import landmarks
from lamplighter.runfolder.loop_facts import HISTORY_FACT
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


_MAX_NAMED = 12
"""Maximum number of checkpoints whose steps are all named in the run's message."""

SeriesProgress = Callable[[float, str], None]
"""A callback that gets the share done, of reading or of the maps, from 0 to 1, and a description."""


def series(
    folder: str | os.PathLike[str],
    sources: str | os.PathLike[str] | Iterable[Any] | Mapping[Any, Any],
    vocabulary: GivenVocabulary | None = None,
    *,
    steps: Iterable[SupportsIndex] | None = None,
    tensor: str | None = None,
    columns: str | os.PathLike[str] | None = None,
    colour: str | None = None,
    landmarks: str | os.PathLike[str] | None = None,
    maps: bool = True,
    progress: SeriesProgress | None = None,
) -> Run:
    """Create a finished run from the checkpoints of one training. Its steps are 0, 1, 2, ..., and `Run.step_number`
    gives the training step of each.

    Args:
        folder: the run's folder, which must not exist yet or be empty. The run's id is the nearest one to its name.
        sources: a folder with `checkpoint-10`, `checkpoint-20`, ... or `step-10.npy`, ...; several sources, each in a
            form that `still` accepts; or a mapping of step to source. One of another shape than most is left out.
        vocabulary: the tokens, if the sources have none, as for `still`. Sources with the same tokens in another order
            are reordered like the first.
        steps: the step of each of several sources. By default, those of paths are read from their names, and those in
            memory are 0, 1, 2, ...
        tensor: the name of the matrix, if a source has several.
        columns: a table about the tokens (CSV, TSV, parquet); one of its columns colours the map.
        colour: the column to use; the first by default.
        landmarks: which tokens of a large vocabulary the maps lay out, as for `still`; by norm, that of the last checkpoint.
        maps: whether to lay out the maps of all steps jointly before returning, in a separate process.
        progress: called with the share done and a description.

    Raises:
        InputError: a source cannot be used, or two do not match; the run is removed.
        FileExistsError: `folder` is not empty.
        ReprojectionFailedError: the run exists, but its maps could not be made.
        ImportError: maps are wanted, and only `lamplighter-watch` is installed.
    """
    # Checked before reading anything.
    lay_out = _import_map_maker() if maps else None
    run, _ = record_series(
        folder,
        sources,
        vocabulary,
        steps=steps,
        tensor=tensor,
        columns=columns,
        colour=colour,
        landmarks=landmarks,
        progress=progress,
    )
    if lay_out is not None:
        lay_out(run.folder, progress or _ignore_progress)
    return run


def record_series(
    folder: str | os.PathLike[str],
    sources: str | os.PathLike[str] | Iterable[Any] | Mapping[Any, Any],
    vocabulary: GivenVocabulary | None = None,
    *,
    steps: Iterable[SupportsIndex] | None = None,
    tensor: str | None = None,
    columns: str | os.PathLike[str] | None = None,
    colour: str | None = None,
    landmarks: str | os.PathLike[str] | None = None,
    progress: SeriesProgress | None = None,
    origin: str | None = None,
    unread: Mapping[int, str] | None = None,
    tell: Callable[[str], None] | None = None,
) -> tuple[Run, HistoryReport]:
    """Create a finished run without maps, as `series` does; return it with what a check of its history found.

    `origin`: where the checkpoints are from, for the run's message; `unread`: why others cannot be read, by
    step; `tell`: as for `still`. Raises as `series`.
    """
    report = progress or _ignore_progress
    opener = TableOpener(tensor, vocabulary)
    checkpoints = collect_checkpoints(sources, steps)
    aside = _of_another_shape(checkpoints, opener)
    numbers = [checkpoint.step for checkpoint in checkpoints if checkpoint.step not in aside]
    first = _find(next(one for one in checkpoints if one.step == numbers[0]), vocabulary, tensor, None)
    shown, about = coloured(first, columns, colour)
    path = run_path(folder)
    name = name_source(Path(sources)) if isinstance(sources, str | os.PathLike) else Path(folder).name
    check = HistoryCheck()
    for step, why in (unread or {}).items():
        check.add_unreadable(step, why)
    with StateRecording(path, name, shown.vocabulary, numbers, first.vectors) as recording:
        tell_size(recording, tell)
        fitted: RowSource = first.vectors
        for at, checkpoint in enumerate(checkpoints):
            step = checkpoint.step
            report(at / len(checkpoints), f"step {step:,}")
            if step in aside:
                opened = opener.open(checkpoint.source)
                check.add_table(step, opened.shape, opened.blocks)
                if tell is not None:
                    tell(f"step {step:,} is left out: {aside[step]}")
                continue
            is_first = step == numbers[0]
            found = (
                first if is_first else _find(checkpoint, vocabulary, tensor or first.tensor, first.vocabulary)
            )
            fitted = _fitted(found, first, step, numbers[0])
            recording.add_state(fitted)
            check.add_matrix(step, fitted)
            check.add_tokens(step, found.vocabulary.tokens)
        about += f"; left out, of another shape: {len(aside)}" if aside else ""
        chosen = choose_given_landmarks(shown.vocabulary, fitted, landmarks)
        recording.set_landmarks(chosen.ids)
        checked = check.report()
        recording.finish(
            f"{_describe_steps(numbers)}: {first.description}{told_origin(origin)}{about}"
            f"{chosen.description}",
            {HISTORY_FACT: checked.as_fact()},
        )
    report(1, "recorded")
    return Run(path), checked


def _of_another_shape(checkpoints: list[Checkpoint], opener: TableOpener) -> dict[int, str]:
    """Return the steps whose matrix has another shape than most (in a tie, than the first), each with the
    reason. Raises InputError if no two have the same."""
    shapes = {step: opener.peek_shape(source) for step, source in checkpoints}
    counted = Counter(shape for shape in shapes.values() if shape is not None)
    if len(counted) < 2:
        return {}
    usual, count = counted.most_common(1)[0]
    told = f"{count} of {len(shapes)} checkpoints have {_told_shape(usual)}"
    aside = {
        step: f"its matrix is {_told_shape(shape)}, and {told}"
        for step, shape in shapes.items()
        if shape not in (None, usual)
    }
    if len(shapes) - len(aside) < 2:
        step, why = next(iter(aside.items()))
        raise InputError(f"step {step:,}: {why}: a series needs two of one shape")
    return aside


def _told_shape(shape: tuple[int, ...]) -> str:
    return " x ".join(f"{n:,}" for n in shape)


def _import_map_maker() -> Callable[[Path, SeriesProgress], object]:
    with require_whole_application("series with maps (maps=False is without)"):
        from lamplighter.processes.child_job import reproject_in_child
    return reproject_in_child


def _ignore_progress(_share: float, _what: str) -> None:
    pass


def _describe_steps(numbers: list[int]) -> str:
    if len(numbers) > _MAX_NAMED:
        return f"{len(numbers)} checkpoints, from step {numbers[0]:,} to {numbers[-1]:,}"
    return f"checkpoints of steps {', '.join(map(str, numbers[:-1]))} and {numbers[-1]}"


def _find(
    checkpoint: Checkpoint, vocabulary: Any, tensor: str | None, known: Vocabulary | None
) -> FoundEmbedding:
    try:
        return find_embedding(checkpoint.source, vocabulary, tensor, known=known)
    except InputError as error:
        raise InputError(f"step {checkpoint.step}: {error}") from error


def _fitted(found: FoundEmbedding, first: FoundEmbedding, step: int, first_step: int) -> RowSource:
    """Return the matrix of a later checkpoint, with rows in the order of the first one's tokens."""
    if found.vectors.shape != first.vectors.shape:
        shapes = [_told_shape(one.vectors.shape) for one in (found, first)]
        raise InputError(f"step {step} has a matrix of {shapes[0]}, and step {first_step} one of {shapes[1]}")
    tokens, wanted = found.vocabulary.tokens, first.vocabulary.tokens
    if tokens == wanted:
        return found.vectors
    row_of = {token: row for row, token in enumerate(tokens)}
    missing = next((token for token in wanted if token not in row_of), None)
    if missing is not None or len(row_of) != len(tokens):
        what = "some tokens twice" if missing is None else f"no token {missing[:80]!r}"
        raise InputError(f"step {step} has {what}, unlike step {first_step}: a series needs one vocabulary")
    return ReorderedRows(found.vectors, np.array([row_of[token] for token in wanted]))
