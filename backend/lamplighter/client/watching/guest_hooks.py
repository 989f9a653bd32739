"""The hooks of a watcher in an external training, and what they see of an optimiser's calls.

None is on a module, and none raises our errors. The forward hooks are torch's global ones, filtered by identity,
because a module's hook is pickled with it and prevents `torch.jit.script`. They hold no model, so that a dropped model
is freed.
"""

from __future__ import annotations

import inspect
import os
import threading
import warnings
import weakref
from collections.abc import Callable, Iterator, Mapping
from itertools import count
from types import FrameType
from typing import Any, ParamSpec

import torch
from torch import Tensor, nn
from torch.amp.grad_scaler import GradScaler
from torch.autograd import Variable
from torch.nn.modules import module as torch_module
from torch.optim.optimizer import (
    Optimizer,
    register_optimizer_step_post_hook,
    register_optimizer_step_pre_hook,
)

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


P = ParamSpec("P")
_is_exporting = getattr(torch.compiler, "is_exporting", lambda: False)
ForwardHook = Callable[[nn.Module, Any, Mapping[str, Any], Any], None]


class GuestHooks:
    """The hooks of one watcher, guarded so that its errors do not reach the training.

    `on_error` is called with an error of a hook; an exception that it raises reaches the loop.
    """

    def __init__(self, on_error: Callable[[Exception], None]) -> None:
        self._on_error = on_error
        self._process, self._lock = os.getpid(), threading.RLock()
        self._on_model: list[Any] = []
        self._on_optimizers: list[Any] = []
        self.silent = False
        """True once all hooks are inactive."""

    def install_on_weight(self, weight: Tensor, on_backward: Any, on_gradient: Any) -> None:
        self._on_model += [
            weight.register_hook(self.guarded(on_backward)),
            weight.register_post_accumulate_grad_hook(self.guarded(on_gradient)),  # pyright: ignore[reportAttributeAccessIssue]
        ]

    def call_after_backward(self, hook: Callable[[], None]) -> None:
        """Call a hook once at the end of the backward pass that is running."""
        Variable._execution_engine.queue_callback(self.guarded(hook))  # pyright: ignore[reportPrivateUsage, reportAttributeAccessIssue, reportUnknownMemberType]

    def install_on_optimizers(self, before_step: Any, after_step: Any) -> None:
        """Install hooks on every optimiser of the program."""
        self._on_optimizers += [
            register_optimizer_step_pre_hook(self.guarded(before_step)),
            register_optimizer_step_post_hook(self.guarded(after_step)),
        ]

    def install_on_modules(self, *hooks: tuple[nn.Module, ForwardHook]) -> None:
        """Install hooks on forward passes with gradients enabled, each for one module, without keeping it alive."""
        wanted = [(weakref.ref(module), hook, self.guarded(hook)) for module, hook in hooks]

        def on_forward(module: nn.Module, args: Any, kwargs: Any, output: Any) -> None:
            if not torch.is_grad_enabled():
                return
            for reference, hook, guarded in wanted:
                if module is reference():
                    if torch.compiler.is_compiling():
                        # Count only in compiled graphs, not in exported ones.
                        if not (self.silent or _is_exporting()):
                            hook(module, args, kwargs, output)
                    elif not torch._C._get_tracing_state():  # pyright: ignore[reportPrivateUsage, reportAttributeAccessIssue]
                        guarded(module, args, kwargs, output)

        # Dynamo caches graphs by code object, and would give this watcher the graph of another.
        on_forward.__code__ = on_forward.__code__.replace()
        # Torch warns at each call of a compiled model while there is a global hook; ours is idempotent.
        warnings.filterwarnings(
            "ignore", r"Using `torch.compile\(module\)` when there are global hooks on modules"
        )
        self._on_model.append(torch_module.register_module_forward_hook(on_forward, with_kwargs=True))

    def install_before_modules(self, hook: Callable[[nn.Module, Any], None]) -> None:
        """Install a hook before the forward pass of every module of the program, ahead of its own. It must not fail."""
        self._on_model.append(torch_module.register_module_forward_pre_hook(hook))

    def guarded(self, hook: Callable[P, None]) -> Callable[P, None]:
        """Wrap a hook, so that our errors do not reach the training unless requested."""

        def guarded(*args: P.args, **kwargs: P.kwargs) -> None:
            # A forked process has the hooks too, but must not write; compiled optimisers and CUDA graphs cannot hold
            # them.
            if (
                self.silent
                or torch.compiler.is_compiling()
                or os.getpid() != self._process
                or _is_capturing()
            ):
                return
            try:
                with self._lock, torch.no_grad():
                    hook(*args, **kwargs)
            except Exception as error:  # noqa: BLE001 (after any error the training goes on)
                self._on_error(error)

        # Otherwise torch warns that the hook is not saved when a tensor with it is saved.
        guarded.__torch_unserializable__ = True  # pyright: ignore[reportFunctionMemberAccess]
        return guarded

    def leave(self) -> None:
        """Remove all hooks. Within an optimiser's step, those on optimisers stay inactive, because torch iterates over
        them."""
        self.silent = True
        _remove(self._on_model)
        if not is_within_step():
            _remove(self._on_optimizers)


def _is_capturing() -> bool:
    """Return whether a CUDA graph is being captured, which must not wait for the device."""
    return torch.cuda.is_initialized() and torch.cuda.is_current_stream_capturing()


def _remove(handles: list[Any]) -> None:
    while handles:
        handle = handles.pop()
        handle.remove()
        # torch does not reset this, and assumes that the hook still exists.
        torch_module._global_forward_hooks_with_kwargs.pop(handle.id, None)  # pyright: ignore[reportPrivateUsage]
