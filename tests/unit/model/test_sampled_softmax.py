"""A sampled softmax beside the whole one."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from lamplighter.contract.recipe import ModelRecipe, Recipe
from lamplighter.model.learner import Learner, build_learner
from lamplighter.model.sampled_softmax import NegativeSampler
from lamplighter.model.step import train_step

V, CPU = 400, torch.device("cpu")
COUNTS = np.concatenate((1_000 // np.arange(1, V - 19), np.zeros(20, np.int64)))


def learner(kind: str = "lazy", negatives: int = 40) -> Learner:
    recipe = Recipe.model_validate(
        {"model": {"dim": 16, "heads": 2, "context": 8, "negatives": negatives}, "optimiser": {"kind": kind}}
    )
    return build_learner(recipe, V, CPU, COUNTS)


def batch(seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    ids = torch.randint(60, (4, 9), generator=torch.Generator().manual_seed(seed))
    return ids[:, :-1], ids[:, 1:]


def test_the_sum_is_unbiased_and_its_logarithm_too_small() -> None:
    it, (ids, targets) = learner(), batch()
    with torch.no_grad():
        # Logits that differ by more than those of an untrained model.
        it.model.unembedding.weight *= 20
        sums = torch.stack(
            [
                torch.stack([loss.exp(), loss])
                for seed in range(300)
                for loss in it.model.sampled_losses(
                    ids, NegativeSampler(COUNTS, 40, seed).draw(ids, targets)
                )[1:]
            ]
        ).double()
        exact = it.model.losses(ids, targets)[1].double()
    error = sums.std(0) / len(sums) ** 0.5
    # The exponential of a token's loss is the sum over that of its own logit.
    assert (((sums[:, 0].mean(0) - exact.exp()) / error[0]).abs() < 5).all()
    below = (exact - sums[:, 1].mean(0)) / error[1]
    assert below.mean() > 4


def test_each_target_counts_once_and_draws_of_it_not_at_all() -> None:
    ids, targets = batch()
    found = NegativeSampler(COUNTS, 200, 0).draw(ids, targets)
    flat = targets.flatten()
    assert len(found.rows) == len(flat) + 200
    assert torch.equal(found.rows[found.columns], flat)
    counted = found.rows[found.offsets > -torch.inf]
    of_targets = torch.isin(counted, flat)
    assert sorted(counted[of_targets].tolist()) == flat.unique().tolist()
    assert (found.offsets[found.columns] == 0).all()


def test_a_batch_has_the_same_draws_whenever_it_is_computed() -> None:
    rows = [
        NegativeSampler(COUNTS, 40, seed).draw(*batch(one)).rows
        for seed, one in ((3, 1), (3, 1), (3, 2), (4, 1))
    ]
    assert torch.equal(rows[0], rows[1])
    assert not torch.equal(rows[0], rows[2])
    assert not torch.equal(rows[0], rows[3])


@pytest.mark.parametrize("kind", ["lazy", "sgd"])
def test_only_rows_that_were_read_move(kind: str) -> None:
    it, (ids, targets) = learner(kind), batch()
    before = {name: one.detach().clone() for name, one in it.model.named_parameters()}
    train_step(it, ids, targets)
    moved = {
        name: (before[name] != one.detach()).any(dim=1).nonzero().flatten().tolist()
        for name, one in it.model.named_parameters()
        if name in {"embedding.weight", "unembedding.weight"}
    }
    assert it.negatives is not None
    read = it.negatives.draw(ids, targets)
    assert moved["embedding.weight"] == ids.unique().tolist()
    assert moved["unembedding.weight"] == read.rows[read.offsets > -torch.inf].unique().tolist()


@pytest.mark.parametrize("kind", ["lazy", "adam", "sgd"])
def test_training_on_estimates_lowers_the_whole_loss(kind: str) -> None:
    it = learner(kind)
    it.set_learning_rate(0.3 if kind == "sgd" else 1e-2)
    with torch.no_grad():
        first = it.model(*batch())
    for _ in range(30):
        train_step(it, *batch())
    with torch.no_grad():
        assert it.model(*batch()) < first - 0.5


def test_needs_the_counts_of_the_text_only_to_train() -> None:
    it = build_learner(Recipe(model=ModelRecipe(negatives=4)), 30, CPU)
    ids = torch.arange(24).reshape(2, 12)
    assert it.model(ids, ids).isfinite()
    with pytest.raises(ValueError, match="counts"):
        train_step(it, ids, ids)


def test_tied_weights_are_refused() -> None:
    with pytest.raises(ValidationError, match="negatives: with tied weights"):
        ModelRecipe(tied=True, negatives=4)
