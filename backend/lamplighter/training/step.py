"""One training step: predict, compare, backpropagate, update. It knows no observer.

Afterwards the gradients are still there, clipped as they were applied, so that whoever watches reads them
from the same tensors.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn, optim

from lamplighter.recipe import OptimiserRecipe
from lamplighter.training.transformer import Transformer


@dataclass
class Learner:
    """A model, what updates it, and at which precision it computes."""

    model: Transformer
    optimisers: list[optim.Optimizer]
    clip_norm: float
    autocast: torch.dtype | None = None
    """Lower precision of the forward pass (CUDA); None: all in 32 bits."""

    @property
    def device(self) -> torch.device:
        """Where the model is."""
        return self.model.embedding.weight.device

    def set_learning_rate(self, rate: float) -> None:
        """Set the learning rate; each group keeps its own factor of it."""
        for optimiser in self.optimisers:
            for group in optimiser.param_groups:
                group["lr"] = rate * group["factor"]


def make_learner(model: Transformer, recipe: OptimiserRecipe, autocast: torch.dtype | None = None) -> Learner:
    """The optimisers of a recipe for a model.

    Raises:
        ValueError: the recipe asks for lazy updates of a model whose embedding gradient is dense.
    """
    sparse = model.embedding.sparse
    if recipe.kind == "lazy" and not sparse:
        raise ValueError("lazy updates need a sparse embedding gradient")
    embedding = model.embedding.weight
    rest = [parameter for parameter in model.parameters() if parameter is not embedding]
    # A tied embedding also predicts: there the faster rate would shake the output.
    factor = 1.0 if model.shape.tied else recipe.embedding_factor
    groups = [
        {"params": [embedding], "lr": recipe.learning_rate * factor, "factor": factor},
        {"params": rest, "lr": recipe.learning_rate, "factor": 1.0},
    ]
    match recipe.kind:
        case "lazy":
            optimisers: list[optim.Optimizer] = [optim.SparseAdam(groups[:1]), optim.Adam(groups[1:])]
        case "adam":
            optimisers = [optim.Adam(groups)]
        case "sgd":
            optimisers = [optim.SGD(groups)]
    return Learner(model, optimisers, recipe.clip_norm, autocast)


@dataclass(frozen=True)
class StepResult:
    """What a step yields: scalar tensors on the model's device, not read, so not waited for."""

    loss: Tensor
    """Of the batch, before the update."""
    clip_scale: Tensor
    """What all gradients were multiplied by, at most 1."""
    gradient_norms: Tensor
    """Of each parameter's gradient, as `model.parameters()` has them, before clipping, which measured them."""


def train_step(learner: Learner, ids: Tensor, targets: Tensor) -> StepResult:
    """One step on a batch.

    Args:
        learner: changed in place.
        ids: (B, T) token ids.
        targets: (B, T) the ids that follow each.
    """
    for optimiser in learner.optimisers:
        optimiser.zero_grad(set_to_none=True)
    with torch.autocast(learner.device.type, learner.autocast, enabled=learner.autocast is not None):
        loss = learner.model(ids, targets)
    loss.backward()
    clip_scale, norms = clip_gradients(learner.model, learner.clip_norm)
    for optimiser in learner.optimisers:
        optimiser.step()
    return StepResult(loss.detach(), clip_scale, norms)


def clip_gradients(model: nn.Module, limit: float) -> tuple[Tensor, Tensor]:
    """Scale all gradients so that together they are no longer than `limit`; sparse ones are coalesced.

    torch's own `clip_grad_norm_` refuses sparse gradients; its fused kernels, which this calls as well, have
    no public name.

    Returns:
        What they were multiplied by, a scalar tensor, at most 1; and the norm of each before that, as
        `model.parameters()` has them.
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
