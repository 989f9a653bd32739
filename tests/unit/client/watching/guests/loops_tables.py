"""Loops whose embedding is not an `nn.Embedding` that stays as it is."""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrizations, parametrize, prune
from torch.testing._internal.two_tensor import TwoTensor

from tests.unit.client.watching.guests.guest import Visit, ends, guest, refused, whole
from tests.unit.client.watching.guests.models import D, Tiny, V, batch, cross_entropy, sgd, train


def train_whole(visit: Visit, model: Any, optimizer: torch.optim.Optimizer | None = None) -> None:
    """Watch a model for four steps."""
    visit.begin(model)
    train(visit, model, optimizer or sgd(model), 4)
    visit.note_model(model)


@guest(ends("replaced", steps=2))
def a_table_that_grows(visit: Visit) -> None:
    model = Tiny()
    visit.begin(model)
    train(visit, model, sgd(model), 2)
    model.wte.weight = nn.Parameter(torch.cat([model.wte.weight.data, torch.randn(6, D)]))
    optimizer = sgd(model)
    for _ in range(3):
        ids = torch.randint(0, V + 6, (2, 5))
        loss = cross_entropy(model.logits(ids), ids % V)
        visit.note(loss)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    visit.note_model(model)


@guest(ends("replaced", steps=2))
def a_module_in_place_of_the_embedding(visit: Visit) -> None:
    model = Tiny()
    visit.begin(model)
    train(visit, model, sgd(model), 2)
    model.wte = nn.Embedding(V + 6, D)
    train(visit, model, sgd(model), 3)
    visit.note_model(model)


@guest(ends("replaced", steps=2))
def weights_assigned_from_a_state(visit: Visit) -> None:
    model = Tiny()
    visit.begin(model)
    train(visit, model, sgd(model), 2)
    model.load_state_dict(copy.deepcopy(model.state_dict()), assign=True)
    train(visit, model, sgd(model), 3)
    visit.note_model(model)


@guest(whole(4))
def rolled_back_to_a_state(visit: Visit) -> None:
    model = Tiny()
    optimizer = sgd(model)
    visit.begin(model)
    before = copy.deepcopy(model.state_dict())
    train(visit, model, optimizer, 2)
    model.load_state_dict(before)
    train(visit, model, optimizer, 2)
    visit.note_model(model)


@guest(whole(4))
def sparse_gradients(visit: Visit) -> None:
    model = Tiny(table=nn.Embedding(V, D, sparse=True))
    visit.begin(model)
    dense = [one for one in model.parameters() if one is not model.wte.weight]
    optimizers = [torch.optim.SparseAdam([model.wte.weight], lr=0.01), torch.optim.AdamW(dense)]
    for _ in range(4):
        ids = batch()
        loss = model(ids, ids)[1]
        visit.note(loss)
        loss.backward()
        for optimizer in optimizers:
            optimizer.step()
            optimizer.zero_grad()
    visit.note_model(model)


@guest(refused("frozen"))
def a_frozen_table(visit: Visit) -> None:
    model = Tiny()
    model.wte.weight.requires_grad_(False)
    train_whole(visit, model)


@guest(whole(4))
def frozen_after_two_steps(visit: Visit) -> None:
    model = Tiny()
    optimizer = sgd(model)
    visit.begin(model)
    train(visit, model, optimizer, 2)
    model.wte.weight.requires_grad_(False)
    train(visit, model, optimizer, 2)
    visit.note_model(model)


@guest(refused("parametrization"))
def weight_norm(visit: Visit) -> None:
    model = Tiny()
    parametrizations.weight_norm(model.wte)
    train_whole(visit, model)


@guest(refused("computed from others"))
def a_pruned_table(visit: Visit) -> None:
    model = Tiny()
    prune.random_unstructured(model.wte, "weight", amount=0.3)
    train_whole(visit, model)


@guest(ends("replaced", steps=2))
def parametrized_after_two_steps(visit: Visit) -> None:
    class Doubled(nn.Module):
        def forward(self, weight: Tensor) -> Tensor:
            return 2 * weight

    model = Tiny()
    visit.begin(model)
    optimizer = sgd(model)
    train(visit, model, optimizer, 2)
    parametrize.register_parametrization(model.wte, "weight", Doubled())
    train(visit, model, optimizer, 2)
    visit.note_model(model)


class Tagged(Tensor):
    """A tensor with a name of its own for its kind."""


@guest(whole(4))
def weights_of_a_subclass(visit: Visit) -> None:
    model = Tiny()
    model.wte.weight = nn.Parameter(torch.randn(V, D).as_subclass(Tagged))
    assert isinstance(model.wte.weight, Tagged)
    train_whole(visit, model)


@guest(refused("without being recorded.*numpy"))
def weights_that_wrap_two_others(visit: Visit) -> None:
    model = Tiny()
    model.wte.weight = nn.Parameter(TwoTensor(torch.randn(V, D), torch.randn(V, D)))
    visit.begin(model)
    optimizer = sgd(model)
    for _ in range(3):
        ids = batch()
        loss = model(ids, ids)[1]
        visit.note(loss.a.detach())
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    visit.note(model.wte.weight.a.detach())


@guest(whole(4))
def tied_weights(visit: Visit) -> None:
    model = Tiny(tied=True)
    train_whole(visit, model, torch.optim.AdamW(model.parameters()))


@guest(whole(4))
def bfloat16(visit: Visit) -> None:
    train_whole(visit, Tiny().bfloat16())


@guest(whole(4))
def half(visit: Visit) -> None:
    train_whole(visit, Tiny().half())


@guest(whole(4))
def double(visit: Visit) -> None:
    train_whole(visit, Tiny().double())


@guest(whole(4))
def converted_after_it_was_watched(visit: Visit) -> None:
    model = Tiny()
    visit.begin(model)
    train(visit, model, sgd(model), 2)
    model.bfloat16()
    train(visit, model, sgd(model), 2)
    visit.note_model(model)


@guest(whole(4))
def rows_normalised_after_the_step(visit: Visit) -> None:
    model = Tiny()
    optimizer = sgd(model)
    visit.begin(model)
    for _ in range(4):
        train(visit, model, optimizer, 1)
        with torch.no_grad():
            model.wte.weight.div_(model.wte.weight.norm(dim=1, keepdim=True))
    visit.note_model(model)


@guest(ends("replaced"))
def cut_into_parts_afterwards(visit: Visit) -> None:
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.tensor.parallel import RowwiseParallel, parallelize_module

    class Whole(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.wte = nn.Embedding(V, D)

        def forward(self, ids: Tensor) -> Tensor:
            return self.wte(ids).sum()

    torch.distributed.init_process_group("gloo", store=torch.distributed.HashStore(), rank=0, world_size=1)
    try:
        model = Whole()
        visit.begin(model)
        model = parallelize_module(model, init_device_mesh("cpu", (1,)), {"wte": RowwiseParallel()})
        optimizer = sgd(model)
        for _ in range(3):
            loss = model(batch())
            visit.note(getattr(loss, "to_local", lambda loss=loss: loss)())
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()
        weight: Any = model.wte.weight
        visit.note(weight.full_tensor())
    finally:
        torch.distributed.destroy_process_group()


@guest(whole(4))
def in_ddp_of_one_process(visit: Visit) -> None:
    torch.distributed.init_process_group("gloo", store=torch.distributed.HashStore(), rank=0, world_size=1)
    try:
        model = Tiny()
        visit.begin(model)
        train(visit, nn.parallel.DistributedDataParallel(model), sgd(model), 4)
        visit.note_model(model)
    finally:
        torch.distributed.destroy_process_group()


@guest(whole(4), whole(4))
def two_tables_and_two_watchers(visit: Visit) -> None:
    class SkipGram(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.center = nn.Embedding(V, D, sparse=True)
            self.context = nn.Embedding(V, D, sparse=True)

        def forward(self, ids: Tensor, others: Tensor) -> tuple[None, Tensor]:
            return None, -nn.functional.logsigmoid((self.center(ids) * self.context(others)).sum(-1)).mean()

    model = SkipGram()
    visit.begin(model, embedding="center")
    visit.begin(model, embedding=model.context)
    train(visit, model, torch.optim.SparseAdam(list(model.parameters())), 4)
    visit.note_model(model)
