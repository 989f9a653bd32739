"""Loops whose model is an unusual object, or returns one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from tests.unit.client.watching.guests.guest import Loop, Outcome, a_guest, guest, refused, stopped, whole
from tests.unit.client.watching.guests.models import Custom, D, Scripted, Tiny, batch, cross_entropy

NO_LOSS = whole(says="no loss")


@dataclass
class Output:
    """An output as some models return it."""

    logits: Tensor
    loss: Tensor


class Named(NamedTuple):
    """An output as others return it."""

    logits: Tensor
    loss: Tensor


class Faulty:
    """An output that has no loss in training."""

    def __init__(self, logits: Tensor, _: Tensor) -> None:
        self.logits = logits

    @property
    def loss(self) -> Tensor:
        raise RuntimeError("this output has no loss")


class Strange(dict[str, Any]):
    """A mapping whose `get` and whose values raise."""

    def get(self, *_: Any) -> Any:
        raise KeyError("ask by name")

    def values(self) -> Any:
        raise TypeError("ask by name")


def generated(logits: Tensor, loss: Tensor) -> Iterator[Tensor]:
    yield logits
    yield loss


def with_accuracy(logits: Tensor, _: Tensor) -> dict[str, Tensor]:
    return {"accuracy": (logits.argmax(-1) == 0).float().mean(), "logits": logits}


def returns(name: str, make: Any, take: Any, outcome: Outcome | None = None) -> None:
    """Add a model that returns what `make` makes of logits and loss; `take` takes the loss from it and the ids."""

    def body(loop: Loop) -> None:
        loop.call = lambda given, ids: take(loop.model(given, ids), ids)
        loop.train()

    guest(name, outcome or whole(), model=lambda: Custom(output=make), body=body)


def outside(output: Any, ids: Tensor) -> Tensor:
    """Compute the loss of the logits."""
    return cross_entropy(
        output["logits"] if isinstance(output, dict) else getattr(output, "logits", output), ids
    )


returns("a dataclass", Output, lambda output, _: output.loss)
returns("a mapping", lambda logits, loss: {"logits": logits, "loss": loss}, lambda output, _: output["loss"])
returns("a named tuple", Named, lambda output, _: output.loss)
returns("a list", lambda logits, loss: [logits, loss], lambda output, _: output[1])
returns("a generator", generated, lambda output, _: list(output)[1], NO_LOSS)
returns("nothing but logits", lambda logits, _: logits, outside, NO_LOSS)
returns("an output whose loss raises", Faulty, outside, NO_LOSS)
returns(
    "a mapping that raises",
    lambda logits, loss: Strange(loss=loss, logits=logits),
    lambda output, _: output["loss"],
)
returns("an accuracy is no loss", with_accuracy, outside, NO_LOSS)
returns(
    "a loss without a gradient",
    lambda logits, loss: {"loss": loss.detach(), "logits": logits},
    outside,
    NO_LOSS,
)


class Raising(Tiny):
    @property
    def get_input_embeddings(self) -> Any:
        raise RuntimeError("not before the first pass")

    @property
    def device(self) -> Any:
        raise RuntimeError("on several")


class Delegating(Tiny):
    def __getattr__(self, name: str) -> Any:
        found = self.__dict__["_modules"].get(name)
        # With a KeyError, where AttributeError is usual.
        return self.__dict__["_parameters"][name] if found is None else found


class Sealed(Tiny):
    __slots__ = ("sealed",)

    def __init__(self) -> None:
        super().__init__()
        self.sealed = True

    def __setattr__(self, name: str, value: Any) -> None:
        if getattr(self, "sealed", False):
            raise AttributeError(f"{name}: this model is sealed")
        super().__setattr__(name, value)


class Failing(Tiny):
    """A model that raises at its second call, and for a token of -1 after its pass."""

    calls = 0

    def forward(self, ids: Tensor, targets: Any = None) -> Any:
        self.calls += 1
        if self.calls == 2:
            raise RuntimeError("out of memory")
        output = super().forward(ids.clamp(min=0), targets)
        if ids[0, 0] < 0:
            raise ZeroDivisionError("the model's own")
        return output


guest("properties that raise", model=Raising)
guest("a getattr of its own", model=Delegating)
guest("attributes that cannot be set", model=Sealed)


@a_guest(whole(3), model=Failing)
def a_model_that_raises_at_times(loop: Loop) -> None:
    for _ in range(4):
        try:
            loop.train(1)
        except RuntimeError as error:
            loop.visit.note(str(error))


@a_guest(stopped(1), model=Failing)
def a_model_that_raises_in_the_end(loop: Loop) -> None:
    loop.train(1)
    loop.model.calls += 1
    loop.model(torch.full((1, 1), -1))


@a_guest(NO_LOSS)
def forward_called_by_name(loop: Loop) -> None:
    loop.call = lambda given, ids: loop.model.forward(given, ids)[1]
    loop.train()


@a_guest(whole(says="eval mode since step 3"))
def eval_mode_after_two_steps(loop: Loop) -> None:
    loop.train(2)
    loop.model.eval()
    loop.train(2)


@a_guest(refused("no nn.Embedding"), model=lambda: nn.Linear(2, 2), late=True)
def a_model_without_a_table(loop: Loop) -> None:
    loop.visit.begin(loop.model)
    for _ in range(3):
        loss = loop.model(torch.randn(3, 2)).sum()
        loop.visit.note(loss)
        loss.backward()
        loop.optimizer.step()


@a_guest(whole(3, says="no ids"), model=lambda: torch.jit.script(Scripted()), embedding="wte")
def a_scripted_model(loop: Loop) -> None:
    loop.call = lambda given, ids: cross_entropy(loop.model(given), ids)
    loop.train(3)


@a_guest(late=True)
def lazy_layers(loop: Loop) -> None:
    loop.model.mid = nn.LazyLinear(D)
    loop.begin()
    loop.model(batch())
    loop.optimizer = torch.optim.SGD(loop.model.parameters(), lr=0.1)
    loop.train()
