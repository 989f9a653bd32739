"""A model is built and trained without torch's compiler, whose import takes longer than the first steps."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from lamplighter.contract.recipe import ModelRecipe, OptimiserRecipe
from lamplighter.model.checkpoint import KEPT_CHECKPOINTS, list_checkpoints, load_checkpoint, save_checkpoint
from lamplighter.model.learner import Learner, make_learner
from lamplighter.model.observer import Observer
from lamplighter.model.step import clip_gradients, train_step
from lamplighter.model.transformer import Transformer
from tests.support.checkpoints import make


def step(learner: Learner, observer: Observer, number: int) -> bytes:
    ids = torch.randint(0, 40, (4, 9), generator=torch.Generator().manual_seed(number))
    result = train_step(learner, ids[:, :-1], ids[:, 1:])
    return observer.observe(number, ids[:, :-1].numpy(), result).digest()


@pytest.mark.parametrize(("kind", "tied"), [("lazy", False), ("adam", False), ("adam", True), ("sgd", False)])
def test_training_continues_bit_for_bit_from_a_checkpoint(tmp_path: Path, kind: str, tied: bool):
    learner, observer = make(kind, tied)
    for number in range(1, 6):
        step(learner, observer, number)
    save_checkpoint(tmp_path, 5, 1, learner, observer, {"learning_rate": 0.25})
    follow = [step(learner, observer, number) for number in range(6, 10)]

    again, watching = make(kind, tied)
    state = load_checkpoint(list_checkpoints(tmp_path)[-1], again, watching)
    assert state == {"learning_rate": 0.25}
    assert [step(again, watching, number) for number in range(6, 10)] == follow
    assert watching.touches.tolist() == observer.touches.tolist()


def test_a_checkpoint_of_step_0_restarts_training(tmp_path: Path):
    learner, observer = make("lazy")
    save_checkpoint(tmp_path, 0, 1, learner, observer, {})
    first = [step(learner, observer, number) for number in range(1, 4)]
    load_checkpoint(list_checkpoints(tmp_path)[0], learner, observer)
    assert [step(learner, observer, number) for number in range(1, 4)] == first


def test_keeps_only_the_last_checkpoints(tmp_path: Path):
    learner, observer = make("lazy")
    for number in range(1, 6):
        save_checkpoint(tmp_path, number, 1, learner, observer, {})
    assert [file.step for file in list_checkpoints(tmp_path)] == [5 - KEPT_CHECKPOINTS + 1, 5]
    assert len(list(tmp_path.iterdir())) == KEPT_CHECKPOINTS
    save_checkpoint(tmp_path, 6, 1, learner, observer, {}, kept=None)
    assert [file.step for file in list_checkpoints(tmp_path)] == [4, 5, 6]


def test_rejects_damaged_and_foreign_checkpoints_by_name(tmp_path: Path):
    learner, observer = make("lazy")
    save_checkpoint(tmp_path, 1, 1, learner, observer, {})
    file = list_checkpoints(tmp_path)[0]
    with pytest.raises(ValueError, match="0000000001-0001"):
        load_checkpoint(file, *make("lazy", dim=8))
    file.path.write_bytes(file.path.read_bytes()[:200])
    with pytest.raises(ValueError, match="not a checkpoint of this model"):
        load_checkpoint(file, learner, observer)


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
