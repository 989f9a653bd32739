"""The observer's sets, against an independent computation from the gradient and the matrix."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from lamplighter.contract.recipe import ModelRecipe, OptimiserRecipe
from lamplighter.model import observer as observer_module
from lamplighter.model.learner import Learner, make_learner
from lamplighter.model.observer import Observation, Observer, count_distinct_rows
from lamplighter.model.step import train_step
from lamplighter.model.transformer import Transformer

V = 80
CASES = [("lazy", False), ("adam", False), ("sgd", False), ("adam", True), ("sgd", True)]


def make(kind: str, tied: bool, seed: int = 0) -> Learner:
    torch.manual_seed(seed)
    shape = ModelRecipe(dim=16, layers=2, heads=2, context=8, tied=tied)
    model = Transformer(shape, V, sparse=kind != "adam" and not tied)
    return make_learner(model, OptimiserRecipe.model_validate({"kind": kind, "learning_rate": 1e-2}))


def batches(count: int) -> list[torch.Tensor]:
    random = torch.Generator().manual_seed(4)
    return [torch.randint(i % 3 * 20, i % 3 * 20 + 30, (3, 9), generator=random) for i in range(count)]


def true_gradient(learner: Learner, ids: torch.Tensor) -> torch.Tensor:
    """Return the embedding's dense gradient before the step, from a copy of the model."""
    copy = Transformer(learner.model.shape, V, sparse=False)
    copy.load_state_dict(learner.model.state_dict())
    copy(ids[:, :-1], ids[:, 1:]).backward()
    gradient = copy.embedding.weight.grad
    assert gradient is not None
    return gradient


def watch(learner: Learner, observer: Observer, step: int, ids: torch.Tensor) -> Observation:
    result = train_step(learner, ids[:, :-1], ids[:, 1:])
    return observer.observe(step, ids[:, :-1].numpy(), result)


@pytest.mark.parametrize(("kind", "tied"), CASES)
def test_sets_match_the_tensors(kind: str, tied: bool):
    learner = make(kind, tied)
    observer = Observer(learner, verify_every=1)
    for step, ids in enumerate(batches(8), start=1):
        gradient = true_gradient(learner, ids)
        before = learner.model.embedding.weight.detach().clone()
        seen = watch(learner, observer, step, ids)
        change = learner.model.embedding.weight.detach() - before

        true_rows = torch.nonzero(gradient.norm(dim=1)).flatten().tolist()
        assert seen.gradient_ids.tolist() == true_rows
        np.testing.assert_allclose(seen.gradient_norms, gradient.norm(dim=1)[true_rows], rtol=2e-4)
        assert seen.moved_ids.tolist() == torch.nonzero(change.norm(dim=1)).flatten().tolist()
        np.testing.assert_allclose(
            seen.moved_distances, change.norm(dim=1)[seen.moved_ids.tolist()], rtol=1e-5
        )

        # The cheap way to the touched rows: the distinct ids when untied, every row when tied.
        cheap = count_distinct_rows(ids[:, :-1].numpy(), V)[0].tolist() if not tied else list(range(V))
        assert cheap == true_rows


@pytest.mark.parametrize(("kind", "tied"), CASES)
def test_sets_are_equal_only_for_lazy_updates(kind: str, tied: bool):
    learner = make(kind, tied)
    observer = Observer(learner, verify_every=1)
    for step, ids in enumerate(batches(4), start=1):
        seen = watch(learner, observer, step, ids)
    batch, gradient, moved = (a.tolist() for a in (seen.batch_ids, seen.gradient_ids, seen.moved_ids))
    assert (batch == gradient) is not tied
    assert (gradient == moved) is (kind == "sgd" or not (kind == "adam" and not tied))
    assert len(moved) > len(batch) or (kind != "adam" and not tied)


def test_loss_matches_the_step():
    learner = make("lazy", tied=False)
    learner.clip_norm = 0.5
    observer = Observer(learner, verify_every=1)
    ids = batches(1)[0]
    result = train_step(learner, ids[:, :-1], ids[:, 1:])
    assert (
        observer.observe(1, ids[:, :-1].numpy(), result).loss
        == float(result.loss)
        != float(result.clip_scale)
    )


@pytest.mark.parametrize("kind", ["lazy", "sgd", "adam"])
def test_a_row_with_a_gradient_may_stay(kind: str):
    learner = make(kind, tied=False)
    learner.set_learning_rate(0.0)
    seen = watch(learner, Observer(learner, verify_every=1), 1, batches(1)[0])
    assert len(seen.gradient_ids) > 0
    assert len(seen.moved_ids) == len(seen.moved_distances) == 0


@pytest.mark.parametrize(("moved", "kept"), [(V // 2, True), (V // 2 + 1, False)])
@pytest.mark.parametrize("kind", ["lazy", "adam"])
def test_keeps_vectors_of_at_most_half_the_rows(kind: str, moved: int, kept: bool):
    learner = make(kind, tied=False)
    learner.set_learning_rate(0.0)
    observer = Observer(learner, verify_every=1)
    with torch.no_grad():
        learner.model.embedding.weight[:moved] += 1
    seen = watch(learner, observer, 1, batches(1)[0])
    assert seen.moved_ids.tolist() == list(range(moved))
    assert (seen.moved_vectors is not None) is kept
    if seen.moved_vectors is not None:
        np.testing.assert_array_equal(
            seen.moved_vectors, learner.model.embedding.weight.detach().numpy()[:moved]
        )


def test_comparing_only_touched_rows_gives_the_same(monkeypatch: pytest.MonkeyPatch):
    whole = make("lazy", tied=False)
    all_seen = Observer(whole, verify_every=1)
    monkeypatch.setattr(observer_module, "SMALL", 0)
    partly = make("lazy", tied=False)
    some_seen = Observer(partly, verify_every=4)
    for step, ids in enumerate(batches(8), start=1):
        one, two = watch(whole, all_seen, step, ids), watch(partly, some_seen, step, ids)
        assert one.digest() == two.digest()
        assert one.verified
        assert two.verified is (step % 4 == 0)


@pytest.mark.parametrize("by", [1, -1])
@pytest.mark.parametrize("small", [False, True])
def test_full_comparison_finds_a_row_moved_outside_the_optimiser(
    monkeypatch: pytest.MonkeyPatch, by: int, small: bool
):
    if not small:
        monkeypatch.setattr(observer_module, "SMALL", V * 16 - 1)
    learner = make("lazy", tied=False)
    observer = Observer(learner, verify_every=3)
    for step, ids in enumerate(batches(3), start=1):
        with torch.no_grad():
            learner.model.embedding.weight[79] += by
        seen = watch(learner, observer, step, ids)
        # A small matrix is compared in full at every step.
        assert (79 in seen.moved_ids) is seen.verified is (small or step == 3)


def test_layer_norms_are_norms_before_clipping():
    learner = make("lazy", tied=False)
    learner.clip_norm = 1e-4
    observer = Observer(learner, verify_every=1)
    ids = batches(1)[0]
    copy = Transformer(learner.model.shape, V, sparse=False)
    copy.load_state_dict(learner.model.state_dict())
    copy(ids[:, :-1], ids[:, 1:]).backward()
    seen = watch(learner, observer, 1, ids)
    true = [
        torch.cat([p.grad.flatten() for p in group if p.grad is not None]).norm().item()
        for group in copy.layers().values()
    ]
    np.testing.assert_allclose(seen.layer_norms, true, rtol=2e-4)
    assert observer.layers == list(copy.layers())


def test_touches_and_last_lit_count_batches_not_words():
    learner = make("lazy", tied=False)
    observer = Observer(learner, verify_every=1)
    for step, ids in enumerate(batches(3), start=1):
        watch(learner, observer, step, ids * 0 + 5)
    assert observer.touches[5] == 3
    assert observer.last_lit[5] == 3
    assert observer.last_lit[6] == 0xFFFFFFFF


def test_detects_a_loss_that_is_not_finite():
    learner = make("lazy", tied=False)
    observer = Observer(learner, verify_every=1)
    with torch.no_grad():
        learner.model.unembedding.weight[0] = float("nan")
    assert not watch(learner, observer, 1, batches(1)[0]).is_finite


@pytest.mark.parametrize("name", ["loss", "layer_norms", "moved_distances"])
@pytest.mark.parametrize("number", [np.nan, np.inf])
def test_detects_a_single_value_that_is_not_finite(name: str, number: float):
    learner = make("lazy", tied=False)
    seen = watch(learner, Observer(learner, verify_every=1), 1, batches(1)[0])
    assert seen.is_finite
    assert len(seen.digest()) == 16
    broken = np.array(getattr(seen, name))
    broken[-1 if broken.shape else ()] = number
    spoilt = replace(seen, **{name: broken if broken.shape else float(broken)})
    assert not spoilt.is_finite
    assert spoilt.digest() != seen.digest()


def test_digests_differ_for_different_vectors():
    learner = make("lazy", tied=False)
    seen = watch(learner, Observer(learner, verify_every=1), 1, batches(1)[0])
    assert seen.moved_vectors is not None
    other = seen.moved_vectors.copy()
    other[-1, -1] = np.nextafter(other[-1, -1], np.float32(9))
    assert replace(seen, moved_vectors=other).digest() != seen.digest()
    assert replace(seen, moved_vectors=seen.moved_vectors.copy()).digest() == seen.digest()
