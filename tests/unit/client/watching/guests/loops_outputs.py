"""Loops whose model is an unusual object, or returns one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from tests.unit.client.watching.guests.guest import Visit, guest, refused, stopped, whole
from tests.unit.client.watching.guests.models import Tiny, batch, cross_entropy, sgd, train


@dataclass
class Output:
    """An output as some models return it."""

    loss: Tensor
    logits: Tensor


class Named(NamedTuple):
    """An output as others return it."""

    logits: Tensor
    loss: Tensor


class Faulty:
    """An output that has no loss in training."""

    def __init__(self, logits: Tensor) -> None:
        self.logits = logits

    @property
    def loss(self) -> Tensor:
        raise RuntimeError("this output has no loss")


class Returning(Tiny):
    """A model that returns what a function makes of logits and loss."""

    def __init__(self, make: Any) -> None:
        super().__init__()
        self.make = make

    def forward(self, ids: Tensor, targets: Tensor | None = None) -> Any:
        logits = self.logits(ids)
        return self.make(logits, cross_entropy(logits, ids))


def train_returning(visit: Visit, make: Any, take: Any) -> None:
    """Train a model for four steps.

    Args:
        visit: the run.
        make: makes the model's output of logits and loss.
        take: takes the loss from the output and the ids.
    """
    model = Returning(make)
    visit.begin(model)
    optimizer = sgd(model)
    for _ in range(4):
        ids = batch()
        loss = take(model(ids), ids)
        visit.note(loss)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    visit.note_model(model)


@guest(whole(4))
def a_dataclass(visit: Visit) -> None:
    train_returning(
        visit, lambda logits, loss: Output(logits=logits, loss=loss), lambda output, _: output.loss
    )


@guest(whole(4))
def a_mapping(visit: Visit) -> None:
    train_returning(
        visit, lambda logits, loss: {"logits": logits, "loss": loss}, lambda output, _: output["loss"]
    )


@guest(whole(4))
def a_named_tuple(visit: Visit) -> None:
    train_returning(visit, Named, lambda output, _: output.loss)


@guest(whole(4))
def a_list(visit: Visit) -> None:
    train_returning(visit, lambda logits, loss: [logits, loss], lambda output, _: output[1])


@guest(whole(4, says="no loss"))
def a_generator(visit: Visit) -> None:
    def make(logits: Tensor, loss: Tensor) -> Iterator[Tensor]:
        yield logits
        yield loss

    train_returning(visit, make, lambda output, _: list(output)[1])


@guest(whole(4, says="no loss"))
def nothing_but_logits(visit: Visit) -> None:
    train_returning(visit, lambda logits, _: logits, cross_entropy)


@guest(whole(4, says="no loss"))
def an_output_whose_loss_raises(visit: Visit) -> None:
    train_returning(
        visit, lambda logits, _: Faulty(logits), lambda output, ids: cross_entropy(output.logits, ids)
    )


class Strange(dict[str, Any]):
    """A mapping whose `get` and whose values raise."""

    def get(self, *_: Any) -> Any:
        raise KeyError("ask by name")

    def values(self) -> Any:
        raise TypeError("ask by name")


@guest(whole(4))
def a_mapping_that_raises(visit: Visit) -> None:
    train_returning(
        visit, lambda logits, loss: Strange(loss=loss, logits=logits), lambda output, _: output["loss"]
    )


@guest(whole(4, says="no loss"))
def an_accuracy_is_no_loss(visit: Visit) -> None:
    def make(logits: Tensor, _: Tensor) -> dict[str, Tensor]:
        return {"accuracy": (logits.argmax(-1) == 0).float().mean(), "logits": logits}

    train_returning(visit, make, lambda output, ids: cross_entropy(output["logits"], ids))


@guest(whole(4, says="no loss"))
def a_loss_without_a_gradient(visit: Visit) -> None:
    def make(logits: Tensor, loss: Tensor) -> dict[str, Tensor]:
        return {"loss": loss.detach(), "logits": logits}

    train_returning(visit, make, lambda output, ids: cross_entropy(output["logits"], ids))


@guest(whole(4))
def properties_that_raise(visit: Visit) -> None:
    class Raising(Tiny):
        @property
        def get_input_embeddings(self) -> Any:
            raise RuntimeError("not before the first pass")

        @property
        def device(self) -> Any:
            raise RuntimeError("on several")

    model = Raising()
    visit.begin(model)
    train(visit, model, sgd(model), 4)
    visit.note_model(model)


@guest(whole(4))
def a_getattr_of_its_own(visit: Visit) -> None:
    class Delegating(Tiny):
        def __getattr__(self, name: str) -> Any:
            found = self.__dict__["_modules"].get(name)
            # With a KeyError, where AttributeError is usual.
            return self.__dict__["_parameters"][name] if found is None else found

    model = Delegating()
    visit.begin(model)
    train(visit, model, sgd(model), 4)
    visit.note_model(model)


@guest(whole(4))
def attributes_that_cannot_be_set(visit: Visit) -> None:
    class Sealed(Tiny):
        __slots__ = ("sealed",)

        def __init__(self) -> None:
            super().__init__()
            self.sealed = True

        def __setattr__(self, name: str, value: Any) -> None:
            if getattr(self, "sealed", False):
                raise AttributeError(f"{name}: this model is sealed")
            super().__setattr__(name, value)

    model = Sealed()
    visit.begin(model)
    train(visit, model, sgd(model), 4)
    visit.note_model(model)


@guest(whole(3))
def a_model_that_raises_at_times(visit: Visit) -> None:
    class Failing(Tiny):
        calls = 0

        def forward(self, ids: Tensor, targets: Any = None) -> Any:
            self.calls += 1
            if self.calls == 2:
                raise RuntimeError("out of memory")
            return super().forward(ids, targets)

    model = Failing()
    visit.begin(model)
    optimizer = sgd(model)
    for _ in range(4):
        try:
            train(visit, model, optimizer, 1)
        except RuntimeError as error:
            visit.note(str(error))
    visit.note_model(model)


@guest(stopped(2))
def a_model_that_raises_in_the_end(visit: Visit) -> None:
    class Failing(Tiny):
        def forward(self, ids: Tensor, targets: Any = None) -> Any:
            output = super().forward(ids, targets)
            if ids[0, 0] < 0:
                raise ZeroDivisionError("the model's own")
            return output

    model = Failing()
    visit.begin(model)
    train(visit, model, sgd(model), 2)
    model(torch.full((1, 1), -1))


@guest(whole(4, says="no loss"))
def forward_called_by_name(visit: Visit) -> None:
    model = Tiny()
    visit.begin(model)
    optimizer = sgd(model)
    for _ in range(4):
        ids = batch()
        loss = model.forward(ids, ids)[1]
        visit.note(loss)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    visit.note_model(model)


@guest(whole(4, says="eval mode since step 3"))
def eval_mode_after_two_steps(visit: Visit) -> None:
    model = Tiny()
    optimizer = sgd(model)
    visit.begin(model)
    train(visit, model, optimizer, 2)
    model.eval()
    train(visit, model, optimizer, 2)
    visit.note_model(model)


@guest(refused("no nn.Embedding"))
def a_model_without_a_table(visit: Visit) -> None:
    model = nn.Linear(2, 2)
    visit.begin(model)
    optimizer = sgd(model)
    for _ in range(3):
        loss = model(torch.randn(3, 2)).sum()
        visit.note(loss)
        loss.backward()
        optimizer.step()
    visit.note_model(model)


@guest(whole(3, says="no ids"))
def a_scripted_model(visit: Visit) -> None:
    from tests.unit.client.watching.guests.models import Scripted

    model: Any = torch.jit.script(Scripted())
    visit.begin(model, embedding="wte")
    optimizer = sgd(model)
    for _ in range(3):
        ids = batch()
        loss = cross_entropy(model(ids), ids)
        visit.note(loss)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    visit.note_model(model)
