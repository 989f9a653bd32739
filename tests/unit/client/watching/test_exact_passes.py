"""The passes of a step: ids, losses and gradients equal what the loop itself noted, for any order of its computing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from tests.unit.client.watching.small_model import SmallModel, batch, compared


def sgd(model: nn.Module) -> torch.optim.Optimizer:
    return torch.optim.SGD(model.parameters(), lr=0.1)


def clip(model: SmallModel) -> None:
    nn.utils.clip_grad_norm_(model.parameters(), 0.05)


def clip_in_vain(model: SmallModel) -> None:
    nn.utils.clip_grad_norm_(model.parameters(), 1e6)


def add_noise(model: SmallModel) -> None:
    for one in model.parameters():
        assert one.grad is not None
        one.grad.add_(1e-3 * torch.randn_like(one.grad))


@pytest.mark.parametrize("set_to_none", [True, False])
@pytest.mark.parametrize("between", [clip, clip_in_vain, add_noise])
def test_accumulation_with_gradients_changed_between(
    watched: Any, between: Callable[[SmallModel], None], set_to_none: bool
):
    model = SmallModel()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    with compared(watched, model) as own:
        for _ in range(3):
            read, losses = [], []
            for _ in range(4):
                ids = batch()
                loss: Any = model(ids, ids)[1]
                (loss / 4).backward()
                between(model)
                read.append(ids)
                losses.append(loss.item())
            own.note_gradient()
            optimizer.step()
            optimizer.zero_grad(set_to_none=set_to_none)
            own.note_step(read, float(np.mean(losses)))


def test_passes_without_a_backward_pass_are_of_no_step(watched: Any):
    """An evaluation with gradients on, a batch that is left out, a pass that is interrupted on its way back."""
    model = SmallModel()
    optimizer = sgd(model)

    def interrupt(_: Tensor) -> None:
        raise KeyboardInterrupt

    with compared(watched, model) as own:
        for step in range(5):
            ids = batch()
            model(batch(), batch())
            hidden = model.wte(batch())
            if step == 2:
                hidden.sum()
                continue
            loss: Any = model(ids, ids)[1]
            if step == 3:
                hooked = model.mid.weight.register_hook(interrupt)
                with pytest.raises(KeyboardInterrupt):
                    loss.backward()
                hooked.remove()
                optimizer.zero_grad()
                loss = model(ids, ids)[1]
            loss.backward()
            own.note_gradient()
            optimizer.step()
            optimizer.zero_grad()
            own.note_step([ids], loss.item())


def test_lookups_of_one_pass_are_joined(watched: Any):
    """One for a batch, and one for each of a few single tokens."""

    class Recurrent(SmallModel):
        def forward(self, ids: Any, targets: Any = None) -> Any:
            return {"loss": torch.stack([self.mid(self.wte(one)).square().mean() for one in ids]).sum()}

    model = Recurrent()
    optimizer = sgd(model)
    with compared(watched, model) as own:
        for _ in range(3):
            parts = [batch(), *batch(1)[0]]
            loss = model(parts)["loss"]
            loss.backward()
            own.note_gradient()
            optimizer.step()
            optimizer.zero_grad()
            own.note_step(parts, loss.item())


def test_a_pass_gone_back_twice_is_read_once(watched: Any):
    model = SmallModel()
    optimizer = sgd(model)
    with compared(watched, model) as own:
        for _ in range(3):
            ids = batch()
            loss: Any = model(ids, ids)[1]
            loss.backward(retain_graph=True)
            (loss / 2).backward()
            own.note_gradient()
            optimizer.step()
            optimizer.zero_grad()
            own.note_step([ids], loss.item())


def test_a_penalty_on_the_gradient(watched: Any):
    model = SmallModel()
    optimizer = sgd(model)
    with compared(watched, model) as own:
        for _ in range(3):
            ids = batch()
            loss: Any = model(ids, ids)[1]
            (found,) = torch.autograd.grad(loss, [model.wte.weight], create_graph=True)
            (loss + found.square().sum()).backward()
            own.note_gradient()
            optimizer.step()
            optimizer.zero_grad()
            own.note_step([ids], loss.item())


def test_gradients_that_the_loop_assigns(watched: Any):
    model = SmallModel()
    optimizer = sgd(model)
    parameters = list(model.parameters())
    with compared(watched, model) as own:
        for _ in range(3):
            ids = batch()
            loss: Any = model(ids, ids)[1]
            for one, found in zip(parameters, torch.autograd.grad(loss, parameters), strict=True):
                one.grad = found
            own.note_gradient()
            optimizer.step()
            own.note_step([ids], loss.item())


def test_sharpness_aware_steps_are_those_of_the_second_pass(watched: Any):
    model = SmallModel()
    optimizer = sgd(model)
    parameters = list(model.parameters())
    with compared(watched, model) as own:
        for _ in range(3):
            ids = batch()
            first: Any = model(ids, ids)[1]
            first.backward()
            moves = [0.1 * one.grad for one in parameters if one.grad is not None]
            with torch.no_grad():
                torch._foreach_add_(parameters, moves)
            optimizer.zero_grad()
            loss: Any = model(ids, ids)[1]
            loss.backward()
            with torch.no_grad():
                torch._foreach_sub_(parameters, moves)
            own.note_gradient()
            optimizer.step()
            optimizer.zero_grad()
            own.note_step([ids], loss.item())


def test_steps_within_the_backward_pass(watched: Any):
    model = SmallModel(tied=False)
    optimizers = {one: torch.optim.SGD([one], lr=0.1) for one in model.parameters()}
    with compared(watched, model) as own:

        def step(parameter: Tensor) -> None:
            if parameter is model.wte.weight:
                own.note_gradient()
            optimizers[parameter].step()
            optimizers[parameter].zero_grad()

        for one in optimizers:
            one.register_post_accumulate_grad_hook(step)
        for _ in range(3):
            ids = batch()
            loss: Any = model(ids, ids)[1]
            loss.backward()
            own.note_step([ids], loss.item())


class Decaying(torch.optim.SGD):
    """An optimiser that does something of its own before the step of its class."""

    def step(self, closure: Any = None) -> Any:
        with torch.no_grad():
            for one in self.param_groups[0]["params"]:
                one.mul_(0.99)
        return super().step(closure)


def test_a_step_that_calls_another_is_one_step(watched: Any):
    model = SmallModel()
    optimizer = Decaying(model.parameters(), lr=0.1)
    with compared(watched, model) as own:
        for _ in range(3):
            ids = batch()
            loss: Any = model(ids, ids)[1]
            loss.backward()
            own.note_gradient()
            optimizer.step()
            optimizer.zero_grad()
            own.note_step([ids], loss.item())


@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor")  # Of dynamo itself.
@pytest.mark.parametrize(
    "watched_first", [False, pytest.param(True, marks=pytest.mark.tour)], ids=["inside", "outside"]
)
def test_compiled_passes(watched: Any, watched_first: bool):
    torch._dynamo.reset()
    model = SmallModel()
    whole: Any = torch.compile(model, backend="aot_eager")
    optimizer = sgd(model)
    with compared(watched, model if watched_first else whole, model.wte.weight) as own:
        for _ in range(3):
            read, losses = [], []
            for _ in range(2):
                ids = batch()
                loss = whole(ids, ids)[1]
                (loss / 2).backward()
                read.append(ids)
                losses.append(loss.item())
            own.note_gradient()
            optimizer.step()
            optimizer.zero_grad()
            own.note_step(read, float(np.mean(losses)))
    torch._dynamo.reset()
