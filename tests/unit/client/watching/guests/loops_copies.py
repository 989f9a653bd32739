"""Loops whose model is saved, copied, traced, compiled or sent to other processes while it is watched."""

from __future__ import annotations

import copy
import io
import os
import pickle
import warnings
from collections.abc import Callable
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
import torch.multiprocessing
from torch import Tensor, fx, nn
from torch.optim.swa_utils import AveragedModel
from torch.utils.data import DataLoader, TensorDataset
from torch.utils.flop_counter import FlopCounterMode

from tests.unit.client.watching.guests.guest import Loop, Visit, a_guest, guest, whole
from tests.unit.client.watching.guests.models import Scripted, Tiny, V, adamw, batch, cross_entropy, sgd


def saved(model: Any) -> bytes:
    """Return what `torch.save` writes."""
    file = io.BytesIO()
    torch.save(model, file)
    return file.getvalue()


@a_guest(optimizer=adamw, saves=True)
def a_model_saved_whole(loop: Loop) -> None:
    model, visit = loop.model, loop.visit
    loop.train(2)
    visit.save("model.pt", saved(model))
    visit.save("checkpoint.pt", saved({"model": model.state_dict(), "optimizer": loop.optimizer}))
    visit.save("pickled", pickle.dumps(model))
    visit.save("copied", pickle.dumps(copy.deepcopy(model)))
    loop.train(2)
    visit.save("model-2.pt", saved(model))


def scripted(name: str, between: Callable[[Loop], None], **options: Any) -> None:
    """Add a loop around a model that returns logits alone, with something between its steps."""

    def body(loop: Loop) -> None:
        loop.call = lambda given, ids: cross_entropy(loop.model(given), ids)
        loop.train(2)
        between(loop)
        loop.train(2)

    guest(name, whole(says="no loss"), body=body, model=Scripted, **options)


def script(loop: Loop) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made: dict[str, Any] = {
            "script.jit": torch.jit.script(loop.model),
            "traced.jit": torch.jit.trace(loop.model, batch()),
        }
    for name, one in made.items():
        ids, file = batch(), io.BytesIO()
        loop.visit.note(one(ids), torch.equal(one(ids), loop.model(ids)))
        torch.jit.save(one, file)
        loop.visit.save(name, file.getvalue())


def trace(loop: Loop) -> None:
    traced = fx.symbolic_trace(loop.model)
    loop.visit.note(str(traced.graph), traced(batch()))


def export(loop: Loop) -> None:
    program = torch.export.export(loop.model, (batch(),))
    loop.visit.note(str(program.graph), program.module()(batch()))


scripted("TorchScript", script, saves=True)
scripted("a symbolic trace", trace)
scripted("an exported program", export, tour=True)


@a_guest()
def an_average_of_the_weights(loop: Loop) -> None:
    averaged = AveragedModel(loop.model, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(0.9))
    for _ in range(4):
        loop.train(1)
        averaged.update_parameters(loop.model)
        loop.visit.note(averaged(batch(), batch())[1])
    loop.visit.note_model(averaged)


@a_guest()
def a_copy_that_is_trained_too(loop: Loop) -> None:
    loop.train(1)
    student = Loop(loop.visit, copy.deepcopy(loop.model))
    student.optimizer = sgd(student.model)
    student.train(2)
    loop.train(3)
    loop.visit.note_model(student.model)


@a_guest()
def a_model_that_is_looked_at(loop: Loop) -> None:
    model, note = loop.model, loop.visit.note
    loop.train()
    note(repr(model), list(model.state_dict()), sorted(vars(model)), sorted(vars(model.wte)))
    for one in model.modules():
        note(len(one._forward_hooks), len(one._forward_pre_hooks), len(one._backward_hooks))


@a_guest(late=True)
def every_call_of_a_module_counted(loop: Loop) -> None:
    seen: list[str] = []
    hook = nn.modules.module.register_module_forward_hook(
        lambda module, args, output: seen.append(type(module).__name__)
    )
    try:
        loop.begin()
        with FlopCounterMode(display=False) as flops:
            loop.train()
        loop.visit.note(seen, flops.get_total_flops())
    finally:
        hook.remove()


@contextmanager
def compiling() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Of dynamo itself.
        torch._dynamo.reset()
        try:
            yield
        finally:
            torch._dynamo.reset()


def compiled(loop: Loop, how: str) -> None:
    """Train with two passes a step."""
    if how == "beside another model":
        other = Loop(loop.visit, Tiny())
        other.optimizer = sgd(other.model)
        other.begin()
        other.train(2)
    with compiling():
        made = loop.model if how == "in place" else torch.compile(loop.model, backend="aot_eager")
        loop.begin(loop.model if how in ("in place", "after it was watched") else made, loop.model.wte.weight)
        if how == "in place":
            loop.model.compile(backend="aot_eager")
        loop.call = lambda given, ids: made(given, ids)[1]
        for _ in range(4):
            for _ in range(2):
                (loop.loss() / 2).backward()
            loop.end()


for how in ("before it was watched", "after it was watched", "beside another model", "in place"):
    outcomes = (whole(2), whole()) if how == "beside another model" else (whole(),)
    tour = how != "before it was watched"
    guest(f"compiled {how}", *outcomes, body=partial(compiled, how=how), late=True, tour=tour)


@a_guest()
def batches_of_worker_processes(loop: Loop) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # Python's, of threads in a process that forks.
        for (ids,) in DataLoader(TensorDataset(torch.randint(0, V, (8, 5))), batch_size=2, num_workers=2):
            loop.loss(ids).backward()
            loop.end()


@a_guest()
def forks_between_steps(loop: Loop) -> None:
    """Fork a child after each step that trains its copy of the model for a step."""
    for _ in range(4):
        loop.train(1)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            child = os.fork()
        if child == 0:
            status = 1
            try:
                loop.model(batch(), batch())[1].backward()
                sgd(loop.model).step()
                status = 0
            finally:
                os._exit(status)
        loop.visit.note(os.waitpid(child, 0)[1])


def train_a_copy(model: Tiny, results: Any) -> None:
    """Train a copy of a model that came from another process."""
    torch.manual_seed(1)
    loop = Loop(Visit(None), copy.deepcopy(model))
    loop.optimizer = sgd(loop.model)
    loop.train(2)
    results.put(loop.visit.notes)


def spawned(loop: Loop) -> None:
    loop.train(2)
    context: Any = torch.multiprocessing.get_context("spawn")
    results = context.Queue()
    child = context.Process(target=train_a_copy, args=(loop.model, results))
    child.start()
    loop.visit.note(results.get(timeout=60))
    child.join()
    loop.visit.note(child.exitcode)
    loop.train(2)


guest("a model sent to a spawned process", body=spawned, tour=True)
guest("a model shared with a spawned process", body=spawned, model=lambda: Tiny().share_memory(), tour=True)


class Pair(nn.Module):
    """Two models in one."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = Tiny(), Tiny()

    def forward(self, ids: Tensor) -> tuple[Tensor, Tensor]:
        losses = [one(ids, ids)[1] for one in (self.first, self.second)]
        return losses[0], sum(losses)  # pyright: ignore[reportReturnType]


@a_guest(model=Pair, late=True)
def a_part_of_a_larger_model(loop: Loop) -> None:
    loop.begin(loop.model.second)
    loop.call = lambda given, _: loop.model.second(given, given)[1] + 0 * loop.model.first(given, given)[1]
    loop.train()
