"""Loops whose model is saved, copied, traced, compiled or sent to other processes while it is watched."""

from __future__ import annotations

import copy
import io
import os
import pickle
import warnings
from collections.abc import Iterator
from typing import Any

import torch
import torch.multiprocessing
from torch import Tensor, fx, nn
from torch.optim.swa_utils import AveragedModel
from torch.utils.data import DataLoader, TensorDataset
from torch.utils.flop_counter import FlopCounterMode

from tests.unit.client.watching.guests.guest import Visit, guest, whole
from tests.unit.client.watching.guests.models import Scripted, Tiny, V, batch, cross_entropy, sgd, train


def train_scripted(visit: Visit, model: Scripted, optimizer: torch.optim.Optimizer, steps: int) -> None:
    """Train a model that returns logits alone."""
    for _ in range(steps):
        ids = batch()
        loss = cross_entropy(model(ids), ids)
        visit.note(loss)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()


def saved(model: Any) -> bytes:
    """Return what `torch.save` writes."""
    file = io.BytesIO()
    torch.save(model, file)
    return file.getvalue()


@guest(whole(4), saves=True)
def a_model_saved_whole(visit: Visit) -> None:
    model = Tiny()
    optimizer = torch.optim.AdamW(model.parameters())
    visit.begin(model)
    train(visit, model, optimizer, 2)
    visit.save("model.pt", saved(model))
    visit.save("checkpoint.pt", saved({"model": model.state_dict(), "optimizer": optimizer}))
    visit.save("pickled", pickle.dumps(model))
    visit.save("copied", pickle.dumps(copy.deepcopy(model)))
    train(visit, model, optimizer, 2)
    visit.save("model-2.pt", saved(model))
    visit.note_model(model)


@guest(whole(4, says="no loss"), saves=True)
def torchscript(visit: Visit) -> None:
    model = Scripted()
    optimizer = sgd(model)
    visit.begin(model)
    train_scripted(visit, model, optimizer, 2)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        script: Any = torch.jit.script(model)
        traced: Any = torch.jit.trace(model, batch())
    for name, made in (("script.jit", script), ("traced.jit", traced)):
        ids = batch()
        visit.note(made(ids), torch.equal(made(ids), model(ids)))
        file = io.BytesIO()
        torch.jit.save(made, file)
        visit.save(name, file.getvalue())
    train_scripted(visit, model, optimizer, 2)
    visit.note_model(model)


@guest(whole(4, says="no loss"))
def a_symbolic_trace(visit: Visit) -> None:
    model = Scripted()
    optimizer = sgd(model)
    visit.begin(model)
    train_scripted(visit, model, optimizer, 2)
    traced = fx.symbolic_trace(model)
    visit.note(str(traced.graph), traced(batch()))
    train_scripted(visit, model, optimizer, 2)
    visit.note_model(model)


@guest(whole(4, says="no loss"), tour=True)
def an_exported_program(visit: Visit) -> None:
    model = Scripted()
    optimizer = sgd(model)
    visit.begin(model)
    train_scripted(visit, model, optimizer, 2)
    program = torch.export.export(model, (batch(),))
    visit.note(str(program.graph), program.module()(batch()))
    train_scripted(visit, model, optimizer, 2)
    visit.note_model(model)


@guest(whole(4))
def an_average_of_the_weights(visit: Visit) -> None:
    model = Tiny()
    optimizer = sgd(model)
    visit.begin(model)
    averaged = AveragedModel(model, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(0.9))
    for _ in range(4):
        train(visit, model, optimizer, 1)
        averaged.update_parameters(model)
        ids = batch()
        visit.note(averaged(ids, ids)[1])
    visit.note_model(averaged)


@guest(whole(4))
def a_copy_that_is_trained_too(visit: Visit) -> None:
    model = Tiny()
    optimizer = sgd(model)
    visit.begin(model)
    train(visit, model, optimizer, 1)
    student = copy.deepcopy(model)
    train(visit, student, sgd(student), 2)
    train(visit, model, optimizer, 3)
    visit.note_model(model)
    visit.note_model(student)


@guest(whole(4))
def a_model_that_is_looked_at(visit: Visit) -> None:
    model = Tiny()
    visit.begin(model)
    train(visit, model, sgd(model), 4)
    visit.note(repr(model), list(model.state_dict()), sorted(vars(model)), sorted(vars(model.wte)))
    for one in model.modules():
        visit.note(len(one._forward_hooks), len(one._forward_pre_hooks), len(one._backward_hooks))
    visit.note_model(model)


@guest(whole(4))
def every_call_of_a_module_counted(visit: Visit) -> None:
    model = Tiny()
    seen: list[str] = []
    hook = nn.modules.module.register_module_forward_hook(
        lambda module, args, output: seen.append(type(module).__name__)
    )
    try:
        visit.begin(model)
        with FlopCounterMode(display=False) as flops:
            train(visit, model, sgd(model), 4)
        visit.note(seen, flops.get_total_flops())
    finally:
        hook.remove()
    visit.note_model(model)


def compiled(visit: Visit, *, watched_first: bool) -> None:
    model = Tiny()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Of dynamo itself.
        torch._dynamo.reset()
        try:
            if watched_first:
                visit.begin(model)
            whole: Any = torch.compile(model, backend="aot_eager")
            if not watched_first:
                visit.begin(whole)
            train(visit, whole, sgd(model), 4)
        finally:
            torch._dynamo.reset()
    visit.note_model(model)


@guest(whole(4))
def compiled_before_it_was_watched(visit: Visit) -> None:
    compiled(visit, watched_first=False)


@guest(whole(4), tour=True)
def compiled_after_it_was_watched(visit: Visit) -> None:
    compiled(visit, watched_first=True)


@guest(whole(2), whole(4), tour=True)
def compiled_beside_another_model(visit: Visit) -> None:
    other = Tiny()
    visit.begin(other)
    train(visit, other, sgd(other), 2)
    compiled(visit, watched_first=False)


@guest(whole(4), tour=True)
def compiled_in_place(visit: Visit) -> None:
    model = Tiny()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch._dynamo.reset()
        try:
            visit.begin(model)
            model.compile(backend="aot_eager")
            train(visit, model, sgd(model), 4)
        finally:
            torch._dynamo.reset()
    visit.note_model(model)


@guest(whole(4))
def batches_of_worker_processes(visit: Visit) -> None:
    model = Tiny()
    visit.begin(model)
    optimizer = sgd(model)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # Python's, of threads in a process that forks.
        for (ids,) in DataLoader(TensorDataset(torch.randint(0, V, (8, 5))), batch_size=2, num_workers=2):
            loss = model(ids, ids)[1]
            visit.note(loss)
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()
    visit.note_model(model)


def forked(model: Tiny) -> Iterator[int]:
    """Yield the exit status of a child that trains a copy of the model for a step."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        status = 1
        try:
            ids = batch()
            model(ids, ids)[1].backward()
            sgd(model).step()
            status = 0
        finally:
            os._exit(status)
    yield os.waitpid(child, 0)[1]


@guest(whole(4))
def forks_between_steps(visit: Visit) -> None:
    model = Tiny()
    visit.begin(model)
    optimizer = sgd(model)
    for _ in range(4):
        train(visit, model, optimizer, 1)
        visit.note(*forked(model))
    visit.note_model(model)


def train_a_copy(model: Tiny, results: Any) -> None:
    """Train a copy of a model that came from another process."""
    torch.manual_seed(1)
    notes, student = Visit(None), copy.deepcopy(model)
    train(notes, student, sgd(student), 2)
    results.put(notes.notes)


def spawned(visit: Visit, model: Tiny) -> None:
    visit.begin(model)
    optimizer = sgd(model)
    train(visit, model, optimizer, 2)
    context: Any = torch.multiprocessing.get_context("spawn")
    results = context.Queue()
    child = context.Process(target=train_a_copy, args=(model, results))
    child.start()
    visit.note(results.get(timeout=60))
    child.join()
    visit.note(child.exitcode)
    train(visit, model, optimizer, 2)
    visit.note_model(model)


@guest(whole(4), tour=True)
def a_model_sent_to_a_spawned_process(visit: Visit) -> None:
    spawned(visit, Tiny())


@guest(whole(4), tour=True)
def a_model_shared_with_a_spawned_process(visit: Visit) -> None:
    spawned(visit, Tiny().share_memory())


class Pair(nn.Module):
    """Two models in one."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = Tiny(), Tiny()

    def forward(self, ids: Tensor) -> tuple[Tensor, Tensor]:
        losses = [one(ids, ids)[1] for one in (self.first, self.second)]
        return losses[0], sum(losses)  # pyright: ignore[reportReturnType]


@guest(whole(4))
def a_part_of_a_larger_model(visit: Visit) -> None:
    pair = Pair()
    visit.begin(pair.second)
    train(visit, lambda ids, _: pair(ids), sgd(pair), 4)
    visit.note_model(pair)
