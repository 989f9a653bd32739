"""A tally of a training step: how often its forward passes read each row, and the losses that they returned.

Its two hooks run inside somebody's forward pass. They add to tensors on the model's own device and never wait for it.
`torch.compile` takes them into its graph: they branch on nothing that changes from step to step, so nothing is compiled
again for them. Memory is V numbers, however many passes there are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class TalliedBatch:
    """The passes of one step, still on their device."""

    counts: Tensor
    """How often each row was read, shape (V,)."""
    loss_sum: Tensor
    losses: Tensor
    """The number of losses in the sum."""
    divided: bool
    """True if the trainer said that each loss is already divided by the tokens of the whole step."""
    upstream: Tensor | None
    """The gradient that reached the last loss, where it is known: 1 if nothing divided the loss after the model."""

    def joined_with(self, later: TalliedBatch) -> TalliedBatch:
        """Return the passes of both, which are of one step."""
        return TalliedBatch(
            self.counts + later.counts,
            self.loss_sum + later.loss_sum,
            self.losses + later.losses,
            later.divided,
            later.upstream,
        )


@dataclass(frozen=True)
class JoinedSteps:
    """The steps of a loop since the last that was recorded, on their device."""

    steps: int
    counts: Tensor
    """How often each row was read, shape (V,)."""
    norms: Tensor | None
    """The largest norm of each row's gradient, shape (V,); None unless every step had a gradient."""

    def joined_with(self, later: JoinedSteps) -> JoinedSteps:
        """Return the steps of both."""
        both = self.norms is not None and later.norms is not None
        return JoinedSteps(
            self.steps + later.steps,
            self.counts + later.counts,
            torch.maximum(cast(Tensor, self.norms), cast(Tensor, later.norms)) if both else None,
        )


class BatchTally:
    """The counts of the passes since they were last taken."""

    def __init__(self, rows: int, device: torch.device) -> None:
        self._counts = torch.zeros(rows, dtype=torch.int32, device=device)
        self._loss_sum = torch.zeros((), device=device)
        self._losses = torch.zeros((), dtype=torch.int32, device=device)
        # What a backward pass computes a second time (gradient checkpointing) is counted apart: it counts only where the
        # first computation was without gradients, and so was not counted.
        self._again = torch.zeros(rows, dtype=torch.int32, device=device)
        self._divided = False
        self._upstream: Tensor | None = None
        self.touched = False
        """True if a forward pass was counted since the counts were last taken."""

    def count_ids(self, module: nn.Module, args: Any, kwargs: Mapping[str, Any], output: Any) -> None:
        """Count the ids that the embedding has just looked up. A forward hook of the embedding."""
        if not (module.training and torch.is_grad_enabled()):
            return
        ids = args[0] if args else kwargs.get("input")
        if ids is None:
            return
        ids = ids.detach().reshape(-1)
        # Written and never read in here: to read it would compile a graph for each value.
        self.touched = True
        if not torch.compiler.is_compiling():
            if self._counts.device != ids.device:
                self._move(ids.device)
            if in_backward():
                self._again.index_add_(0, ids, torch.ones_like(ids, dtype=torch.int32))
                return
        self._counts.index_add_(0, ids, torch.ones_like(ids, dtype=torch.int32))

    def add_loss(self, module: nn.Module, args: Any, kwargs: Mapping[str, Any], output: Any) -> None:
        """Add the loss that the model has just returned, if it returned one. A forward hook of the model."""
        if not (module.training and torch.is_grad_enabled()):
            return
        loss = find_loss(output)
        if loss is None:
            return
        if not torch.compiler.is_compiling():
            if in_backward():
                return
            if self._loss_sum.device != loss.device:
                self._loss_sum = self._loss_sum.to(loss.device)
                self._losses = self._losses.to(loss.device)
            if loss.requires_grad:
                loss.register_hook(self._note_upstream)
        self._loss_sum.add_(loss.detach())
        self._losses.add_(1)
        self._divided = kwargs.get("num_items_in_batch") is not None

    def take_batch(self) -> TalliedBatch:
        """Return the counts since the last time, and begin anew."""
        counts = torch.where(self._counts.any(), self._counts, self._again)
        taken = TalliedBatch(
            counts, self._loss_sum.clone(), self._losses.clone(), self._divided, self._upstream
        )
        # In place: a compiled graph holds these very tensors.
        for tensor in (self._counts, self._again, self._loss_sum, self._losses):
            tensor.zero_()
        self._upstream, self.touched = None, False
        return taken

    def _note_upstream(self, gradient: Tensor) -> None:
        self._upstream = gradient.detach()

    def _move(self, device: torch.device) -> None:
        self._counts, self._again = self._counts.to(device), self._again.to(device)


def in_backward() -> bool:
    """Return whether this thread is inside a backward pass, which computes again what checkpointing did not keep."""
    return torch._C._current_graph_task_id() != -1  # pyright: ignore[reportPrivateUsage, reportAttributeAccessIssue]


def find_loss(output: Any) -> Tensor | None:
    """Return the loss in what a model returned: `.loss`, the item "loss", or the first scalar; None if there is none."""
    named = output.get("loss") if isinstance(output, Mapping) else getattr(output, "loss", None)  # pyright: ignore[reportUnknownVariableType]
    if named is not None:
        found = [named]
    elif isinstance(output, Mapping):
        found = list(cast("Mapping[Any, Any]", output).values())
    else:
        found = list(cast("tuple[Any, ...]", output)) if isinstance(output, tuple | list) else [output]
    for value in found:
        if isinstance(value, Tensor) and value.ndim == 0 and value.is_floating_point():
            return value
    return None
