from __future__ import annotations

import pytest
import torch

from lamplighter.model.transformer import Transformer
from lamplighter.recipe import ModelRecipe

SHAPE = ModelRecipe(dim=16, layers=2, heads=4, context=8)


def test_no_position_sees_what_follows_it():
    torch.manual_seed(0)
    model = Transformer(SHAPE, 50, sparse=False)
    ids = torch.randint(0, 50, (3, 8))
    changed = ids.clone()
    changed[:, 5:] = (changed[:, 5:] + 1) % 50
    before, after = model.logits(ids), model.logits(changed)
    assert torch.equal(before[:, :5], after[:, :5])
    assert not torch.allclose(before[:, 5:], after[:, 5:])


def test_an_untrained_model_knows_nothing():
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
