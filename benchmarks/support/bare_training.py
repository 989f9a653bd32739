"""A recipe trained in this process: its steps and nothing beside them."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from lamplighter.contract.recipe import Recipe
from lamplighter.corpora.corpus import Corpus
from lamplighter.model.batch_reader import BatchReader
from lamplighter.model.learner import Learner, build_learner
from lamplighter.model.step import train_step


def train(recipe: Recipe, corpus: Corpus) -> Iterator[tuple[int, Learner]]:
    """Yield the step and the learner, from step 0 on without end; the learner is changed in place by the next step.

    The numbers are those of a run of the recipe, bit for bit.
    """
    torch.set_num_threads(recipe.threads)
    device = torch.device("cpu")
    learner = build_learner(recipe, len(corpus.vocabulary), device)
    batches = BatchReader(recipe, corpus.token_ids, device)
    step = 0
    while True:
        yield step, learner
        step += 1
        _, ids, targets = batches.batch(step)
        train_step(learner, ids, targets)
