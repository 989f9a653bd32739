"""Histories of moving spaces: two of models in training, one made up because of its size; and their files.

A history is one `.npz` file, which numpy alone reads. Its arrays: `vectors`, float16, shape (T, V, D), T frames of V rows;
`moved`, bool, shape (T, V), the rows whose bits differ from the frame before, none in the first; `steps`, int64, shape (T,), the
training step of each frame; `about`, a line of text that says what the history is.
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.support.made_up import made_up_clusters, move_rows
from benchmarks.support.training import BareTraining
from lamplighter.contract.recipe import Recipe
from lamplighter.corpora.build import build_corpus
from living_map.rows import unit_rows

MAX_BYTES = 1 << 30
"""Maximum size of the arrays of one history."""
MIN_ROWS = 3
_ARRAYS = ("vectors", "moved", "steps", "about")


class HistoryError(ValueError):
    """A file that is not a history, or a history that is too large."""


@dataclass(frozen=True)
class MovingHistory:
    """A space that moves, frame by frame."""

    vectors: NDArray[np.float16]
    """Shape (T, V, D)."""
    moved: NDArray[np.bool_]
    """Shape (T, V)."""
    steps: NDArray[np.int64]
    """Shape (T,)."""
    about: str

    def units(self, frame: int) -> NDArray[np.float32]:
        """Return the rows of a frame at length one, shape (V, D).

        Words are compared by cosine. At length one every method sees the same neighbours, by whichever distance.
        """
        return unit_rows(self.vectors[frame].astype(np.float32))


def find_moved(vectors: NDArray[np.float16]) -> NDArray[np.bool_]:
    """Return which rows differ in any bit from the frame before, shape (T, V, D) to (T, V)."""
    bits = vectors.view(np.uint16)
    moved = np.zeros(vectors.shape[:2], dtype=np.bool_)
    for frame in range(1, len(vectors)):
        moved[frame] = (bits[frame] != bits[frame - 1]).any(axis=1)
    return moved


def require_room(frames: int, rows: int, dim: int) -> None:
    """Check the size of a history before anything of it is made.

    Raises:
        HistoryError: its arrays would take more than `MAX_BYTES`.
    """
    size = frames * rows * (2 * dim + 1)
    if size > MAX_BYTES:
        raise HistoryError(
            f"{frames:,} frames of {rows:,} x {dim:,} take {size:,} bytes, at most {MAX_BYTES:,} are allowed:"
            " take fewer frames"
        )


def write_history(path: Path, history: MovingHistory) -> None:
    """Write a history, whole or not at all."""
    part = path.with_name(f"{path.name}.part")
    with part.open("wb") as file:
        # Uncompressed: the bits of a trained matrix hardly shrink.
        np.savez(
            file,
            vectors=history.vectors,
            moved=history.moved,
            steps=history.steps,
            about=np.array(history.about),
        )
    part.replace(path)


def read_history(path: Path) -> MovingHistory:
    """Read a history.

    Raises:
        HistoryError: the file cannot be read, or is no history; the message says why.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(entry.file_size for entry in archive.infolist())
        if size > MAX_BYTES + (1 << 20):
            raise HistoryError(f"{path}: {size:,} bytes, at most {MAX_BYTES:,} are read")
        with np.load(path, allow_pickle=False) as file:
            if missing := [name for name in _ARRAYS if name not in file.files]:
                raise HistoryError(f"{path}: it has no {missing[0]!r}: record it with this command")
            vectors, moved, steps, about = (file[name] for name in _ARRAYS)
    except OSError as error:
        raise HistoryError(f"{path} cannot be read: {error.strerror or error}") from error
    except (zipfile.BadZipFile, ValueError, EOFError) as error:
        if isinstance(error, HistoryError):
            raise
        raise HistoryError(f"{path} is no history: {error}") from error
    if vectors.dtype != np.float16 or vectors.ndim != 3 or len(vectors) < 2 or vectors.shape[1] < MIN_ROWS:
        raise HistoryError(
            f"{path}: vectors must be float16 of shape (time, token, dim), with at least 2 frames of {MIN_ROWS} rows,"
            f" not {vectors.dtype} {vectors.shape}"
        )
    if steps.shape != vectors.shape[:1] or not all(np.isfinite(frame).all() for frame in vectors):
        raise HistoryError(f"{path}: each frame needs a step, and every number must be finite")
    if moved.shape != vectors.shape[:2] or not np.array_equal(moved, find_moved(vectors)):
        raise HistoryError(f"{path}: moved does not name the rows that differ from the frame before")
    return MovingHistory(vectors, moved, steps.astype(np.int64), str(about))


def record_training(recipe: Recipe, about: str, *, first: int, every: int, frames: int) -> MovingHistory:
    """Train a model and record its embedding.

    Args:
        recipe: of a text that comes with the program.
        about: what the history is.
        first: the step of the first frame.
        every: steps between two frames.
        frames: their number.

    Raises:
        HistoryError: the history would be too large.
    """
    require_room(frames, recipe.corpus.vocabulary_size, recipe.model.dim)
    corpus = build_corpus(recipe.corpus, recipe.seed)
    steps = first + every * np.arange(frames)
    vectors = np.empty((frames, len(corpus.vocabulary), recipe.model.dim), dtype=np.float16)
    training = BareTraining(recipe, corpus.token_ids, corpus.vocabulary)
    for frame, step in enumerate(steps.tolist()):
        training.train(step - training.step)
        vectors[frame] = training.learner.model.embedding.weight.detach().numpy()
    return MovingHistory(vectors, find_moved(vectors), steps, about)


def make_up(size: int, dim: int, moves: int, frames: int, seed: int = 0) -> MovingHistory:
    """Make up clusters of about forty rows each, of which `moves` rows move from each frame to the next.

    Raises:
        HistoryError: the history would be too large.
    """
    require_room(frames, size, dim)
    rng = np.random.default_rng(seed)
    space = made_up_clusters(rng, size, dim)
    vectors = np.empty((frames, size, dim), dtype=np.float16)
    for frame in range(frames):
        if frame:
            move_rows(rng, space, moves)
        vectors[frame] = space
    about = f"Made-up clusters, {size:,} x {dim}, {moves:,} rows moved a frame, seed {seed}"
    return MovingHistory(vectors, find_moved(vectors), np.arange(frames), about)


def _train(corpus: dict[str, Any], name: str, first: int, frames: int, seed: int) -> MovingHistory:
    recipe = Recipe.model_validate({"corpus": corpus, "seed": seed, "device": "cpu"})
    about = f"{name}, the default recipe, seed {seed}, from step {first} on, every 3"
    return record_training(recipe, about, first=first, every=3, frames=frames)


_NOVELS = {"kind": "novels", "tokeniser": "bpe", "vocabulary_size": 8_000}

HISTORIES: dict[str, Callable[[int, int], MovingHistory]] = {
    "town": lambda frames, seed: _train({"kind": "lamptown"}, "Lamptown", 600, frames, seed),
    "text": lambda frames, seed: _train(_NOVELS, "Two novels, BPE with 8,000 tokens", 900, frames, seed),
    "large": lambda frames, seed: make_up(50_000, 256, 200, frames, seed),
}
"""Each history by its name, made with a number of frames and a seed."""
FRAMES = {"town": 61, "text": 31, "large": 9}
"""The frames of each, unless told otherwise."""
