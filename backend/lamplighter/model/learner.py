"""A model with its optimisers, built from a recipe; and its state as named tensors and numbers: what a checkpoint holds,
what processes hand to each other, and what a fork copies into its own model.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, optim

from lamplighter.contract.recipe import OptimiserRecipe, Recipe
from lamplighter.model.sampled_softmax import NegativeSampler
from lamplighter.model.transformer import Transformer


def _keep_compiler_out() -> None:
    """Keep torch's optimisers from importing its compiler, which takes a second or more and is not used."""
    for method in vars(optim.Optimizer).values():
        wrapped = getattr(method, "__wrapped__", None)
        if wrapped is not None:
            setattr(wrapped, "__dynamo_disable", wrapped)  # torch's own mark; harmless if torch drops it


_keep_compiler_out()


class _Adam(optim.Adam):
    # Without torch's wrapper, which also disables gradients, but imports the compiler.
    step = torch.no_grad()(inspect.unwrap(optim.Adam.step))


class _SGD(optim.SGD):
    step = torch.no_grad()(inspect.unwrap(optim.SGD.step))


def choose_device(recipe: Recipe) -> torch.device:
    """Return the torch device for a recipe on this machine. Raises ValueError if the recipe names a device
    that this machine lacks, or that does not support its updates.
    """
    lazy = recipe.updates_lazily
    match recipe.device:
        case "auto":
            if torch.cuda.is_available():
                return torch.device("cuda")
            # Sparse gradients have no MPS kernels.
            return torch.device("mps" if torch.backends.mps.is_available() and not lazy else "cpu")
        case "cuda" if not torch.cuda.is_available():
            raise ValueError("device cuda: torch finds no CUDA GPU here; use auto or cpu")
        case "mps" if not torch.backends.mps.is_available():
            raise ValueError("device mps: torch finds no Apple GPU here; use auto or cpu")
        case "mps" if lazy:
            raise ValueError("device mps: it cannot update rows sparsely; use the optimiser adam, or cpu")
        case _:
            return torch.device(recipe.device)


def build_learner(
    recipe: Recipe, vocabulary: int, device: torch.device, counts: NDArray[np.integer] | None = None
) -> Learner:
    """Build the model and optimisers of a recipe in their initial state, determined bit for bit by the seed.
    `counts`: how often each token is in the text that is trained on, shape (V,); needed to train with a
    sampled softmax.
    """
    torch.manual_seed(recipe.seed)
    model = Transformer(recipe.model, vocabulary, sparse=recipe.updates_lazily).to(device)
    supports_bf16 = device.type == "cuda" and torch.cuda.is_bf16_supported()
    learner = make_learner(model, recipe.optimiser, torch.bfloat16 if supports_bf16 else None)
    if recipe.model.negatives is not None and counts is not None:
        learner.negatives = NegativeSampler(counts, recipe.model.negatives, recipe.seed)
    return learner


@dataclass
class Learner:
    """A model with its optimisers and its precision."""

    model: Transformer
    optimisers: list[optim.Optimizer]
    clip_norm: float
    autocast: torch.dtype | None = None
    """Lower precision of the forward pass (CUDA); None for 32 bits throughout."""
    frozen: tuple[torch.Tensor, ...] = ()
    """Parameters that are not updated."""
    negatives: NegativeSampler | None = None
    """The draws of a sampled softmax; None for a softmax over the whole vocabulary."""

    @property
    def device(self) -> torch.device:
        return self.model.embedding.weight.device

    @property
    def learning_rate(self) -> float:
        """Return the learning rate, before each parameter group's own factor."""
        group = self.optimisers[0].param_groups[0]
        return group["lr"] / group["factor"]

    def training_losses(self, ids: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        """Compute the losses to train on, as `Transformer.losses`; estimates of them where the softmax is
        sampled. Raises ValueError if the softmax is sampled, and the learner was built without the counts
        of the text.
        """
        if self.model.shape.negatives is None:
            return self.model.losses(ids, targets)
        if self.negatives is None:
            raise ValueError("a sampled softmax needs the counts of the text's tokens")
        return self.model.sampled_losses(ids, self.negatives.draw(ids, targets))

    def update(self) -> None:
        """Apply the gradients to all parameters that are not frozen."""
        gradients = [parameter.grad for parameter in self.frozen]
        for parameter in self.frozen:
            # Without a gradient torch leaves a parameter and its moments as they are.
            parameter.grad = None
        for optimiser in self.optimisers:
            optimiser.step()
        for parameter, gradient in zip(self.frozen, gradients, strict=True):
            parameter.grad = gradient

    def set_learning_rate(self, rate: float) -> None:
        """Set the learning rate; each parameter group applies its own factor."""
        for optimiser in self.optimisers:
            for group in optimiser.param_groups:
                group["lr"] = rate * group["factor"]


def make_learner(model: Transformer, recipe: OptimiserRecipe, autocast: torch.dtype | None = None) -> Learner:
    """Create the optimisers of a recipe for a model. Raises ValueError if the recipe requires lazy updates of
    a model whose embedding gradient is dense.
    """
    sparse = model.embedding.sparse
    if recipe.kind == "lazy" and not sparse:
        raise ValueError("lazy updates need a sparse embedding gradient")
    embedding = model.embedding.weight
    sampled = model.shape.negatives is not None
    lazy = [embedding, model.unembedding.weight] if sampled and recipe.kind == "lazy" else [embedding]
    rest = [parameter for parameter in model.parameters() if all(parameter is not one for one in lazy)]
    # A tied embedding is also the output matrix, which the faster rate would make unstable.
    factor = 1.0 if model.shape.tied else recipe.embedding_factor
    groups = [
        {"params": [embedding], "lr": recipe.learning_rate * factor, "factor": factor},
        *({"params": [table], "lr": recipe.learning_rate, "factor": 1.0} for table in lazy[1:]),
        {"params": rest, "lr": recipe.learning_rate, "factor": 1.0},
    ]
    # One pass over the weights instead of a dozen; other runs keep the bits of the latter.
    fused = sampled or None
    match recipe.kind:
        case "lazy":
            optimisers: list[optim.Optimizer] = [
                optim.SparseAdam(groups[:-1]),
                _Adam(groups[-1:], fused=fused),
            ]
        case "adam":
            decay = recipe.weight_decay or 0.0
            optimisers = [_Adam(groups, weight_decay=decay, decoupled_weight_decay=True, fused=fused)]
        case "sgd":
            optimisers = [_SGD(groups)]
    matrices = {"embedding": embedding, "output": model.unembedding.weight}
    return Learner(
        model, optimisers, recipe.clip_norm, autocast, tuple(matrices[name] for name in recipe.frozen)
    )


_MODEL, _OPTIMISER = "model.", "optimiser."
EMBEDDING_KEY = "model.embedding.weight"
"""The name of the embedding in a state."""


@dataclass(frozen=True)
class LearnerState:
    """The weights and the moments of a learner. The tensors are the learner's own until they are copied."""

    tensors: dict[str, Tensor]
    numbers: dict[str, Any]


def read_state(learner: Learner) -> LearnerState:
    """Return the state of a learner; tied weights are in it once."""
    tensors: dict[str, Tensor] = {}
    numbers: dict[str, Any] = {}
    for name, tensor in learner.model.state_dict().items():
        if not (learner.model.shape.tied and name == "unembedding.weight"):
            tensors[_MODEL + name] = tensor
    for index, optimiser in enumerate(learner.optimisers):
        for parameter, values in optimiser.state_dict()["state"].items():
            for name, value in values.items():
                key = f"{_OPTIMISER}{index}.{parameter}.{name}"
                if isinstance(value, Tensor):
                    tensors[key] = value
                else:
                    numbers[key] = value
    return LearnerState(tensors, numbers)


def write_state(learner: Learner, state: LearnerState) -> None:
    """Restore a learner from a state, which may have more tensors than the learner's. Moments are not copied.
    Raises KeyError, ValueError or RuntimeError if the state belongs to another model.
    """
    learner.model.load_state_dict(_weights_by_name(learner.model, state))
    _write_moments(learner, state)


def _weights_by_name(model: Transformer, state: LearnerState) -> dict[str, Tensor]:
    weights = {k.removeprefix(_MODEL): v for k, v in state.tensors.items() if k.startswith(_MODEL)}
    if model.shape.tied:
        weights["unembedding.weight"] = weights["embedding.weight"]
    return weights


def _write_moments(learner: Learner, state: LearnerState) -> None:
    for index, optimiser in enumerate(learner.optimisers):
        states: dict[int, dict[str, Any]] = {}
        for key, value in [*state.tensors.items(), *state.numbers.items()]:
            if key.startswith(f"{_OPTIMISER}{index}."):
                _, _, parameter, name = key.split(".", 3)
                states.setdefault(int(parameter), {})[name] = value
        optimiser.load_state_dict({**optimiser.state_dict(), "state": states})


def transplant(source: Learner, target: Learner, seed: int) -> None:
    """Copy the weights of `source` into `target`, which has the same shape but may have more rows, and the
    state of its optimisers if they are of the same kind.

    A new row is drawn, by `seed`, like the others: with the mean and the standard deviation of each of
    their numbers. Its moments are 0.
    """
    random = torch.Generator().manual_seed(seed)
    own = target.model.state_dict()
    drawn: dict[int, Tensor] = {}
    grown: dict[str, Tensor] = {}
    for name, tensor in source.model.state_dict().items():
        # Tied weights are one tensor under two names, and get the same rows.
        found = drawn.get(tensor.data_ptr())
        grown[name] = drawn[tensor.data_ptr()] = (
            _grow(tensor, own[name].shape[0], random) if found is None else found
        )
    target.model.load_state_dict(grown)
    if [type(one) for one in source.optimisers] != [type(one) for one in target.optimisers]:
        return
    for old, new in zip(source.optimisers, target.optimisers, strict=True):
        parameters = [parameter for group in new.param_groups for parameter in group["params"]]
        state = {
            number: {name: _pad(value, parameters[number]) for name, value in values.items()}
            for number, values in old.state_dict()["state"].items()
        }
        new.load_state_dict({**new.state_dict(), "state": state})


def _grow(tensor: Tensor, rows: int, random: torch.Generator) -> Tensor:
    more = rows - tensor.shape[0]
    if not more:
        return tensor
    deviation, mean = torch.std_mean(tensor, dim=0)
    noise = torch.randn(more, tensor.shape[1], generator=random).to(tensor)
    return torch.cat((tensor, mean + deviation * noise))


def _pad(value: Any, parameter: Tensor) -> Any:
    if not isinstance(value, Tensor) or not value.ndim or value.shape == parameter.shape:
        return value
    return torch.cat((value, value.new_zeros(parameter.shape[0] - value.shape[0], *value.shape[1:])))
