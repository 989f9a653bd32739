"""Matrices that are no weight of an `nn.Embedding`: parameters by themselves, and the output layer's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

import lamplighter
from tests.unit.client.watching.small_model import TOKENS, D, OwnRecord, SmallModel, V, batch, compared


class Looked(nn.Module):
    """A module that reads a parameter of its own by index, as TransformerLens has it."""

    def __init__(self) -> None:
        super().__init__()
        self.W_E = nn.Parameter(torch.randn(V, D))

    def forward(self, ids: Tensor) -> Tensor:
        return self.W_E[ids]


class WithParts(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embed = Looked()
        self.unembed = nn.Linear(D, V)

    def forward(self, ids: Tensor) -> dict[str, Tensor]:
        logits = self.unembed(self.embed(ids))
        return {"loss": functional.cross_entropy(logits.flatten(0, 1), ids.flatten())}


class Alone(Looked):
    """A model with the parameter in itself."""

    def forward(self, ids: Tensor) -> Any:
        return {"loss": self.W_E[ids].square().mean()}


def train(model: nn.Module, own: OwnRecord) -> None:
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.01)
    for _ in range(3):
        ids = batch()
        loss = model(ids)["loss"]
        loss.backward()
        own.note_gradient()
        optimizer.step()
        optimizer.zero_grad()
        own.note_step([ids], loss.item())


@pytest.mark.parametrize("chosen", ["embed", "embed.W_E", "module", "parameter"])
def test_a_parameter_that_is_read_by_index(watched: Any, chosen: str):
    model = WithParts()
    embedding = {"module": model.embed, "parameter": model.embed.W_E}.get(chosen, chosen)
    with compared(watched, model, model.embed.W_E, embedding=embedding) as own:
        train(model, own)


def test_a_parameter_of_the_model_itself(watched: Any):
    model = Alone()
    with compared(watched, model, model.W_E, embedding="W_E") as own:
        train(model, own)


def test_an_output_layer_has_gradients_and_moves_and_no_batch(watched: Any):
    model = SmallModel(tied=False)
    own = OwnRecord(model.head.weight)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with watched(model, embedding="head") as watcher:
        for _ in range(3):
            ids = batch()
            loss = model(ids, ids)[1]
            assert loss is not None
            loss.backward()
            own.note_gradient()
            optimizer.step()
            optimizer.zero_grad()
            own.note_step([ids], loss.item())
    for pulse, norms, loss in zip(
        lamplighter.open(watcher.folder).steps(), own.norms, own.losses, strict=True
    ):
        assert not pulse.batch_known
        np.testing.assert_allclose(pulse.gradient_norms, norms, rtol=1e-5)
        assert pulse.loss == np.float32(loss)
        assert pulse.moved_known


def test_a_matrix_whose_columns_are_the_tokens_is_refused():
    model = SmallModel(tied=False)
    model.W_U = nn.Parameter(torch.randn(D, V))  # pyright: ignore[reportAttributeAccessIssue]
    with pytest.raises(lamplighter.InputError, match="its columns are the 40 tokens"):
        lamplighter.watch(model, TOKENS, embedding="W_U")
    with pytest.raises(lamplighter.InputError, match="not a parameter of the model"):
        lamplighter.watch(model, TOKENS, embedding=torch.ones(V, D))
