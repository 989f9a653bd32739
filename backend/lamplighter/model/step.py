"""One training step: predict, compare, backpropagate, update. Independent of any observer.

The clipped gradients remain on the tensors afterwards, for an observer to read.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from lamplighter.model.learner import Learner


@dataclass(frozen=True)
class StepResult:
    """The result of a step: tensors on the model's device, not read back, so that the step does not wait."""

    loss: Tensor
    """Loss of the batch before the update, a scalar; an estimate where the softmax is sampled."""
    token_losses: Tensor
    """Loss of each token of the batch, nats, shape (B T,)."""
    clip_scale: Tensor
    """Factor applied to all gradients, at most 1, a scalar."""
    gradient_norms: Tensor
    """Norm of each parameter's gradient before clipping, in the order of `model.parameters()`."""


ComputeGradients = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]
"""Leaves the gradients of a batch on the model; returns its loss, and that of each token (`Learner.training_losses`)."""


def train_step(
    learner: Learner, ids: Tensor, targets: Tensor, compute: ComputeGradients | None = None
) -> StepResult:
    """Train on one batch of token ids and next token ids, shape (B, T). `compute`: how the gradients are
    computed, if not by this process alone.
    """
    for optimiser in learner.optimisers:
        optimiser.zero_grad(set_to_none=True)
    if compute is None:
        with torch.autocast(learner.device.type, learner.autocast, enabled=learner.autocast is not None):
            loss, token_losses = learner.training_losses(ids, targets)
        loss.backward()
    else:
        loss, token_losses = compute(ids, targets)
    clip_scale, norms = clip_gradients(learner.model, learner.clip_norm)
    learner.update()
    return StepResult(loss.detach(), token_losses, clip_scale, norms)


def clip_gradients(model: nn.Module, limit: float) -> tuple[Tensor, Tensor]:
    """Scale all gradients so that their total norm is at most `limit`; coalesce the sparse ones. Return the
    factor applied, a scalar tensor, at most 1; and the norm of each gradient before, in the order of
    `model.parameters()`.

    torch's own `clip_grad_norm_` rejects sparse gradients; the fused kernels that it and this function
    call have no public names.
    """
    values: list[Tensor] = []
    for parameter in model.parameters():
        gradient = parameter.grad
        assert gradient is not None, "a parameter got no gradient"
        if gradient.is_sparse:
            gradient = gradient.coalesce()
            parameter.grad = gradient
            values.append(gradient.values())
        else:
            values.append(gradient)
    norms = torch.stack(torch._foreach_norm(values))  # pyright: ignore[reportPrivateUsage, reportPrivateImportUsage]
    scale = torch.clamp(limit / (torch.linalg.vector_norm(norms) + 1e-6), max=1.0)
    torch._foreach_mul_(values, scale)  # pyright: ignore[reportPrivateUsage, reportPrivateImportUsage]
    return scale, norms
