"""A checkpoint of a small model."""

from __future__ import annotations

import torch

from lamplighter.contract.recipe import ModelRecipe, OptimiserRecipe
from lamplighter.model.learner import Learner, make_learner
from lamplighter.model.observer import Observer
from lamplighter.model.transformer import Transformer


def make(kind: str, tied: bool = False, dim: int = 16) -> tuple[Learner, Observer]:
    torch.manual_seed(0)
    shape = ModelRecipe(dim=dim, layers=1, heads=2, context=8, tied=tied)
    model = Transformer(shape, 40, sparse=kind != "adam" and not tied)
    learner = make_learner(model, OptimiserRecipe.model_validate({"kind": kind}))
    return learner, Observer(learner, 1)
