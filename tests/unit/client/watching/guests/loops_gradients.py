"""Loops whose gradients come by other ways than one `backward()` a step."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call, grad, vmap
from torch.utils.checkpoint import checkpoint

from tests.unit.client.watching.guests.guest import Visit, guest, whole
from tests.unit.client.watching.guests.models import Tiny, V, batch, cross_entropy, sgd, train


def loss_of(model: nn.Module, parameters: dict[str, Tensor], ids: Tensor) -> Tensor:
    """Return a model's loss with other parameters."""
    return functional_call(model, parameters, (ids, ids))[1]


@guest(whole(3, says="inside a transform of torch.func.*the rows that a step read are unknown"))
def gradients_of_each_sample(visit: Visit) -> None:
    model = Tiny()
    visit.begin(model)
    optimizer = sgd(model)
    of_each = vmap(grad(lambda parameters, ids: loss_of(model, parameters, ids)), in_dims=(None, 0))
    for _ in range(3):
        found = of_each({name: one.detach() for name, one in model.named_parameters()}, batch(3))
        for name, parameter in model.named_parameters():
            norms = found[name].flatten(1).norm(dim=1).clamp(min=1)
            parameter.grad = (found[name] / norms.reshape(-1, *[1] * parameter.ndim)).sum(0)
            visit.note(parameter.grad)
        optimizer.step()
    visit.note_model(model)


@guest(whole(3, says="inside a transform of torch.func.*the rows that a step read are unknown"))
def gradients_of_a_function(visit: Visit) -> None:
    model = Tiny()
    visit.begin(model)
    optimizer = sgd(model)
    for _ in range(3):
        ids = batch()
        found = grad(lambda parameters, ids: loss_of(model, parameters, ids))(
            {name: one.detach() for name, one in model.named_parameters()}, ids
        )
        for name, parameter in model.named_parameters():
            parameter.grad = found[name]
        visit.note(found["wte.weight"])
        optimizer.step()
    visit.note_model(model)


@guest(whole(4))
def influences_between_steps(visit: Visit) -> None:
    model = Tiny()
    visit.begin(model)
    optimizer = sgd(model)
    train(visit, model, optimizer, 2)
    parameters = {name: one.detach() for name, one in model.named_parameters()}
    visit.note(
        vmap(grad(lambda parameters, ids: loss_of(model, parameters, ids)), in_dims=(None, 0))(
            parameters, batch(3)
        )["wte.weight"]
    )
    train(visit, model, optimizer, 2)
    visit.note_model(model)


@guest(whole(4))
def a_functional_call_with_its_own_parameters(visit: Visit) -> None:
    model = Tiny()
    visit.begin(model)
    optimizer = sgd(model)
    for _ in range(4):
        ids = batch()
        loss = loss_of(model, dict(model.named_parameters()), ids)
        visit.note(loss)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    visit.note_model(model)


@guest(whole(4))
def gradients_asked_for_and_assigned(visit: Visit) -> None:
    model = Tiny()
    visit.begin(model)
    optimizer = sgd(model)
    for _ in range(4):
        ids = batch()
        loss = model(ids, ids)[1]
        visit.note(loss)
        parameters = list(model.parameters())
        for parameter, found in zip(parameters, torch.autograd.grad(loss, parameters), strict=True):
            parameter.grad = found
        optimizer.step()
    visit.note_model(model)


@guest(whole(4))
def a_penalty_on_the_gradient(visit: Visit) -> None:
    model = Tiny()
    visit.begin(model)
    optimizer = sgd(model)
    for _ in range(4):
        ids = batch()
        loss = model(ids, ids)[1]
        (found,) = torch.autograd.grad(loss, [model.wte.weight], create_graph=True)
        visit.note(loss)
        (loss + found.square().sum()).backward()
        optimizer.step()
        optimizer.zero_grad()
    visit.note_model(model)


@guest(whole(4))
def two_backward_passes_through_one_graph(visit: Visit) -> None:
    model = Tiny()
    visit.begin(model)
    optimizer = sgd(model)
    for _ in range(4):
        ids = batch()
        loss = model(ids, ids)[1]
        visit.note(loss)
        loss.backward(retain_graph=True)
        (loss / 2).backward()
        optimizer.step()
        optimizer.zero_grad()
    visit.note_model(model)


def computed_again(visit: Visit, reentrant: bool) -> None:
    class Checkpointed(Tiny):
        def logits(self, ids: Tensor) -> Tensor:
            # With an input that needs a gradient, so that the reentrant kind has one.
            bound = torch.zeros((), requires_grad=True)
            return self.head(
                checkpoint(lambda x, _: self.mid(self.wte(x)), ids, bound, use_reentrant=reentrant)
            )

    model = Checkpointed()
    visit.begin(model)
    train(visit, model, sgd(model), 4)
    visit.note_model(model)


@guest(whole(4))
def reentrant_checkpointing(visit: Visit) -> None:
    computed_again(visit, True)


@guest(whole(4))
def checkpointing(visit: Visit) -> None:
    computed_again(visit, False)


@guest(whole(4))
def hooks_that_change_gradients(visit: Visit) -> None:
    model = Tiny()
    model.wte.weight.register_hook(lambda gradient: gradient * 0.5)
    visit.begin(model)
    model.wte.weight.register_hook(lambda gradient: gradient.clamp(-0.01, 0.01))
    train(visit, model, sgd(model), 4)
    visit.note_model(model)


@guest(whole(3))
def accumulation_clipped_between(visit: Visit) -> None:
    model = Tiny()
    visit.begin(model)
    optimizer = torch.optim.AdamW(model.parameters())
    for number in range(12):
        ids = batch()
        loss = model(ids, ids)[1]
        visit.note(loss)
        (loss / 4).backward()
        visit.note(nn.utils.clip_grad_norm_(model.parameters(), 0.1))
        if number % 4 == 3:
            optimizer.step()
            optimizer.zero_grad()
    visit.note_model(model)


@guest(whole(4))
def gradients_set_to_zero(visit: Visit) -> None:
    model = Tiny()
    visit.begin(model)
    optimizer = sgd(model)
    for _ in range(4):
        optimizer.zero_grad(set_to_none=False)
        ids = batch()
        loss = model(ids, ids)[1]
        visit.note(loss)
        loss.backward()
        optimizer.step()
    visit.note_model(model)


@guest(whole(4))
def sharpness_aware(visit: Visit) -> None:
    model = Tiny()
    visit.begin(model)
    optimizer = sgd(model)
    for _ in range(4):
        ids = batch()
        model(ids, ids)[1].backward()
        moves = [0.05 * one.grad for one in model.parameters() if one.grad is not None]
        with torch.no_grad():
            torch._foreach_add_(list(model.parameters()), moves)
        optimizer.zero_grad()
        loss = model(ids, ids)[1]
        visit.note(loss)
        loss.backward()
        with torch.no_grad():
            torch._foreach_sub_(list(model.parameters()), moves)
        optimizer.step()
        optimizer.zero_grad()
    visit.note_model(model)


@guest(whole(4))
def evaluations_between(visit: Visit) -> None:
    model = Tiny()
    visit.begin(model)
    optimizer = sgd(model)
    for step in range(4):
        train(visit, model, optimizer, 1)
        model.eval()
        with torch.no_grad() if step % 2 else torch.inference_mode():
            ids = batch()
            visit.note(model(ids, ids)[1].item())
        model.train()
    visit.note_model(model)


@guest(whole(4))
def anomalies_looked_for(visit: Visit) -> None:
    model = Tiny()
    visit.begin(model)
    with torch.autograd.detect_anomaly(check_nan=True):
        train(visit, model, sgd(model), 4)
    visit.note_model(model)


@guest(whole(4))
def autocast(visit: Visit) -> None:
    model = Tiny()
    visit.begin(model)
    optimizer = sgd(model)
    for _ in range(4):
        ids = batch()
        with torch.autocast("cpu", torch.bfloat16):
            loss = model(ids, ids)[1]
        visit.note(loss)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    visit.note_model(model)


@guest(whole(4, known=False))
def a_loss_that_is_not_a_number(visit: Visit) -> None:
    model = Tiny()
    visit.begin(model)
    optimizer = sgd(model)
    for step in range(4):
        ids = batch()
        output: Any = model(ids, ids)[1]
        loss = output * (torch.nan if step == 2 else 1)
        visit.note(loss)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    visit.note(cross_entropy(model.logits(batch()), batch()), V)
    visit.note_model(model)
