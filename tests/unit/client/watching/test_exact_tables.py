"""Tables of other kinds, and what else moves them: ids, gradients, moved rows and distances equal what the loop noted."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

import lamplighter
from tests.unit.client.watching.small_model import TOKENS, D, OwnRecord, SmallModel, V, batch, compared


def sgd(model: nn.Module) -> torch.optim.Optimizer:
    return torch.optim.SGD(model.parameters(), lr=0.1)


def train(own: OwnRecord, model: Any, optimizer: torch.optim.Optimizer, steps: int = 3) -> None:
    for _ in range(steps):
        ids = batch()
        loss = model(ids, ids)[1]
        loss.backward()
        own.note_gradient()
        optimizer.step()
        optimizer.zero_grad()
        own.note_step([ids], loss.item())


@pytest.mark.parametrize("precision", [torch.bfloat16, torch.float16, torch.float64], ids=str)
def test_other_precisions(watched: Any, precision: torch.dtype):
    model = SmallModel().to(precision)
    with compared(watched, model) as own:
        train(own, model, torch.optim.AdamW(model.parameters(), lr=1e-2))


def test_a_state_that_is_loaded_again(watched: Any):
    model = SmallModel()
    optimizer = sgd(model)
    before = copy.deepcopy(model.state_dict())
    with compared(watched, model) as own:
        train(own, model, optimizer)
        model.load_state_dict(before)
        train(own, model, optimizer)


def test_a_loss_that_is_not_a_number(watched: Any):
    model = SmallModel()
    optimizer = sgd(model)
    with compared(watched, model) as own:
        train(own, model, optimizer)
        with torch.no_grad():
            model.mid.bias.fill_(torch.nan)
        train(own, model, optimizer)


def test_rows_normalised_after_each_step_move_in_the_next(watched: Any):
    model = SmallModel()
    optimizer = sgd(model)
    with compared(watched, model) as own:
        for _ in range(4):
            train(own, model, optimizer, 1)
            with torch.no_grad():
                model.wte.weight.div_(model.wte.weight.norm(dim=1, keepdim=True))


def test_a_table_that_is_frozen_later(watched: Any):
    model = SmallModel(tied=False)
    optimizer = sgd(model)
    watcher = watched(model)
    own = OwnRecord(model.wte.weight)
    for step in range(4):
        if step == 2:
            model.wte.weight.requires_grad_(False)
        ids = batch()
        loss: Any = model(ids, ids)[1]
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        own.note_step([ids], loss.item())
    watcher.close()
    own.assert_equals(watcher.folder)
    pulses = list(lamplighter.open(watcher.folder).steps())
    assert [pulse.gradient_known for pulse in pulses] == [True, True, False, False]
    assert [len(pulse.moved_ids) for pulse in pulses[2:]] == [0, 0]


def test_a_table_that_the_optimiser_gets_later(watched: Any):
    model = SmallModel(tied=False)
    optimizer = torch.optim.SGD(model.mid.parameters(), lr=0.1)
    with compared(watched, model) as own:
        for step in range(5):
            if step == 2:
                optimizer.add_param_group({"params": [model.wte.weight]})
                model.zero_grad()
            ids = batch()
            loss: Any = model(ids, ids)[1]
            loss.backward()
            if step >= 2:
                own.note_gradient()
            optimizer.step()
            optimizer.zero_grad()
            if step >= 2:
                own.note_step([ids], loss.item())


def test_a_padded_table_of_many_rows(watched: Any):
    class Wide(SmallModel):
        def forward(self, ids: Tensor, targets: Any = None) -> Any:
            return None, self.mid(self.wte(ids)).square().mean()

    model = Wide(tied=False)
    model.wte = nn.Embedding(50_304, D)
    tokens = [f"token {number}" for number in range(50_257)]
    with compared(watched, model, tokens=tokens) as own:
        train(own, model, torch.optim.AdamW([*model.wte.parameters(), *model.mid.parameters()]))


def test_rows_of_bounded_length_move_as_they_are_read(watched: Any):
    model = SmallModel(tied=False)
    model.wte = nn.Embedding(V, D, max_norm=0.5)
    with compared(watched, model) as own:
        train(own, model, sgd(model))


def test_a_transposed_weight(watched: Any):
    model = SmallModel(tied=False)
    model.wte.weight = nn.Parameter(torch.randn(D, V).t())
    with compared(watched, model) as own:
        train(own, model, sgd(model))


def test_one_weight_in_two_tables(watched: Any):
    class Translator(SmallModel):
        def __init__(self) -> None:
            super().__init__(tied=False)
            self.target = nn.Embedding(V, D)
            self.target.weight = self.wte.weight

        def forward(self, ids: Tensor, targets: Any = None) -> Any:
            hidden = self.wte(ids[:1]) + self.target(ids[1:])
            return None, self.mid(hidden).square().mean()

    model = Translator()
    with compared(watched, model) as own:
        train(own, model, sgd(model))


class OwnHead(nn.Module):
    """An output layer of the model's own, called with hidden states."""

    def __init__(self, weight: nn.Parameter) -> None:
        super().__init__()
        self.weight = weight

    def forward(self, hidden: Tensor) -> Tensor:
        return hidden @ self.weight.T


def test_an_output_layer_that_shares_the_weight_reads_no_rows(watched: Any):
    model = SmallModel(tied=False)
    model.head = OwnHead(model.wte.weight)  # pyright: ignore[reportAttributeAccessIssue]
    with compared(watched, model) as own:
        train(own, model, sgd(model))


class SkipGram(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.center, self.context = nn.Embedding(V, D, sparse=True), nn.Embedding(V, D, sparse=True)

    def forward(self, ids: Tensor, others: Tensor) -> dict[str, Tensor]:
        scores = (self.center(ids) * self.context(others)).sum(-1)
        return {"loss": -functional.logsigmoid(scores).mean()}


def test_two_tables_of_one_model(watched: Any, tmp_path: Any):
    model = SkipGram()
    optimizer = torch.optim.SparseAdam(list(model.parameters()), lr=0.01)
    with (
        compared(watched, model, model.center.weight, embedding="center") as of_centers,
        lamplighter.watch(model, TOKENS, tmp_path / "context", embedding=model.context, on_error="raise"),
    ):
        of_contexts = OwnRecord(model.context.weight)
        for _ in range(4):
            ids, others = batch(1), batch(1)
            loss = model(ids, others)["loss"]
            loss.backward()
            of_centers.note_gradient()
            of_contexts.note_gradient()
            optimizer.step()
            optimizer.zero_grad()
            of_centers.note_step([ids], loss.item())
            of_contexts.note_step([others], loss.item())
    of_contexts.assert_equals(tmp_path / "context")
    assert lamplighter.open(tmp_path / "context").snapshot_steps().tolist() == list(range(5))


@pytest.mark.parametrize(
    ("options", "keyword"),
    [({}, False), ({"mode": "sum", "sparse": True, "padding_idx": 0}, True)],
    ids=["offsets", "sparse, padding, weights, by keyword"],
)
def test_bags(watched: Any, options: dict[str, Any], keyword: bool):
    class Bags(SmallModel):
        def forward(self, ids: Tensor, targets: Any = None) -> Any:
            offsets = torch.tensor([0, 3])
            if keyword:
                flat = ids.flatten()
                found = self.wte(input=flat, offsets=offsets, per_sample_weights=torch.rand(len(flat)))
            else:
                found = self.wte(ids.flatten(), offsets)
            return None, self.mid(found).square().mean()

    model = Bags(tied=False)
    model.wte = nn.EmbeddingBag(V, D, **options)  # pyright: ignore[reportAttributeAccessIssue]
    with compared(watched, model) as own:
        train(own, model, torch.optim.SGD(model.wte.parameters(), lr=0.1), 4)


class Negative(nn.Embedding):
    """A table for which -1 is no token."""

    def forward(self, input: Tensor) -> Tensor:
        return super().forward(input.clamp(min=0)) * (input >= 0).unsqueeze(-1)


@pytest.mark.parametrize("kind", ["negative", "bytes", "32 bits"])
def test_ids_of_other_kinds(watched: Any, kind: str):
    class Converting(SmallModel):
        def forward(self, ids: Tensor, targets: Any = None) -> Any:
            given = torch.where(ids < 5, -1, ids) if kind == "negative" else ids
            given = given.to(torch.uint8 if kind == "bytes" else torch.int32)
            return None, self.mid(self.wte(given.int() if kind == "bytes" else given)).square().mean()

    model = Converting(tied=False)
    if kind == "negative":
        model.wte = Negative(V, D)
    with compared(watched, model) as own:
        for _ in range(3):
            ids = batch()
            loss: Any = model(ids)[1]
            loss.backward()
            own.note_gradient()
            sgd(model).step()
            model.zero_grad()
            own.note_step([ids[ids >= 5] if kind == "negative" else ids], loss.item())


def test_an_encoder_and_a_decoder(watched: Any, tmp_path: Any):
    class Translator(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.src, self.tgt = nn.Embedding(30, D), nn.Embedding(V, D)
            self.body = nn.Transformer(D, 2, 1, 1, 16, dropout=0.0, batch_first=True)

        def forward(self, src: Tensor, tgt: Tensor) -> dict[str, Tensor]:
            logits = self.body(self.src(src), self.tgt(tgt[:, :-1])) @ self.tgt.weight.T
            return {"loss": functional.cross_entropy(logits.flatten(0, 1), tgt[:, 1:].flatten())}

    torch.manual_seed(0)
    model = Translator()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    with (
        compared(watched, model, model.tgt.weight) as of_targets,
        lamplighter.watch(model, None, tmp_path / "src", embedding="src", on_error="raise"),
    ):
        of_sources = OwnRecord(model.src.weight)
        for _ in range(3):
            src, tgt = torch.randint(0, 30, (2, 4)), batch()
            loss = model(src, tgt)["loss"]
            loss.backward()
            of_sources.note_gradient()
            of_targets.note_gradient()
            optimizer.step()
            optimizer.zero_grad()
            of_sources.note_step([src], loss.item())
            of_targets.note_step([tgt[:, :-1]], loss.item())
    of_sources.assert_equals(tmp_path / "src")


def test_masked_targets(watched: Any):
    model = SmallModel()
    optimizer = sgd(model)
    with compared(watched, model) as own:
        for _ in range(3):
            ids = batch()
            masked = torch.where(torch.rand(ids.shape) < 0.5, V - 1, ids)
            targets = torch.where(masked == ids, -100, ids)
            targets[0, 0] = ids[0, 0]
            loss: Any = model(masked, targets)[1]
            loss.backward()
            own.note_gradient()
            optimizer.step()
            optimizer.zero_grad()
            own.note_step([masked], loss.item())
    assert np.isfinite(own.losses).all()
