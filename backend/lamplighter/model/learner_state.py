"""The state of a learner as named tensors and numbers: what a checkpoint holds, what processes hand to each other, and
what a fork copies into its own model.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from lamplighter.contract.recipe import Recipe
from lamplighter.model.learner import Learner, make_learner
from lamplighter.model.transformer import Transformer

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


def learner_of_state(recipe: Recipe, vocabulary: int, state: LearnerState) -> Learner:
    """Return a learner of untied weights whose tensors are those of a state, which are not copied."""
    # One row is soon drawn, and replaced. On the meta device none would be, but torch takes a second to load it.
    model = Transformer(recipe.model, 1, sparse=recipe.updates_lazily)
    weights = _weights_by_name(model, state)
    model.embedding.num_embeddings = model.unembedding.out_features = vocabulary
    model.embedding.weight = nn.Parameter(weights["embedding.weight"])
    model.unembedding.weight = nn.Parameter(weights["unembedding.weight"])
    model.load_state_dict(weights, assign=True)
    learner = make_learner(model, recipe.optimiser)
    _write_moments(learner, state)
    return learner


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


def keys_of_rows(learner: Learner) -> set[str]:
    """Return the names of the tensors in a learner's state with a row for each token: both matrices and their moments."""
    model = learner.model
    tables = {id(model.embedding.weight), id(model.unembedding.weight)}
    keys = {f"{_MODEL}{name}" for name, one in model.named_parameters() if id(one) in tables}
    for index, optimiser in enumerate(learner.optimisers):
        parameters = [one for group in optimiser.param_groups for one in group["params"]]
        for number, values in optimiser.state_dict()["state"].items():
            if id(parameters[number]) in tables:
                keys |= {
                    f"{_OPTIMISER}{index}.{number}.{name}"
                    for name, value in values.items()
                    if isinstance(value, torch.Tensor) and value.ndim
                }
    return keys


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
