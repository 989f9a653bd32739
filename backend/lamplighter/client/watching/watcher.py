"""The hooks of a watched training.

A forward pass is counted when it runs and joins its step when its backward pass reaches the embedding: so the passes of a
step that a GradScaler skipped, and a batch fetched too early, join no other. A step ends when an optimiser that holds this
very weight has stepped.
"""

from __future__ import annotations

import atexit
import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Any, Literal, ParamSpec, cast

import torch
from torch import Tensor, nn
from torch.optim.optimizer import (
    Optimizer,
    register_optimizer_step_post_hook,
    register_optimizer_step_pre_hook,
)

from lamplighter.client.errors import InputError
from lamplighter.client.recorder import Recorder
from lamplighter.client.watching.batch_tally import BatchTally, JoinedSteps, TalliedBatch
from lamplighter.client.watching.optimizer_calls import called_by_scaler, group_of, has_closure
from lamplighter.client.watching.scalar_log import read_number
from lamplighter.client.watching.step_writer import StepWriter
from lamplighter.client.watching.weight_diff import WeightDiff, row_norms

GradientKind = Literal["as_used", "before_clipping"]
P = ParamSpec("P")

_UNSEEN_STEPS = 1_000
"""Steps of other optimisers, or backward passes, without a step of the embedding's own, after which that is said."""


class Watcher:
    """The record of a training, made by hooks: `lamplighter.watch` attaches it, `close` takes the hooks away.

    It ends by itself when the program does. Used in a `with`, it ends with the block, and an exception there interrupts
    the run.
    """

    def __init__(
        self,
        model: nn.Module,
        embedding: nn.Module,
        recorder: Recorder,
        diff: WeightDiff,
        *,
        every: int,
        gradient: GradientKind | None,
        first_step: int,
        raises: bool,
        shared: bool,
    ) -> None:
        """Install the hooks.

        Args:
            model: the model, unwrapped.
            embedding: the module in it that looks tokens up.
            recorder: the record, begun with `diff`.
            diff: a comparison with the weight as it is now.
            every: the steps for each one that is recorded.
            gradient: which gradient is recorded.
            first_step: the number of the last step before.
            raises: whether an error ends the training rather than the record.
            shared: whether several processes train together.
        """
        self._model, self._embedding, self._weight = model, embedding, cast(Tensor, embedding.weight)
        self._recorder, self._writer = recorder, StepWriter(recorder, diff, shared=shared)
        run = recorder.run
        self.folder = None if run is None else run.path
        """The run's folder; None where nothing is recorded."""
        self._every, self._gradient, self._raises, self._shared = every, gradient, raises, shared
        self._tally = BatchTally(len(self._weight), self._weight.device)
        self._window: TalliedBatch | None = None
        self._joined: JoinedSteps | None = None
        self._norms: Tensor | None = None
        self._grad_seen: tuple[int, int] | None = None
        self._next_loss: float | None = None
        self._unseen = 0
        self._process = os.getpid()
        self._lock = threading.RLock()
        self._returned = time.perf_counter()
        self._recorded = first_step
        self.step = first_step
        """The number of the last step that ended, whether it is recorded or not."""
        self.next_step: int | None = None
        """The number of the step under way, where the loop has numbers of its own; otherwise the steps are counted."""
        self.closed = False
        self._hooks: list[Any] = [
            embedding.register_forward_hook(self._tally.count_ids, with_kwargs=True),
            model.register_forward_hook(self._tally.add_loss, with_kwargs=True),
            self._weight.register_hook(self._guarded(self._on_backward)),
            self._weight.register_post_accumulate_grad_hook(self._guarded(self._on_gradient)),  # pyright: ignore[reportAttributeAccessIssue]
            register_optimizer_step_pre_hook(self._guarded(self._before_step)),
            register_optimizer_step_post_hook(self._guarded(self._after_step)),
        ]
        atexit.register(self._close_at_exit)

    def __enter__(self) -> Watcher:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close(error)

    def log(self, *, loss: Any = None, **scalars: Any) -> None:
        """Hand over numbers that only the loop knows.

        Args:
            loss: the loss of the step under way or, after `optimizer.step()` and before the next backward pass, of the step
                that has just ended, in nats a token. It wins over the loss that the model returned.
            scalars: other numbers by name, kept as curves over the steps.

        Raises:
            InputError: something is no number, or a name cannot be kept; only where `on_error` is "raise".
        """
        self._guarded(self._log)(loss, scalars)

    def close(self, error: BaseException | None = None) -> None:
        """Remove the hooks and end the record.

        Args:
            error: the exception that ended the training, if one did.
        """
        if self.closed:
            return
        self._guarded(self._finish)()
        self._recorder.__exit__(type(error) if error else None, error, None)

    def _close_at_exit(self) -> None:
        # The recorder has a look at how the program ended, and closes itself.
        self._guarded(self._finish)()

    def _finish(self) -> None:
        if not self._writer.write_end():
            self._writer.warn_once("no step was recorded: " + self._why_nothing())
        self._detach()

    def _detach(self) -> None:
        self.closed = True
        self._writer.note_interruption()
        atexit.unregister(self._close_at_exit)
        for hook in self._hooks:
            hook.remove()
        self._hooks = []

    def _guarded(self, hook: Callable[P, None]) -> Callable[P, None]:
        """Wrap a hook, so that no error of ours reaches the training, unless that is wanted."""

        def guarded(*args: P.args, **kwargs: P.kwargs) -> None:
            # A forked process has the hooks, too, and must not write; a compiled optimiser cannot hold them.
            if self.closed or os.getpid() != self._process or torch.compiler.is_compiling():
                return
            try:
                with self._lock, torch.no_grad():
                    hook(*args, **kwargs)
            except Exception as error:
                # What ended well before the error is kept, if it can be.
                with suppress(Exception):
                    self._writer.write_held()
                self._detach()
                if self._raises:
                    self._recorder.__exit__(type(error), error, None)
                    raise
                self._recorder.end_with(error)

        return guarded

    def _on_backward(self, gradient: Tensor) -> None:
        """Join the passes since the last backward pass to their step."""
        self._writer.write_held()
        passes = self._tally.take_batch()
        accumulated = self._weight.grad
        # Gradients that were cleared, by whatever name, begin a step. Other processes' gradients are added in between,
        # so there only a gradient that is gone tells.
        fresh = accumulated is None or (
            not self._shared and (id(accumulated), accumulated._version) != self._grad_seen
        )
        self._window = passes if fresh or self._window is None else self._window.joined_with(passes)

    def _on_gradient(self, weight: Tensor) -> None:
        gradient = weight.grad
        if gradient is None:
            return
        self._grad_seen = id(gradient), gradient._version
        if self._gradient == "before_clipping":
            self._norms = row_norms(gradient)
        self._note_other_step()

    def _note_other_step(self) -> None:
        if self._embedding.weight is not self._weight:
            raise InputError(
                "the embedding's weight was replaced by another: watch the model once it is as it stays"
            )
        self._unseen += 1
        if self._unseen == _UNSEEN_STEPS:
            self._writer.warn_once(self._why_nothing())

    def _number(self) -> int:
        return self.step + 1 if self.next_step is None else self.next_step

    def _is_due(self) -> bool:
        # As the recorder sees it: the first step behind a multiple, where a loop leaves numbers out.
        return self._number() // self._every > self._recorded // self._every

    def _before_step(self, optimizer: Optimizer, args: Any, kwargs: Any) -> None:
        if self._gradient is None or group_of(optimizer, self._weight) is None:
            return
        if self._gradient == "before_clipping":
            if called_by_scaler():
                raise InputError(
                    'gradient="before_clipping" cannot be with a GradScaler: the gradient is scaled then; use "as_used"'
                )
        elif not has_closure(args, kwargs) and self._weight.grad is not None:
            self._norms = row_norms(self._weight.grad, getattr(optimizer, "grad_scale", None))

    def _after_step(self, optimizer: Optimizer, args: Any, kwargs: Any) -> None:
        group = group_of(optimizer, self._weight)
        if group is None:
            self._note_other_step()
            return
        found_inf = getattr(optimizer, "found_inf", None)
        if found_inf is not None and bool(found_inf):
            # The optimiser is fused: it is called, and skips its step by itself.
            self._window = self._norms = None
            return
        ended, seconds = time.time(), time.perf_counter() - self._returned
        self._writer.write_held()
        due = self._is_due()
        self.step, self.next_step, self._unseen = self._number(), None, 0
        batch, self._window = self._window or self._tally.take_batch(), None
        if self._gradient == "as_used" and has_closure(args, kwargs) and self._weight.grad is not None:
            # The gradient was computed within the step; a scaler allows no closure.
            self._norms = row_norms(self._weight.grad)
        step = JoinedSteps(1, batch.counts, self._norms)
        self._joined = step if self._joined is None else self._joined.joined_with(step)
        self._norms = None
        if due:
            joined, self._joined = self._joined, None
            self._writer.hold(
                self._weight,
                joined,
                batch,
                number=self.step,
                rate=group.get("lr"),
                ended=ended,
                seconds=seconds,
                loss=self._next_loss,
            )
            self._recorded = self.step
            self._returned = time.perf_counter()
        self._next_loss = None

    def _log(self, loss: Any, scalars: dict[str, Any]) -> None:
        try:
            value = None if loss is None else read_number(loss, "loss")
            self._writer.scalars.log_scalars(scalars)
        except InputError as error:
            if self._raises:
                raise
            # Of a number that cannot be kept nothing else depends.
            self._writer.warn_once(str(error))
            return
        if value is None:
            return
        if self._tally.touched or not self._writer.tell_loss(value):
            self._next_loss = value

    def _why_nothing(self) -> str:
        return (
            f"no optimiser has stepped with this embedding ({tuple(self._weight.shape)}) in its parameters. If the model"
            " was given another embedding (resize_token_embeddings), or the optimiser holds other weights, watch it anew"
        )
