"""One training step: predict, compare, backpropagate, update. Independent of any observer.

The gradients remain afterwards, clipped as they were applied, so that an observer can read them from the same
tensors.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn, optim

from lamplighter.model.transformer import Transformer
from lamplighter.recipe import OptimiserRecipe


@dataclass
class Learner:
    """A model with its optimisers and its precision."""

    model: Transformer
    optimisers: list[optim.Optimizer]
    clip_norm: float
    autocast: torch.dtype | None = None
    """Lower precision of the forward pass (CUDA); None for 32 bits throughout."""

    @property
    def device(self) -> torch.device:
        """Return the device of the model."""
        return self.model.embedding.weight.device

    def set_learning_rate(self, rate: float) -> None:
        """Set the learning rate; each parameter group applies its own factor."""
        for optimiser in self.optimisers:
            for group in optimiser.param_groups:
                group["lr"] = rate * group["factor"]


def make_learner(model: Transformer, recipe: OptimiserRecipe, autocast: torch.dtype | None = None) -> Learner:
    """Create the optimisers of a recipe for a model.

    Raises:
        ValueError: the recipe requires lazy updates of a model whose embedding gradient is dense.
    """
    sparse = model.embedding.sparse
    if recipe.kind == "lazy" and not sparse:
        raise ValueError("lazy updates need a sparse embedding gradient")
    embedding = model.embedding.weight
    rest = [parameter for parameter in model.parameters() if parameter is not embedding]
    # A tied embedding is also the output matrix, which the faster rate would make unstable.
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
    """The result of a step: tensors on the model's device, not read back, so that the step need not wait."""

    loss: Tensor
    """Loss of the batch before the update, a scalar."""
    clip_scale: Tensor
    """Factor applied to all gradients, at most 1, a scalar."""
    gradient_norms: Tensor
    """Norm of each parameter's gradient before clipping, in the order of `model.parameters()`."""


def train_step(learner: Learner, ids: Tensor, targets: Tensor) -> StepResult:
    """Train on one batch.

    Args:
        learner: the learner, changed in place.
        ids: token ids, shape (B, T).
        targets: the next token ids, shape (B, T).
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
    """Scale all gradients so that their total norm is at most `limit`; coalesce the sparse ones.

    torch's own `clip_grad_norm_` rejects sparse gradients; the fused kernels that it and this function call have
    no public names.

    Returns:
        The factor applied, a scalar tensor, at most 1; and the norm of each gradient before clipping, in the
        order of `model.parameters()`.
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
