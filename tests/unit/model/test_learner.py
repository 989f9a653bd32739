"""A model is built and trained without torch's compiler, whose import takes longer than the first steps."""

from __future__ import annotations

import subprocess
import sys

BUILD = """
import sys, torch
from lamplighter.model.learner import build_learner
from lamplighter.model.step import train_step
from lamplighter.contract.recipe import ModelRecipe, OptimiserRecipe, Recipe
ids = torch.arange(24).reshape(2, 12)
for kind, negatives in (("lazy", None), ("adam", None), ("sgd", None), ("lazy", 9)):
    recipe = Recipe(model=ModelRecipe(negatives=negatives), optimiser=OptimiserRecipe(kind=kind))
    learner = build_learner(recipe, 30, torch.device("cpu"), torch.ones(30).numpy())
    before = [parameter.clone() for parameter in learner.model.parameters()]
    train_step(learner, ids, ids)
    [optimiser.load_state_dict(optimiser.state_dict()) for optimiser in learner.optimisers]
    moved = [not torch.equal(*pair) for pair in zip(before, learner.model.parameters())]
    print(any(moved), "torch._dynamo" in sys.modules)
"""


def test_trains_without_torchs_compiler() -> None:
    done = subprocess.run([sys.executable, "-c", BUILD], capture_output=True, text=True, check=True)
    assert done.stdout == "True False\n" * 4
