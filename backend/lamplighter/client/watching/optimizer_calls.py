"""The calls of an optimiser's `step`, as its hooks see them."""

from __future__ import annotations

import inspect
from typing import Any

from torch import Tensor
from torch.amp.grad_scaler import GradScaler
from torch.optim.optimizer import Optimizer

_CALLERS = 12
"""Callers among which a scaler is looked for; there are four between it and a hook."""


def group_of(optimizer: Optimizer, weight: Tensor) -> dict[str, Any] | None:
    """Return the group of an optimiser's parameters that this very weight is in; None if it is in none."""
    groups = optimizer.param_groups
    return next((group for group in groups if any(one is weight for one in group["params"])), None)


def has_closure(args: Any, kwargs: Any) -> bool:
    """Return whether a step was called with a closure, which computes the gradient within it.

    Args:
        args: the arguments as a hook gets them: the first is the optimiser itself.
        kwargs: the arguments by name.
    """
    return any(argument is not None for argument in args[1:]) or kwargs.get("closure") is not None


def called_by_scaler() -> bool:
    """Return whether a step was called by a GradScaler, found among the callers: it says so nowhere else."""
    frame = inspect.currentframe()
    for _ in range(_CALLERS):
        if frame is None:
            return False
        if frame.f_code is GradScaler.step.__code__:
            return True
        frame = frame.f_back
    return False
