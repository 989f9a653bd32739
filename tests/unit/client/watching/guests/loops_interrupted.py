"""Loops that are interrupted, left, or begun again."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from tests.unit.client.watching.guests.guest import Visit, guest, stopped, whole
from tests.unit.client.watching.guests.models import Tiny, sgd, train


class Interrupting(nn.Module):
    """A layer that is interrupted once, forwards or backwards."""

    def __init__(self, place: str) -> None:
        super().__init__()
        self.place, self.calls = place, {"forward": 0, "backward": 0}

    def _count(self, place: str) -> None:
        self.calls[place] += 1
        if place == self.place and self.calls[place] == 3:
            raise KeyboardInterrupt(place)

    def forward(self, hidden: Tensor) -> Tensor:
        self._count("forward")
        if hidden.requires_grad:
            hidden.register_hook(lambda _: self._count("backward"))
        return hidden


class InterruptedStep(torch.optim.SGD):
    """An optimiser that is interrupted once."""

    calls = 0

    def step(self, closure: Any = None) -> Any:
        self.calls += 1
        if self.calls == 3:
            raise KeyboardInterrupt("step")
        return super().step(closure)


def interrupted(visit: Visit, place: str, *, caught: bool) -> None:
    """Train for five steps, of which the third is interrupted."""
    model = Tiny()
    layer = Interrupting(place)
    # Between the embedding and the rest.
    model.mid = nn.Sequential(layer, model.mid)  # pyright: ignore[reportAttributeAccessIssue]
    kind = InterruptedStep if place == "step" else torch.optim.SGD
    optimizer = kind(model.parameters(), lr=0.1)
    visit.begin(model)
    for step in range(5):
        try:
            train(visit, model, optimizer, 1)
            if place == "between" and step == 2:
                raise KeyboardInterrupt("between")
        except KeyboardInterrupt as error:
            visit.note(str(error))
            if not caught:
                raise
            optimizer.zero_grad()
    visit.note_model(model)


@guest(whole(4))
def an_interrupt_in_the_forward_pass(visit: Visit) -> None:
    interrupted(visit, "forward", caught=True)


@guest(whole(4))
def an_interrupt_in_the_backward_pass(visit: Visit) -> None:
    interrupted(visit, "backward", caught=True)


@guest(whole(4))
def an_interrupt_in_the_step(visit: Visit) -> None:
    interrupted(visit, "step", caught=True)


@guest(whole(5))
def an_interrupt_between_steps(visit: Visit) -> None:
    interrupted(visit, "between", caught=True)


@guest(stopped(2))
def ended_in_the_forward_pass(visit: Visit) -> None:
    interrupted(visit, "forward", caught=False)


@guest(stopped(2))
def ended_in_the_backward_pass(visit: Visit) -> None:
    interrupted(visit, "backward", caught=False)


@guest(stopped(2))
def ended_in_the_step(visit: Visit) -> None:
    interrupted(visit, "step", caught=False)


@guest(stopped(3))
def ended_between_steps(visit: Visit) -> None:
    interrupted(visit, "between", caught=False)


@guest(stopped(2))
def ended_by_exit(visit: Visit) -> None:
    model = Tiny()
    with visit.begin(model):
        train(visit, model, sgd(model), 2)
        sys.exit(3)


@guest(whole(3))
def closed_before_its_end(visit: Visit) -> None:
    model = Tiny()
    optimizer = sgd(model)
    with visit.begin(model) as watcher:
        train(visit, model, optimizer, 3)
    train(visit, model, optimizer, 2)
    watcher.close()
    watcher.log(loss=1.0)
    visit.note_model(model)


@guest(stopped(2))
def a_loop_that_is_left(visit: Visit) -> None:
    def steps(model: Tiny) -> Iterator[None]:
        optimizer = sgd(model)
        with visit.begin(model):
            while True:
                train(visit, model, optimizer, 1)
                yield

    model = Tiny()
    loop = steps(model)
    next(loop)
    next(loop)
    loop.close()  # pyright: ignore[reportAttributeAccessIssue]
    train(visit, model, sgd(model), 2)
    visit.note_model(model)


@guest(whole(3), whole(3))
def a_cell_run_twice(visit: Visit) -> None:
    for _ in range(2):
        model = Tiny()
        visit.begin(model)
        train(visit, model, sgd(model), 3)
        visit.note_model(model)


@guest(whole(3), whole(2))
def a_model_watched_again(visit: Visit) -> None:
    model = Tiny()
    optimizer = sgd(model)
    visit.begin(model)
    train(visit, model, optimizer, 3)
    visit.begin(model)
    train(visit, model, optimizer, 2)
    visit.note_model(model)
