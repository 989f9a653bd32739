"""Loops whose optimiser is called in another way than `optimizer.step()`."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from tests.unit.client.watching.guests.guest import Visit, ends, guest, whole
from tests.unit.client.watching.guests.models import Tiny, batch, sgd, train


def train_with(visit: Visit, make: Callable[[nn.Module], Any], steps: int = 4) -> None:
    """Train with the optimiser that `make` makes."""
    model = Tiny()
    visit.begin(model)
    train(visit, model, make(model), steps)
    visit.note_model(model)


@guest(whole(4))
def adamw_of_many_kinds(visit: Visit) -> None:
    model = Tiny()
    visit.begin(model)
    kinds: list[Any] = [{"fused": True}, {"foreach": True}, {"capturable": False}, {"amsgrad": True}]
    for kind in kinds:
        train(visit, model, torch.optim.AdamW(model.parameters(), **kind), 1)
    visit.note_model(model)


@guest(whole(4))
def a_rate_in_a_tensor_and_a_scheduler(visit: Visit) -> None:
    model = Tiny()
    visit.begin(model)
    optimizer = torch.optim.Adam(model.parameters(), lr=torch.tensor(0.1))
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 4)
    for _ in range(4):
        train(visit, model, optimizer, 1)
        scheduler.step()
    visit.note_model(model)


@guest(whole(4))
def lbfgs(visit: Visit) -> None:
    model = Tiny()
    visit.begin(model)
    optimizer = torch.optim.LBFGS(model.parameters(), lr=0.1, max_iter=3)
    ids = batch()

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = model(ids, ids)[1]
        visit.note(loss)
        # As the default of a loss that is divided by nothing: its mean over the calls would be no step's.
        loss.backward()
        return loss

    for _ in range(4):
        optimizer.step(closure)
    visit.note_model(model)


@guest(whole(4))
def several_optimisers(visit: Visit) -> None:
    model = Tiny()
    visit.begin(model)
    optimizers = [torch.optim.Adagrad([one], lr=0.01) for one in model.parameters()]
    for _ in range(4):
        ids = batch()
        loss = model(ids, ids)[1]
        visit.note(loss)
        loss.backward()
        for optimizer in optimizers:
            optimizer.step()
            optimizer.zero_grad()
    visit.note_model(model)


def step_in_backward(visit: Visit, *, watched_first: bool) -> None:
    model = Tiny()
    if watched_first:
        visit.begin(model)
    optimizers = {one: torch.optim.SGD([one], lr=0.1) for one in model.parameters()}

    def step(parameter: Tensor) -> None:
        optimizers[parameter].step()
        optimizers[parameter].zero_grad()

    for parameter in optimizers:
        parameter.register_post_accumulate_grad_hook(step)
    if not watched_first:
        visit.begin(model)
    for _ in range(4):
        ids = batch()
        loss = model(ids, ids)[1]
        visit.note(loss)
        loss.backward()
    visit.note_model(model)


@guest(whole(4))
def steps_in_the_backward_pass(visit: Visit) -> None:
    step_in_backward(visit, watched_first=True)


@guest(whole(4))
def steps_in_the_backward_pass_before_it_was_watched(visit: Visit) -> None:
    step_in_backward(visit, watched_first=False)


@guest(whole(4))
def a_scaler_that_skips_a_step(visit: Visit) -> None:
    model = Tiny()
    visit.begin(model)
    optimizer = torch.optim.AdamW(model.parameters())
    scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)
    for step in range(5):
        ids = batch()
        loss = model(ids, ids)[1]
        visit.note(loss, scaler.get_scale())
        scaler.scale(loss * (torch.inf if step == 1 else 1)).backward()
        scaler.unscale_(optimizer)
        nn.utils.clip_grad_norm_(model.parameters(), 0.5)
        scaler.step(optimizer)
        scaler.update()
        optimizer.zero_grad()
    visit.note_model(model)


class Wrapper:
    """An optimiser around another, as there are many."""

    def __init__(self, model: nn.Module) -> None:
        self.optimizer = sgd(model)

    def step(self, closure: Any = None) -> None:
        self.optimizer.step(closure)

    def zero_grad(self) -> None:
        self.optimizer.zero_grad()


@guest(whole(4))
def a_wrapped_optimiser(visit: Visit) -> None:
    train_with(visit, Wrapper)


class Own(torch.optim.Optimizer):
    """An optimiser that its user wrote."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__(model.parameters(), {"speed": 0.1})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:
        for one in self.param_groups[0]["params"]:
            one.sub_(0.1 * one.grad.sign())


@guest(whole(4))
def an_optimiser_of_ones_own(visit: Visit) -> None:
    train_with(visit, Own)


class Decaying(torch.optim.SGD):
    """An optimiser that does something of its own before the step of its class."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__(model.parameters(), lr=0.1)

    def step(self, closure: Any = None) -> Any:
        with torch.no_grad():
            for one in self.param_groups[0]["params"]:
                one.mul_(0.99)
        return super().step(closure)


@guest(whole(4))
def a_step_that_calls_another(visit: Visit) -> None:
    train_with(visit, Decaying)


class ByHand:
    """An optimiser that torch does not know of."""

    def __init__(self, model: nn.Module) -> None:
        self.model = model

    @torch.no_grad()
    def step(self) -> None:
        for one in self.model.parameters():
            assert one.grad is not None
            one -= 0.1 * one.grad

    def zero_grad(self) -> None:
        self.model.zero_grad()


@guest(ends("no optimiser with this embedding"))
def updates_by_hand(visit: Visit) -> None:
    train_with(visit, ByHand)


@guest(whole(3))
def added_to_the_optimiser_later(visit: Visit) -> None:
    model = Tiny()
    visit.begin(model)
    optimizer = torch.optim.SGD(model.head.parameters(), lr=0.1)
    train(visit, model, optimizer, 2)
    optimizer.add_param_group({"params": [model.wte.weight]})
    model.zero_grad()
    train(visit, model, optimizer, 3)
    visit.note_model(model)


@guest(whole(4))
def a_pickled_optimiser(visit: Visit) -> None:
    model = Tiny()
    optimizer = torch.optim.AdamW(model.parameters())
    visit.begin(model)
    train(visit, model, optimizer, 2)
    visit.note(len(pickle.dumps(optimizer)))
    optimizer.load_state_dict(pickle.loads(pickle.dumps(optimizer.state_dict())))
    train(visit, model, optimizer, 2)
    visit.note_model(model)
