"""The counts of a step's passes, over several backward passes and over several merged steps, on their device."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any, cast

import torch
from torch import Tensor

from lamplighter.client.sharding.owned_part import is_split


@dataclass(frozen=True)
class TalliedBatch:
    """The passes of one step."""

    counts: Tensor
    """How often each slot was read, shape (V + 2,): ids below 0, the V rows, ids beyond the table."""
    loss_sum: Tensor
    losses: Tensor
    """The number of losses in the sum."""
    divided: bool
    """True if the trainer said that each loss is already divided by the tokens of the whole step."""
    undivided: Tensor | None
    """True if a gradient of 1 reached any of the losses, so that nothing divided it after the model. None if
    unknown."""
    unreadable: str | None
    """Why the ids are not all known; None if they are."""
    seen: bool
    """True if a pass was seen, outside of compiled graphs."""
    parts: frozenset[int]
    """The numbers of its passes and losses, without those in a compiled graph."""
    in_eval: bool
    """True if any of its passes was in eval mode."""
    divisor: Any = None
    """The number of tokens by which the trainer divides each loss, a number or a tensor; None if it is not known."""

    def joined_with(self, later: TalliedBatch, kept: Tensor | None = None) -> TalliedBatch:
        """Return the passes of both, which belong to one step. `kept`: a bool on the device, False if these
        belong to no step, so that only the later ones count."""
        counts, loss_sum, losses = self.counts, self.loss_sum, self.losses
        if kept is not None:
            # Use `where`: a NaN loss must not outlive its step.
            counts = counts * kept.to(counts.device)
            loss_sum = torch.where(kept.to(loss_sum.device), loss_sum, 0.0)
            losses = losses * kept.to(losses.device)
        return TalliedBatch(
            counts + later.counts,
            loss_sum + later.loss_sum,
            losses + later.losses,
            later.divided,
            undivided([self.undivided, later.undivided]),
            self.unreadable or later.unreadable,
            self.seen or later.seen,
            # Otherwise a loop that clears its gradients in place and steps without an optimiser would keep all of them.
            self.parts | later.parts if kept is None else later.parts,
            self.in_eval or later.in_eval,
            later.divisor,
        )


def undivided(gradients: Iterable[Tensor | None]) -> Tensor | None:
    """Return whether any of the losses' gradients is 1, on their device; None if none is known."""
    found = None
    for gradient in gradients:
        if gradient is not None:
            found = gradient == 1 if found is None else found | (gradient == 1)
    return found


@dataclass(frozen=True)
class JoinedSteps:
    """The steps of a loop since the last recorded one."""

    steps: int
    counts: Tensor
    """As those of a batch, shape (V + 2,)."""
    norms: Tensor | None
    """The largest norm of each row's gradient, shape (V,); None unless every step had a gradient."""
    seconds: float
    """Their duration in seconds, from the first forward pass of each to its end."""
    unreadable: str | None
    """Why the ids are not all known; None if they are."""
    seen: bool
    """True if a pass was seen, outside of compiled graphs."""

    def joined_with(self, later: JoinedSteps) -> JoinedSteps:
        both = self.norms is not None and later.norms is not None
        return JoinedSteps(
            self.steps + later.steps,
            self.counts + later.counts,
            torch.maximum(cast(Tensor, self.norms), cast(Tensor, later.norms)) if both else None,
            self.seconds + later.seconds,
            self.unreadable or later.unreadable,
            self.seen or later.seen,
        )


_CHANGED = "the gradient of a split embedding was changed between two backward passes of a step"


class StepWindow:
    """The batch of the current step, which grows with each backward pass until an optimiser steps. `split`:
    whether this process has only a part of the gradient."""

    def __init__(self, take: Callable[[TalliedBatch | None], TalliedBatch], *, split: bool) -> None:
        self._take, self._split = take, split
        self._batch: TalliedBatch | None = None
        self._seen: tuple[int, int] | None = None

    def join_passes(self, accumulated: Tensor | None) -> TalliedBatch:
        """Add the passes since the last backward pass to the step, and return them. `accumulated`: the
        weight's gradient before theirs is added."""
        if accumulated is None:
            # A cleared gradient begins a new step.
            self._batch = None
        before = self._batch
        passes = self._take(before)
        if before is None or accumulated is None:
            self._batch = passes
        elif _mark(accumulated) == self._seen:
            self._batch = before.joined_with(passes)
        elif not self._split:
            # It has changed: cleared to zeros, clipped, or averaged with other processes'. Decide on the device.
            self._batch = before.joined_with(passes, kept=_has_values(accumulated))
        elif bool(_has_values(accumulated)):
            self._batch = before.joined_with(passes)
        else:
            # The other processes' parts may have been cleared or not.
            self._batch = replace(passes, unreadable=_CHANGED)
        return passes

    def is_skipped(self, accumulated: Tensor | None) -> bool:
        """Return whether no optimiser took the current step: its accumulated gradient was cleared. May wait
        for the device."""
        if self._batch is None or accumulated is None:
            return self._batch is not None
        return _mark(accumulated) != self._seen and not bool(_has_values(accumulated))

    @property
    def is_open(self) -> bool:
        """Return whether the current step has had a backward pass."""
        return self._batch is not None

    def note_gradient(self, gradient: Tensor) -> None:
        self._seen = _mark(gradient)

    def take_batch(self) -> TalliedBatch:
        batch, self._batch = self._batch or self._take(None), None
        return batch

    def drop_batch(self) -> None:
        self._batch = None


def _local(gradient: Tensor) -> Tensor:
    return gradient.to_local() if is_split(gradient) else gradient  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType, reportUnknownVariableType]


def _mark(gradient: Tensor) -> tuple[int, int]:
    local = _local(gradient)
    return id(local), local._version


def _has_values(gradient: Tensor) -> Tensor:
    """Return whether a gradient has any value but 0, on its device."""
    local = _local(gradient)
    return (local._values() if local.is_sparse else local).any()
