"""Loops that are interrupted, left, or begun again."""

from __future__ import annotations

import gc
import shutil
import sys
import weakref
from collections.abc import Iterator
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from tests.unit.client.watching.guests.guest import Loop, a_guest, gone, guest, stopped, whole
from tests.unit.client.watching.guests.models import Tiny, sgd


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


def interrupted(loop: Loop, place: str, caught: bool) -> None:
    """Train for five steps, of which the third is interrupted."""
    # Between the embedding and the rest.
    loop.model.mid = nn.Sequential(Interrupting(place), loop.model.mid)
    kind = InterruptedStep if place == "step" else torch.optim.SGD
    loop.optimizer = kind(loop.model.parameters(), lr=0.1)
    own = loop.begin()
    for step in range(5):
        try:
            loop.train(1)
            if place == "between" and step == 2:
                raise KeyboardInterrupt("between")
        except KeyboardInterrupt as error:
            loop.visit.note(str(error))
            if not caught:
                raise
            loop.optimizer.zero_grad()
            own.forget()
            del own.norms[len(own.counts) :], own.rates[len(own.counts) :]


for place in ("forward", "backward", "step", "between"):
    taken = place == "between"
    for caught, outcome in ((True, whole(4 + taken)), (False, stopped(2 + taken))):
        name = f"{'an interrupt' if caught else 'ended'}: {place}"
        guest(name, outcome, body=partial(interrupted, place=place, caught=caught), late=True)


@a_guest(stopped(2))
def ended_by_exit(loop: Loop) -> None:
    with loop.watcher:
        loop.train(2)
        sys.exit(3)


@a_guest(whole(3, exact=False))
def closed_before_its_end(loop: Loop) -> None:
    with loop.watcher:
        loop.train(3)
    loop.train(2)
    loop.watcher.close()
    loop.watcher.log(loss=1.0)


@a_guest(stopped(2))
def a_loop_that_is_left(loop: Loop) -> None:
    def steps() -> Iterator[None]:
        with loop.watcher:
            while True:
                loop.train(1)
                yield

    running = steps()
    next(running)
    next(running)
    running.close()  # pyright: ignore[reportAttributeAccessIssue]
    loop.train(2)


@a_guest(whole(3), whole(3), late=True)
def a_cell_run_twice(loop: Loop) -> None:
    for _ in range(2):
        loop.model = Tiny()
        loop.optimizer, loop.own = sgd(loop.model), None
        loop.begin()
        loop.train(3)


@a_guest(whole(3), whole(2))
def a_model_watched_again(loop: Loop) -> None:
    loop.train(3)
    loop.own = None
    loop.begin()
    loop.train(2)


@a_guest(whole(3))
def a_model_that_is_dropped(loop: Loop) -> None:
    loop.train(3)
    dropped = weakref.ref(loop.model)
    loop.model, loop.optimizer = None, None
    gc.collect()
    loop.visit.note(dropped() is None)


@a_guest(gone("the end of .* could not be recorded"))
def a_record_that_is_deleted_meanwhile(loop: Loop) -> None:
    loop.train(2)
    if loop.watcher.folder is not None:
        shutil.rmtree(loop.watcher.folder)
    loop.train(4)
