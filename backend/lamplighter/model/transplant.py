"""The learner of a fork: another's weights and, with the same optimiser, its state; with new rows where words were added."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from lamplighter.model.learner import Learner


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
