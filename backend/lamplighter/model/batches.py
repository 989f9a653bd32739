"""The tokens that a step reads: a pure function of the recipe, the corpus length and the step number.

A batch comes from a few passages of consecutive text, not from a random position per sequence. A passage keeps to its
topic, so a batch lights a few neighbourhoods of the map, and people can read it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lamplighter.contract.recipe import Recipe
from lamplighter.corpora.corpus import CorpusError
from lamplighter.corpora.text_survey import count_enough_tokens

SAMPLE_TOKENS = 4_096
"""Predictions averaged in one loss on held-out text: always the same ones, evenly spread. They take 3 % of the time of
the hundred steps between two keyframes of the default recipe, and the standard error of their mean is 0.04 nats."""


def passage_tokens(recipe: Recipe) -> int:
    """Return the number of tokens in one passage, including the last target."""
    return recipe.sequences // recipe.passages * recipe.model.context + 1


def check_length(recipe: Recipe, corpus_tokens: int) -> None:
    """Check that a text is long enough for the recipe's batches. Raises CorpusError if the text is shorter
    than one passage.
    """
    length = passage_tokens(recipe)
    if corpus_tokens < length:
        raise CorpusError(
            f"the text has {corpus_tokens:,} tokens and a batch reads passages of {length:,}: "
            "bring a longer text, or use fewer sequences or a shorter context"
        )


def require_enough_text(recipe: Recipe, text: str) -> None:
    """Check that a text is long enough for a recipe, before a run is created. Raises CorpusError if the text
    is too short to learn from, or shorter than one passage.
    """
    check_length(recipe, count_enough_tokens(recipe.corpus, text, passage_tokens(recipe)))


def batch_positions(recipe: Recipe, corpus_tokens: int, step: int) -> NDArray[np.int64]:
    """Return the positions in the corpus that step `step` (from 1) reads, shape (sequences, context + 1):
    each row's last `context` positions are the targets of its first `context`. Raises CorpusError if the
    corpus is shorter than one passage.
    """
    return positions_after(sequence_starts(recipe, corpus_tokens, step), recipe.model.context)


def sequence_starts(recipe: Recipe, corpus_tokens: int, step: int) -> NDArray[np.int64]:
    """Return the position of the first token of each sequence that step `step` (from 1) reads, shape
    (sequences,). Raises CorpusError if the corpus is shorter than one passage.
    """
    check_length(recipe, corpus_tokens)
    random = np.random.default_rng([recipe.seed, recipe.batch_offset + step])
    unit = recipe.corpus.unit_tokens
    places = (corpus_tokens - passage_tokens(recipe)) // unit + 1
    passages = unit * random.integers(0, places, size=recipe.passages)
    offsets = np.arange(recipe.sequences // recipe.passages) * recipe.model.context
    return (passages[:, None] + offsets[None, :]).reshape(-1)


def positions_after(starts: NDArray[np.int64], context: int) -> NDArray[np.int64]:
    """Return the positions in each sequence, including the last target: shape (N, context + 1) for starts (N,)."""
    return starts[:, None] + np.arange(context + 1)[None, :]
