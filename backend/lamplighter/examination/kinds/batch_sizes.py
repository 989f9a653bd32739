"""The kind *batch sizes*: how many rows of the embedding a batch reads, from small batches to those of large models.

A batch touches few rows because it is small: with a few hundred tokens most of the city sleeps, with a hundred thousand
nearly all of it is awake.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lamplighter.examination.examined_model import Answer, ExaminedModel, ReportProgress
from lamplighter.examination.readings import rounded
from lamplighter.model.batches import batch_positions
from lamplighter.questions import BatchSizesQuestion
from lamplighter.recipe import Recipe

SIZES = (512, 2_048, 8_192, 32_768, 131_072)
"""Tokens of the batches."""


def examine(model: ExaminedModel, question: BatchSizesQuestion, report: ReportProgress) -> Answer:
    """Return the distinct rows in batches of several sizes: the run's batches after a step, joined in order.

    Returns:
        `sizes`: for each its `tokens`, `rows` (the distinct tokens in it), `share` (of all rows), and `alone`: the share
        that is to be expected if every token were drawn by itself, as often as the text has it. Text keeps to its topic,
        so a small batch reads fewer rows than that. `vocabulary`: V. `corpus_tokens`: the length of the text, from which a
        batch that is longer reads passages more than once. `batch_tokens`: the size of the run's own batches.
    """
    recipe, text = model.run.recipe, model.run.token_ids
    size = len(model.run.vocabulary)
    probabilities = np.bincount(text, minlength=size) / len(text)
    seen = np.zeros(size, dtype=bool)
    sizes, read, step = [], 0, question.step
    rest = np.empty(0, dtype=np.int64)
    for number, tokens in enumerate(SIZES):
        report(number / len(SIZES), f"joining batches of {tokens:,} tokens")
        while read < tokens:
            if not len(rest):
                step += 1
                rest = _batch(recipe, text, step)
            taken, rest = rest[: tokens - read], rest[tokens - read :]
            seen[taken] = True
            read += len(taken)
        rows = int(seen.sum())
        alone = float((1 - (1 - probabilities) ** tokens).sum()) / size
        sizes.append({"tokens": tokens, "rows": rows, "share": rounded(rows / size), "alone": rounded(alone)})
    return {
        "sizes": sizes,
        "vocabulary": size,
        "corpus_tokens": len(text),
        "batch_tokens": recipe.batch_tokens,
    }


def _batch(recipe: Recipe, text: NDArray[np.uint32], step: int) -> NDArray[np.int64]:
    """Return the tokens that a step reads, in their order."""
    return text[batch_positions(recipe, len(text), step)[:, :-1]].astype(np.int64).reshape(-1)
