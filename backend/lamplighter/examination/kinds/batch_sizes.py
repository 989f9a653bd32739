"""The kind *batch sizes*: how many embedding rows a batch reads, from small batches to those of large models."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lamplighter.contract.answers import BatchSizesAnswer
from lamplighter.contract.answers.reading import BatchSize
from lamplighter.contract.questions import BatchSizesQuestion
from lamplighter.contract.recipe import Recipe
from lamplighter.contract.sentences import say
from lamplighter.examination.examined_model import ExaminedModel, ReportProgress
from lamplighter.examination.readings import round_known
from lamplighter.model.batches import batch_positions

SIZES = (512, 2_048, 8_192, 32_768, 131_072)
"""Batch sizes in tokens."""


def examine(model: ExaminedModel, question: BatchSizesQuestion, report: ReportProgress) -> BatchSizesAnswer:
    """Return the distinct rows in batches of several sizes: the run's batches after a step, concatenated. A
    text keeps to its topics, so a small batch reads fewer rows than independently drawn tokens would.
    """
    recipe, text = model.run.recipe, model.run.token_ids
    size = len(model.run.vocabulary)
    probabilities = np.bincount(text, minlength=size) / len(text)
    seen = np.zeros(size, dtype=bool)
    sizes: list[BatchSize] = []
    read, step = 0, question.step
    rest = np.empty(0, dtype=np.int64)
    for number, tokens in enumerate(SIZES):
        report(number / len(SIZES), say("joining_batches", tokens=tokens))
        while read < tokens:
            if not len(rest):
                step += 1
                rest = _batch(recipe, text, step)
            taken, rest = rest[: tokens - read], rest[tokens - read :]
            seen[taken] = True
            read += len(taken)
        rows = int(seen.sum())
        alone = float((1 - (1 - probabilities) ** tokens).sum()) / size
        shares = {"share": round_known(rows / size), "alone": round_known(alone)}
        sizes.append(BatchSize(tokens=tokens, rows=rows, **shares))
    return BatchSizesAnswer(
        kind="batch_sizes",
        **model.facts(question),
        sizes=sizes,
        vocabulary=size,
        corpus_tokens=len(text),
        batch_tokens=recipe.batch_tokens,
    )


def _batch(recipe: Recipe, text: NDArray[np.uint32], step: int) -> NDArray[np.int64]:
    return text[batch_positions(recipe, len(text), step)[:, :-1]].astype(np.int64).reshape(-1)
