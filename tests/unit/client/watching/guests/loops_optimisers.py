"""Loops whose optimiser is unusual, or called in another way than by `optimizer.step()`."""

from __future__ import annotations

import pickle
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from tests.unit.client.watching.guests.guest import Loop, a_guest, ends, guest, whole
from tests.unit.client.watching.guests.loops_tables import Several
from tests.unit.client.watching.guests.models import adamw, batch, sgd


class Wrapper:
    """An optimiser around another, as there are many."""

    def __init__(self, model: nn.Module) -> None:
        self.optimizer = sgd(model)

    def step(self, closure: Any = None) -> None:
        self.optimizer.step(closure)

    def zero_grad(self) -> None:
        self.optimizer.zero_grad()


class Own(torch.optim.Optimizer):
    """An optimiser that its user wrote."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__(model.parameters(), {"speed": 0.1})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:
        for one in self.param_groups[0]["params"]:
            one.sub_(0.1 * one.grad.sign())


class Decaying(torch.optim.SGD):
    """An optimiser that does something of its own before the step of its class."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__(model.parameters(), lr=0.1)

    def step(self, closure: Any = None) -> Any:
        with torch.no_grad():
            for one in self.param_groups[0]["params"]:
                one.mul_(0.99)
        return super().step(closure)


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


NOBODYS = ends("no step was recorded: no optimiser with this embedding")
guest("a wrapped optimiser", optimizer=Wrapper)
guest("an optimiser of one's own", optimizer=Own)
guest("a step that calls another", optimizer=Decaying)
guest("updates by hand", NOBODYS, optimizer=ByHand)
guest(
    "an optimiser that holds other weights",
    NOBODYS,
    optimizer=lambda model: torch.optim.SGD([*model.mid.parameters(), *model.head.parameters()], lr=0.1),
)
guest(
    "several optimisers",
    optimizer=lambda model: Several(*(torch.optim.Adagrad([one], lr=0.01) for one in model.parameters())),
)


@a_guest()
def adamw_of_many_kinds(loop: Loop) -> None:
    kinds: list[Any] = [{"fused": True}, {"foreach": True}, {"capturable": False}, {"amsgrad": True}]
    for kind in kinds:
        loop.optimizer = torch.optim.AdamW(loop.model.parameters(), **kind)
        loop.train(1)


@a_guest(optimizer=lambda model: torch.optim.Adam(model.parameters(), lr=torch.tensor(0.1)))
def a_rate_in_a_tensor_and_a_scheduler(loop: Loop) -> None:
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(loop.optimizer, 4)
    for _ in range(4):
        loop.train(1)
        scheduler.step()


@a_guest(whole(exact=False))
def lbfgs(loop: Loop) -> None:
    optimizer = torch.optim.LBFGS(loop.model.parameters(), lr=0.1, max_iter=3)
    ids = batch()

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = loop.loss(ids)
        loss.backward()
        return loss

    for _ in range(4):
        optimizer.step(closure)


def step_in_backward(loop: Loop, watched_first: bool) -> None:
    optimizers = {one: torch.optim.SGD([one], lr=0.1) for one in loop.model.parameters()}
    own = loop.begin() if watched_first else None

    def step(parameter: Tensor) -> None:
        if own and parameter is loop.model.wte.weight:
            own.note_gradient(optimizers[parameter])
        optimizers[parameter].step()
        optimizers[parameter].zero_grad()

    for parameter in optimizers:
        parameter.register_post_accumulate_grad_hook(step)
    own = own or loop.begin()
    for _ in range(4):
        loop.loss().backward()
        own.note_step()


for first in (True, False):
    guest(
        f"steps in the backward pass, watched {'first' if first else 'later'}",
        body=partial(step_in_backward, watched_first=first),
        late=True,
    )


def scaled(loop: Loop, set_to_none: bool) -> None:
    own: Any = loop.own
    scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)
    for step in range(6):
        skipped = step in (0, 3)
        loss = loop.loss() * (torch.inf if skipped else 1)
        loop.visit.note(scaler.get_scale())
        scaler.scale(loss).backward()
        scaler.unscale_(loop.optimizer)
        nn.utils.clip_grad_norm_(loop.model.parameters(), 0.5)
        if not skipped:
            own.note_gradient(loop.optimizer)
        scaler.step(loop.optimizer)
        scaler.update()
        loop.optimizer.zero_grad(set_to_none=set_to_none)
        if skipped:
            own.forget()
        else:
            own.note_step()


for fused in (True, False):
    for to_none in (True, False):
        guest(
            f"a scaler that skips a step, {'fused, ' if fused else ''}set to {None if to_none else 0}",
            whole(4),
            body=partial(scaled, set_to_none=to_none),
            optimizer=lambda model, fused=fused: torch.optim.AdamW(model.parameters(), lr=0.01, fused=fused),
        )


@a_guest(whole(1), optimizer=lambda model: torch.optim.AdamW(model.parameters(), lr=0.01, fused=True))
def a_fused_optimiser_that_unscales_by_itself(loop: Loop) -> None:
    own: Any = loop.own
    scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)
    scaler.scale(loop.loss()).backward()
    own.note_gradient(loop.optimizer)
    own.norms[-1] /= 1024
    scaler.step(loop.optimizer)
    own.note_step()


@a_guest(whole(3), optimizer=lambda model: torch.optim.SGD(model.head.parameters(), lr=0.1))
def added_to_the_optimiser_later(loop: Loop) -> None:
    own, loop.own = loop.own, None
    loop.train(2)
    loop.optimizer.add_param_group({"params": [loop.model.wte.weight]})
    loop.model.zero_grad()
    loop.own = own
    loop.train(3)


@a_guest(optimizer=adamw)
def a_pickled_optimiser(loop: Loop) -> None:
    loop.train(2)
    loop.visit.note(len(pickle.dumps(loop.optimizer)))
    loop.optimizer.load_state_dict(pickle.loads(pickle.dumps(loop.optimizer.state_dict())))
    loop.train(2)
