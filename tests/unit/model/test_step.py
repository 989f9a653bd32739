from __future__ import annotations

import pytest
import torch

from lamplighter.contract.recipe import ModelRecipe, OptimiserRecipe
from lamplighter.model.learner import Learner, make_learner
from lamplighter.model.step import clip_gradients, train_step
from lamplighter.model.transformer import Transformer

SHAPE = ModelRecipe(dim=16, layers=1, heads=2, context=8)


def learner(kind: str, seed: int = 0, **changes: float) -> Learner:
    torch.manual_seed(seed)
    model = Transformer(SHAPE, 60, sparse=kind != "adam")
    return make_learner(model, OptimiserRecipe.model_validate({"kind": kind, **changes}))


def batch(low: int, high: int, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    ids = torch.randint(low, high, (4, 9), generator=torch.Generator().manual_seed(seed))
    return ids[:, :-1], ids[:, 1:]


@pytest.mark.parametrize("kind", ["lazy", "adam", "sgd"])
def test_a_repeated_batch_has_a_lower_loss(kind: str):
    it = learner(kind, learning_rate=0.3 if kind == "sgd" else 3e-3)
    first = train_step(it, *batch(0, 60)).loss.item()
    for _ in range(30):
        last = train_step(it, *batch(0, 60)).loss.item()
    assert last < first - 0.3


@pytest.mark.parametrize(("kind", "sleepers_rest"), [("lazy", True), ("sgd", True), ("adam", False)])
def test_untouched_rows_move_only_by_momentum(kind: str, sleepers_rest: bool):
    it = learner(kind)
    train_step(it, *batch(0, 60))
    before = it.model.embedding.weight.detach().clone()
    train_step(it, *batch(0, 20))
    same = (before == it.model.embedding.weight.detach()).all(dim=1)
    assert bool(same[20:].all()) is sleepers_rest


def test_clips_sparse_and_dense_gradients_alike():
    norms: list[torch.Tensor] = []
    for sparse in (True, False):
        torch.manual_seed(3)
        model = Transformer(SHAPE, 60, sparse=sparse)
        model(*batch(0, 60)).backward()
        scale, _ = clip_gradients(model, 1e-3)
        gradient = model.embedding.weight.grad
        assert gradient is not None
        norms.append(torch.stack((scale, gradient.to_dense().norm())))
        total = torch.stack(
            [p.grad.to_dense().norm() for p in model.parameters() if p.grad is not None]
        ).norm()
        assert total.item() == pytest.approx(1e-3, rel=1e-3)
    assert torch.allclose(norms[0], norms[1], rtol=1e-4)


def test_does_not_clip_small_gradients():
    it = learner("lazy", clip_norm=1e6)
    assert train_step(it, *batch(0, 60)).clip_scale.item() == 1.0


def test_the_same_seed_gives_the_same_bits():
    one, two = learner("lazy", seed=5), learner("lazy", seed=5)
    for seed in range(5):
        assert torch.equal(
            train_step(one, *batch(0, 60, seed)).loss, train_step(two, *batch(0, 60, seed)).loss
        )
    for a, b in zip(one.model.parameters(), two.model.parameters(), strict=True):
        assert torch.equal(a, b)


def test_rejects_lazy_updates_of_a_dense_gradient():
    with pytest.raises(ValueError, match="sparse"):
        make_learner(Transformer(SHAPE, 60, sparse=False), OptimiserRecipe(kind="lazy"))
