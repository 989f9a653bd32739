"""The split of a model between processes, as one process computes it: the parts, their sums, and how far they round."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from lamplighter.contract.recipe import ModelRecipe, Recipe
from lamplighter.model.learner import build_learner, keys_of_rows, learner_of_state, read_state
from lamplighter.model.observer import Observation, Observer
from lamplighter.model.recomputing import train_step_in_parts
from lamplighter.model.split.row_split import RowSplit, add_rows
from lamplighter.model.step import train_step
from lamplighter.model.transformer import Block, Transformer

SHAPE = ModelRecipe(dim=16, layers=2, heads=4, context=8)


def test_positions_do_not_attend_to_later_ones():
    torch.manual_seed(0)
    model = Transformer(SHAPE, 50, sparse=False)
    ids = torch.randint(0, 50, (3, 8))
    changed = ids.clone()
    changed[:, 5:] = (changed[:, 5:] + 1) % 50
    before, after = model.logits(ids), model.logits(changed)
    assert torch.equal(before[:, :5], after[:, :5])
    assert not torch.allclose(before[:, 5:], after[:, 5:])


def test_an_untrained_model_predicts_uniformly():
    torch.manual_seed(0)
    model = Transformer(SHAPE, 50, sparse=True)
    ids = torch.randint(0, 50, (64, 9))
    loss = model(ids[:, :-1], ids[:, 1:])
    assert loss.item() == pytest.approx(torch.log(torch.tensor(50.0)).item(), abs=0.05)


def test_tied_weights_are_one_matrix_and_cannot_be_sparse():
    tied = Transformer(SHAPE.model_copy(update={"tied": True}), 50, sparse=False)
    assert tied.unembedding.weight is tied.embedding.weight
    untied = Transformer(SHAPE, 50, sparse=False)
    saved = sum(p.numel() for p in untied.parameters()) - sum(p.numel() for p in tied.parameters())
    assert saved == 50 * 16
    with pytest.raises(ValueError, match="lazily"):
        Transformer(SHAPE.model_copy(update={"tied": True}), 50, sparse=True)


@pytest.mark.parametrize("tied", [False, True])
def test_layers_hold_every_parameter_once(tied: bool):
    model = Transformer(SHAPE.model_copy(update={"tied": tied}), 50, sparse=False)
    listed = [id(p) for group in model.layers().values() for p in group]
    assert sorted(listed) == sorted(id(p) for p in model.parameters())


def test_attention_weights_match_the_model():
    torch.manual_seed(0)
    model = Transformer(SHAPE, 50, sparse=False)
    ids = torch.randint(0, 50, (3, 8))
    with torch.no_grad():
        for parameter in model.parameters():
            # At the start all shares are nearly equal, which would hide a wrong scale.
            parameter.mul_(8)
        shares, stream = model.attention_weights(ids), model.residual_stream(ids)
        assert len(shares) == SHAPE.layers
        for block, weights, x in zip(model.blocks, shares, stream, strict=False):
            assert isinstance(block, Block)
            assert weights.shape == (3, 4, 8, 8)
            assert torch.equal(weights, weights.tril())
            read = block.attention_norm(x)
            values = block.attention.queries_keys_values(read)[:, :, 32:].view(3, 8, 4, 4).transpose(1, 2)
            mixed = block.attention.project((weights @ values).transpose(1, 2).reshape(3, 8, 16))
            torch.testing.assert_close(mixed, block.attention(read), rtol=1e-4, atol=1e-5)
    assert shares[1].std() > 0.05


@pytest.mark.parametrize("tied", [False, True])
def test_another_embedding_shares_all_other_weights(tied: bool):
    model = Transformer(SHAPE.model_copy(update={"tied": tied}), 50, sparse=False)
    before = model.embedding.weight.detach().clone()
    other = model.with_embedding(torch.zeros(50, 16))
    assert torch.equal(model.embedding.weight, before)
    assert not other.embedding.weight.any()
    assert (other.unembedding.weight is other.embedding.weight) == tied
    lent = {name: parameter for name, parameter in other.named_parameters() if name != "embedding.weight"}
    assert all(parameter is model.get_parameter(name) for name, parameter in lent.items())
    assert len(lent) == len(list(model.parameters())) - 1


VOCABULARY = 50
RECIPE = Recipe.model_validate(
    {"model": {"dim": 16, "layers": 1, "heads": 2, "context": 8}, "sequences": 7, "passages": 1, "seed": 3}
)


def observe(
    parts: int, steps: int, dtype: torch.dtype = torch.float32, **optimiser: object
) -> list[Observation]:
    """Train on the same random batches, in one part or in several."""
    recipe = Recipe.model_validate(RECIPE.model_dump() | {"optimiser": optimiser})
    learner = build_learner(recipe, VOCABULARY, torch.device("cpu"))
    learner.model.to(dtype)
    observer, seen = Observer(learner, verify_every=1), list[Observation]()
    random = np.random.default_rng(0)
    for step in range(1, steps + 1):
        window = random.integers(0, VOCABULARY // 2, (7, 9))
        ids, targets = torch.from_numpy(window[:, :-1]), torch.from_numpy(window[:, 1:])
        result = (
            train_step(learner, ids, targets)
            if parts == 1
            else train_step_in_parts(learner, ids, targets, parts)
        )
        seen.append(observer.observe(step, window[:, :-1], result))
    return seen


@pytest.mark.parametrize(("things", "processes"), [(3, 3), (7, 3), (50_257, 64), (10, 1)])
def test_a_split_is_even_and_leaves_none_without(things: int, processes: int):
    split = RowSplit.evenly(things, processes)
    assert sum(split.sizes) == things
    assert min(split.sizes) >= 1
    assert max(split.sizes) - min(split.sizes) <= 1
    assert [offset for offset, _ in split.owners()] == [split.of(rank).start for rank in range(processes)]


def test_more_processes_than_things_are_refused():
    with pytest.raises(ValueError, match="2 cannot be split between 3"):
        RowSplit.evenly(2, 3)


def test_gradients_of_a_row_are_added_in_the_order_of_the_processes():
    # In float32 these three give 1 or 0, by the order.
    values = [torch.tensor([[value]]) for value in (1e8, -1e8, 1.0)]
    row = [torch.tensor([4])] * 3
    assert add_rows(row, values, 6).to_dense()[4].item() == 1
    assert add_rows(row, [values[2], values[0], values[1]], 6).to_dense()[4].item() == 0
    assert add_rows(
        [torch.tensor([4, 1]), torch.empty(0, dtype=torch.int64)], [torch.ones(2, 1), torch.empty(0, 1)], 6
    ).indices().tolist() == [[1, 4]]


@pytest.mark.parametrize("kind", ["lazy", "sgd"])
@pytest.mark.parametrize("parts", [2, 3])
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-6), (torch.float64, 1e-13)])
def test_parts_give_the_record_of_a_whole_but_for_rounding(
    kind: str, parts: int, dtype: torch.dtype, tolerance: float
):
    whole, split = observe(1, 20, dtype, kind=kind), observe(parts, 20, dtype, kind=kind)
    for one, other in zip(whole, split, strict=True):
        for name in ("batch_ids", "batch_counts", "gradient_ids", "moved_ids"):
            assert np.array_equal(getattr(one, name), getattr(other, name)), (one.step, name)
        # The record keeps a loss in single precision.
        assert other.loss == pytest.approx(one.loss, rel=1e-6)
        for name in ("layer_norms", "gradient_norms"):
            np.testing.assert_allclose(getattr(other, name), getattr(one, name), rtol=tolerance)


def test_a_state_makes_a_learner_that_goes_on_the_same():
    learner = build_learner(RECIPE, VOCABULARY, torch.device("cpu"))
    ids = torch.arange(56).reshape(7, 8) % VOCABULARY
    train_step(learner, ids, ids.roll(1))
    state = read_state(learner)
    assert {key.split(".")[-1] for key in keys_of_rows(learner)} == {"weight", "exp_avg", "exp_avg_sq"}
    copied = {name: tensor.clone() for name, tensor in state.tensors.items()}
    other = learner_of_state(RECIPE, VOCABULARY, type(state)(copied, state.numbers))
    for one in (learner, other):
        train_step(one, ids, ids.roll(2))
    assert all(
        torch.equal(read_state(other).tensors[name], tensor)
        for name, tensor in read_state(learner).tensors.items()
    )
