"""Loops whose passes and gradients come in another way than by one `backward()` a step."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call, grad, vmap
from torch.utils.checkpoint import checkpoint

from tests.unit.client.watching.guests.guest import Loop, a_guest, guest, whole
from tests.unit.client.watching.guests.models import Custom, D, adamw, batch

NO_ROWS = "inside a transform of torch.func.*the rows that a step read are unknown"


def loss_of(loop: Loop, parameters: dict[str, Tensor], ids: Tensor) -> Tensor:
    """Return a model's loss with other parameters."""
    return functional_call(loop.model, parameters, (ids, ids))[1]


def of_each_sample(loop: Loop, ids: Tensor) -> dict[str, Tensor]:
    parameters = {name: one.detach() for name, one in loop.model.named_parameters()}
    return vmap(grad(partial(loss_of, loop)), in_dims=(None, 0))(parameters, ids)


@a_guest(whole(3, says=NO_ROWS))
def gradients_of_each_sample(loop: Loop) -> None:
    for _ in range(3):
        found = of_each_sample(loop, batch(3))
        for name, parameter in loop.model.named_parameters():
            norms = found[name].flatten(1).norm(dim=1).clamp(min=1)
            parameter.grad = (found[name] / norms.reshape(-1, *[1] * parameter.ndim)).sum(0)
            loop.visit.note(parameter.grad)
        loop.optimizer.step()


@a_guest(whole(3, says=NO_ROWS))
def gradients_of_a_function(loop: Loop) -> None:
    for _ in range(3):
        parameters = {name: one.detach() for name, one in loop.model.named_parameters()}
        found = grad(partial(loss_of, loop))(parameters, batch())
        for name, parameter in loop.model.named_parameters():
            parameter.grad = found[name]
        loop.visit.note(found["wte.weight"])
        loop.optimizer.step()


@a_guest()
def influences_between_steps(loop: Loop) -> None:
    loop.train(2)
    loop.visit.note(of_each_sample(loop, batch(3))["wte.weight"])
    loop.train(2)


@a_guest(late=True)
def a_functional_call_with_its_own_parameters(loop: Loop) -> None:
    loop.begin()
    loop.call = lambda ids, _: loss_of(loop, dict(loop.model.named_parameters()), ids)
    loop.train()


@a_guest()
def gradients_asked_for_and_assigned(loop: Loop) -> None:
    parameters = list(loop.model.parameters())
    for _ in range(4):
        for one, found in zip(parameters, torch.autograd.grad(loop.loss(), parameters), strict=True):
            one.grad = found
        loop.end()


@a_guest()
def a_penalty_on_the_gradient(loop: Loop) -> None:
    for _ in range(4):
        loss = loop.loss()
        (found,) = torch.autograd.grad(loss, [loop.model.wte.weight], create_graph=True)
        (loss + found.square().sum()).backward()
        loop.end()


@a_guest()
def two_backward_passes_through_one_graph(loop: Loop) -> None:
    for _ in range(4):
        loss = loop.loss()
        loss.backward(retain_graph=True)
        (loss / 2).backward()
        loop.end()


def computed_again(reentrant: bool) -> Callable[[], Custom]:
    def logits(model: Any, ids: Tensor) -> Tensor:
        # With an input that needs a gradient, so that the reentrant kind has one.
        bound = torch.zeros((), requires_grad=True)
        part = checkpoint(lambda x, _: model.mid(model.wte(x)), ids, bound, use_reentrant=reentrant)
        return model.head(part)

    return lambda: Custom(logits)


guest("reentrant checkpointing", model=computed_again(True))
guest("checkpointing", model=computed_again(False))


@a_guest(late=True)
def hooks_that_change_gradients(loop: Loop) -> None:
    loop.model.wte.weight.register_hook(lambda gradient: gradient * 0.5)
    loop.begin()
    loop.model.wte.weight.register_hook(lambda gradient: gradient.clamp(-0.01, 0.01))
    loop.train()


def clip(loop: Loop, limit: float) -> None:
    loop.visit.note(nn.utils.clip_grad_norm_(loop.model.parameters(), limit))


def add_noise(loop: Loop) -> None:
    for one in loop.model.parameters():
        one.grad.add_(1e-3 * torch.randn_like(one.grad))


def accumulation(loop: Loop, between: Callable[[Loop], None], set_to_none: bool) -> None:
    for _ in range(3):
        for _ in range(4):
            (loop.loss() / 4).backward()
            between(loop)
        loop.end(set_to_none=set_to_none)


for to_none in (True, False):
    for what, between in {
        "clipped": partial(clip, limit=0.05),
        "clipped in vain": partial(clip, limit=1e6),
        "noise": add_noise,
    }.items():
        guest(
            f"accumulation, {what} between, set to {None if to_none else 0}",
            whole(3),
            body=partial(accumulation, between=between, set_to_none=to_none),
            optimizer=adamw,
        )


def habits_of_nanogpt(loop: Loop, before_clipping: bool, set_to_none: bool) -> None:
    """Evaluate, accumulate with the next batch there before this one's backward pass, and clip."""
    own: Any = loop.own
    ids = batch()
    for step in range(6):
        if step % 2 == 0:
            loop.model.eval()
            with torch.no_grad():
                loop.visit.note(loop.model(batch(), batch())[1])
            loop.model.train()
        for _ in range(3):
            loss = loop.loss(ids)
            ids = batch()
            (loss / 3).backward()
        if before_clipping:
            own.note_gradient(loop.optimizer)
        clip(loop, 0.1)
        if not before_clipping:
            own.note_gradient(loop.optimizer)
        loop.optimizer.step()
        loop.optimizer.zero_grad(set_to_none=set_to_none)
        own.note_step()


for gradient in ("as_used", "before_clipping"):
    for to_none in (True, False):
        guest(
            f"the habits of nanoGPT, {gradient}, set to {None if to_none else 0}",
            whole(6),
            body=partial(
                habits_of_nanogpt, before_clipping=gradient == "before_clipping", set_to_none=to_none
            ),
            optimizer=adamw,
            gradient=gradient,
        )


@a_guest()
def gradients_set_to_zero(loop: Loop) -> None:
    for _ in range(4):
        loop.loss().backward()
        loop.end(set_to_none=False)


@a_guest()
def sharpness_aware(loop: Loop) -> None:
    parameters = list(loop.model.parameters())
    for _ in range(4):
        ids = batch()
        loop.model(ids, ids)[1].backward()
        moves = [0.05 * one.grad for one in parameters]
        with torch.no_grad():
            torch._foreach_add_(parameters, moves)
        loop.optimizer.zero_grad()
        loop.loss(ids).backward()
        with torch.no_grad():
            torch._foreach_sub_(parameters, moves)
        loop.end()


@a_guest()
def evaluations_between(loop: Loop) -> None:
    for step in range(4):
        loop.train(1)
        loop.model.eval()
        with torch.no_grad() if step % 2 else torch.inference_mode():
            loop.visit.note(loop.model(batch(), batch())[1].item())
        loop.model.train()


@a_guest()
def passes_without_a_backward_pass(loop: Loop) -> None:
    """An evaluation with gradients on, a lookup alone, and a pass that is interrupted on its way back."""

    def interrupt(_: Tensor) -> None:
        raise KeyboardInterrupt

    for step in range(5):
        loop.model(batch(), batch())
        hidden = loop.model.wte(batch())
        if step == 2:
            hidden.sum()
            continue
        if step == 3:
            hooked = loop.model.mid.weight.register_hook(interrupt)
            try:
                loop.loss().backward()
            except KeyboardInterrupt:
                loop.visit.note("interrupted")
            hooked.remove()
            loop.optimizer.zero_grad()
            assert loop.own
            loop.own.forget()
        loop.train(1)


@a_guest()
def anomalies_looked_for(loop: Loop) -> None:
    with torch.autograd.detect_anomaly(check_nan=True):
        loop.train()


@a_guest()
def autocast(loop: Loop) -> None:
    for _ in range(4):
        with torch.autocast("cpu", torch.bfloat16):
            loss = loop.loss()
        loss.backward()
        loop.end()


@a_guest()
def a_loss_that_is_not_a_number(loop: Loop) -> None:
    loop.train(2)
    with torch.no_grad():
        loop.model.mid.bias.fill_(torch.nan)
    loop.train(2)


@a_guest()
def backward_in_another_thread(loop: Loop) -> None:
    for _ in range(4):
        thread = threading.Thread(target=loop.loss().backward)
        thread.start()
        thread.join()
        loop.end()


def changed_in_place(model: Any, ids: Tensor) -> Tensor:
    hidden = model.wte(ids)
    hidden += torch.arange(D) / 10
    hidden[:, 0] = 0
    return model.head(hidden.mul_(2).relu_())


def one_at_a_time(model: Any, ids: Tensor) -> Tensor:
    state, found = torch.zeros(D), []
    for token in ids.flatten():
        state = torch.tanh(model.mid(model.wte(token) + state))
        found.append(model.head(state))
    return torch.stack(found)


def a_batch_and_its_tokens(model: Any, ids: Tensor) -> Tensor:
    """Look up a batch, and each of its first row's tokens."""
    logits = model.head(model.mid(model.wte(ids)))
    return logits + sum(model.head(model.wte(one)) for one in ids[0])


guest("embeddings changed in place", model=lambda: Custom(changed_in_place))
guest("one token at a time", model=lambda: Custom(one_at_a_time))
guest(
    "lookups of one pass are joined",
    model=lambda: Custom(a_batch_and_its_tokens),
    count=lambda ids: torch.cat([ids.flatten(), ids[0]]),
)


@a_guest(whole(says="no loss"))
def two_passes_and_one_loss(loop: Loop) -> None:
    for _ in range(4):
        queries, answers = (loop.model(batch())[0].mean(1) for _ in range(2))
        loss = nn.functional.cross_entropy(queries @ answers.T, torch.arange(2))
        loop.visit.note(loss)
        loss.backward()
        loop.end()


@a_guest(whole(says="2 losses"))
def adversarial_embeddings(loop: Loop) -> None:
    weight = loop.model.wte.weight
    for _ in range(4):
        ids = batch()
        loop.loss(ids).backward()
        before = weight.data.clone()
        weight.data.add_(weight.grad / weight.grad.norm())
        loop.model(ids, ids)[1].backward()
        weight.data = before
        loop.end()


@a_guest(whole(3, exact=False))
def meta_learning(loop: Loop) -> None:
    parameters = dict(loop.model.named_parameters())
    for _ in range(3):
        inner = loop.loss()
        found = torch.autograd.grad(inner, list(parameters.values()), create_graph=True)
        fast = {name: one - 0.1 * g for (name, one), g in zip(parameters.items(), found, strict=True)}
        loss = loss_of(loop, fast, batch())
        loop.visit.note(loss)
        loss.backward()
        loop.end()


def closures(loop: Loop, failing: int | None = None) -> None:
    own: Any = loop.own
    for step in range(4):

        def closure(step: int = step) -> Tensor:
            loop.optimizer.zero_grad()
            loss = loop.loss()
            loss.backward()
            if step == failing:
                raise RuntimeError("not this one")
            own.note_gradient(loop.optimizer)
            return loss

        try:
            loop.optimizer.step(closure)
        except RuntimeError as error:
            loop.visit.note(str(error))
            own.forget()
        else:
            own.note_step()


guest("a closure that computes the gradient within the step", body=closures, optimizer=adamw)
guest("a closure that raises at times", whole(3), body=partial(closures, failing=1))


@a_guest()
def tensors_saved_elsewhere(loop: Loop) -> None:
    with torch.autograd.graph.save_on_cpu():
        loop.train()


@a_guest(whole(2), every=3)
def every_third_step_joins_what_was_read_since(loop: Loop) -> None:
    own: Any = loop.own
    for step in range(1, 8):
        loop.loss().backward()
        if step % 3 == 0:
            own.found = own.found[-1:]
            own.note_gradient(loop.optimizer)
            own.norms[-1] = own.norms[-1][:0]
        loop.optimizer.step()
        loop.optimizer.zero_grad()
        if step % 3 == 0:
            own.note_step()


def masked(loop: Loop) -> None:
    """Train on the tokens that are hidden, of which there is always one."""
    for _ in range(3):
        ids = batch()
        hidden = torch.where(torch.rand(ids.shape) < 0.5, 23, ids)
        targets = torch.where(hidden == ids, -100, ids)
        targets[0, 0] = ids[0, 0]
        loop.call = lambda given, _, targets=targets: loop.model(given, targets)[1]
        loop.loss(hidden).backward()
        loop.end()


guest("masked targets", whole(3), body=masked, optimizer=adamw)
