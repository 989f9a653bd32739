"""The histories that the command records: two of models in training, one made up because of its size."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.moving.history_file import MovingHistory, find_moved, require_room
from benchmarks.support.bare_training import train
from benchmarks.support.map_space import made_up_clusters, move_rows
from lamplighter.contract.recipe import Recipe
from lamplighter.corpora.build import build_corpus


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
    for step, learner in train(recipe, corpus):
        if step >= first and (step - first) % every == 0:
            vectors[(step - first) // every] = learner.model.embedding.weight.detach().numpy()
        if step == steps[-1]:
            break
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
