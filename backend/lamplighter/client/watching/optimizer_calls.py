"""The calls of an optimiser's `step`, as its hooks see them."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from itertools import count
from types import FrameType
from typing import Any

from torch import Tensor
from torch.amp.grad_scaler import GradScaler
from torch.optim.optimizer import Optimizer

_CALLERS = 12
"""Number of stack frames to check; there are four between a scaler and a hook."""
_STEP = Optimizer.profile_hook_step(Optimizer.step).__code__
"""The function with which torch wraps each optimiser's `step` and which calls the hooks."""


def group_of(optimizer: Optimizer, weight: Tensor) -> dict[str, Any] | None:
    groups = optimizer.param_groups
    return next((group for group in groups if any(one is weight for one in group["params"])), None)


def has_closure(args: Any, kwargs: Any) -> bool:
    """Return whether a step was called with a closure, which computes the gradient during the step. `args[0]`
    is the optimiser."""
    return any(argument is not None for argument in args[1:]) or kwargs.get("closure") is not None


def called_by_scaler() -> bool:
    """Return whether a step was called by a GradScaler, by inspecting the call stack, the only indication."""
    return any(frame.f_code is GradScaler.step.__code__ for frame in _callers())


def called_by_optimizer_of(weight: Tensor) -> bool:
    """Return whether the step that has just ended is part of an unfinished one: of the same optimiser, whose class
    calls its parent's step, or of an enclosing one."""
    steps = [frame for frame in _callers() if frame.f_code is _STEP]
    return any(group_of(frame.f_locals["args"][0], weight) is not None for frame in steps[1:])


def is_within_step() -> bool:
    return any(frame.f_code is _STEP for frame in _callers(None))


def _callers(most: int | None = _CALLERS) -> Iterator[FrameType]:
    frame = inspect.currentframe()
    for _ in count() if most is None else range(most):
        if frame is None:
            return
        yield frame
        frame = frame.f_back
