"""Loops that go through their model in another way than once forwards and once back."""

from __future__ import annotations

import gc
import shutil
import threading
import weakref
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional

from tests.unit.client.watching.guests.guest import Visit, gone, guest, whole
from tests.unit.client.watching.guests.models import D, Tiny, V, batch, cross_entropy, sgd, train


def train_whole(visit: Visit, model: nn.Module) -> None:
    """Watch a model for four steps."""
    visit.begin(model)
    train(visit, model, sgd(model), 4)
    visit.note_model(model)


@guest(whole(4))
def backward_in_another_thread(visit: Visit) -> None:
    model = Tiny()
    visit.begin(model)
    optimizer = sgd(model)
    for _ in range(4):
        ids = batch()
        loss = model(ids, ids)[1]
        visit.note(loss)
        thread = threading.Thread(target=loss.backward)
        thread.start()
        thread.join()
        optimizer.step()
        optimizer.zero_grad()
    visit.note_model(model)


@guest(whole(4))
def embeddings_changed_in_place(visit: Visit) -> None:
    class InPlace(Tiny):
        def logits(self, ids: Tensor) -> Tensor:
            hidden = self.wte(ids)
            hidden += torch.arange(D) / 10
            hidden[:, 0] = 0
            return self.head(hidden.mul_(2).relu_())

    train_whole(visit, InPlace())


@guest(whole(4))
def one_token_at_a_time(visit: Visit) -> None:
    class Recurrent(Tiny):
        def logits(self, ids: Tensor) -> Tensor:
            state, found = torch.zeros(D), []
            for token in ids.flatten():
                state = torch.tanh(self.mid(self.wte(token) + state))
                found.append(self.head(state))
            return torch.stack(found)

    train_whole(visit, Recurrent())


@guest(whole(4, says="no loss"))
def two_passes_and_one_loss(visit: Visit) -> None:
    model = Tiny()
    visit.begin(model)
    optimizer = sgd(model)
    for _ in range(4):
        queries, answers = (model(batch())[0].mean(1) for _ in range(2))
        loss = functional.cross_entropy(queries @ answers.T, torch.arange(2))
        visit.note(loss)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    visit.note_model(model)


@guest(whole(4, says="2 losses"))
def adversarial_embeddings(visit: Visit) -> None:
    model = Tiny()
    visit.begin(model)
    optimizer = sgd(model)
    weight = model.wte.weight
    for _ in range(4):
        ids = batch()
        loss = model(ids, ids)[1]
        visit.note(loss)
        loss.backward()
        before = weight.data.clone()
        assert weight.grad is not None
        weight.data.add_(weight.grad / weight.grad.norm())
        model(ids, ids)[1].backward()
        weight.data = before
        optimizer.step()
        optimizer.zero_grad()
    visit.note_model(model)


@guest(whole(3))
def meta_learning(visit: Visit) -> None:
    model = Tiny()
    visit.begin(model)
    optimizer = sgd(model)
    for _ in range(3):
        ids = batch()
        parameters = dict(model.named_parameters())
        inner = model(ids, ids)[1]
        found = torch.autograd.grad(inner, list(parameters.values()), create_graph=True)
        fast = {name: one - 0.1 * g for (name, one), g in zip(parameters.items(), found, strict=True)}
        ids = batch()
        loss = functional_call(model, fast, (ids, ids))[1]
        visit.note(loss)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    visit.note_model(model)


@guest(whole(3))
def a_closure_that_raises_at_times(visit: Visit) -> None:
    model = Tiny()
    visit.begin(model)
    optimizer = sgd(model)
    for step in range(4):

        def closure(step: int = step) -> Tensor:
            optimizer.zero_grad()
            ids = batch()
            loss = model(ids, ids)[1]
            visit.note(loss)
            loss.backward()
            if step == 1:
                raise RuntimeError("not this one")
            return loss

        try:
            optimizer.step(closure)
        except RuntimeError as error:
            visit.note(str(error))
    visit.note_model(model)


@guest(whole(4))
def tensors_saved_elsewhere(visit: Visit) -> None:
    model = Tiny()
    visit.begin(model)
    with torch.autograd.graph.save_on_cpu():
        train(visit, model, sgd(model), 4)
    visit.note_model(model)


@guest(whole(3))
def a_model_that_is_dropped(visit: Visit) -> None:
    model = Tiny()
    visit.begin(model)
    train(visit, model, sgd(model), 3)
    dropped = weakref.ref(model)
    del model
    gc.collect()
    visit.note(dropped() is None)


@guest(gone("the end of .* could not be recorded"))
def a_record_that_is_deleted_meanwhile(visit: Visit) -> None:
    model = Tiny()
    watcher = visit.begin(model)
    optimizer = sgd(model)
    train(visit, model, optimizer, 2)
    if watcher.folder is not None:
        shutil.rmtree(watcher.folder)
    train(visit, model, optimizer, 4)
    visit.note_model(model)


@guest(whole(4))
def rows_of_bounded_length(visit: Visit) -> None:
    train_whole(visit, Tiny(table=nn.Embedding(V, D, max_norm=0.5, scale_grad_by_freq=True)))


@guest(whole(4))
def a_transposed_weight(visit: Visit) -> None:
    model = Tiny()
    model.wte.weight = nn.Parameter(torch.randn(D, V).t())
    train_whole(visit, model)


@guest(whole(4))
def data_put_in_place_of_data(visit: Visit) -> None:
    model = Tiny()
    optimizer = sgd(model)
    visit.begin(model)
    for _ in range(4):
        train(visit, model, optimizer, 1)
        model.wte.weight.data = model.wte.weight.data * 0.5
    visit.note_model(model)


@guest(whole(4))
def lazy_layers(visit: Visit) -> None:
    model = Tiny()
    model.mid = nn.LazyLinear(D)
    visit.begin(model)
    model(batch())
    train(visit, model, sgd(model), 4)
    visit.note_model(model)


@dataclass
class Found:
    """The output of a table that is more than a table."""

    vectors: Tensor
    mask: Tensor


@guest(whole(4))
def a_table_that_returns_more(visit: Visit) -> None:
    class More(nn.Embedding):
        def forward(self, input: Tensor) -> Any:
            return Found(super().forward(input), input == 0)

    class Unpacking(Tiny):
        def logits(self, ids: Tensor) -> Tensor:
            found = self.wte(ids)
            return self.head(found.vectors.masked_fill(found.mask.unsqueeze(-1), 0))

    train_whole(visit, Unpacking(table=More(V, D)))


@guest(whole(4))
def one_weight_in_two_tables(visit: Visit) -> None:
    class Translator(Tiny):
        def __init__(self) -> None:
            super().__init__()
            self.target = nn.Embedding(V, D)
            self.target.weight = self.wte.weight

        def forward(self, ids: Tensor, targets: Any = None) -> Any:
            logits = self.head(self.target(ids[:, :2]) + self.wte(ids[:, 2:4]))
            return logits, cross_entropy(logits, ids[:, :2])

    train_whole(visit, Translator())
