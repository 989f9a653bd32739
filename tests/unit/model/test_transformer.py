"""The transformer: its shapes, what a position sees, and its parameters."""

from __future__ import annotations

import pytest
import torch

from lamplighter.contract.recipe import ModelRecipe
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
