"""The counts of a step's passes, and of several steps together, still on their device."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor


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
    upstream: Tensor | None
    """The gradient that reached the last loss, where it is known: 1 if nothing divided the loss after the model."""
    unreadable: str | None
    """Why the ids are not all known; None if they are."""
    parts: tuple[object, ...]
    """Its passes and losses, without those in a compiled graph."""
    in_eval: bool
    """True if a pass of them was in eval mode."""

    def joined_with(self, later: TalliedBatch, kept: Tensor | None = None) -> TalliedBatch:
        """Return the passes of both, which are of one step.

        Args:
            later: the passes after these.
            kept: a bool on the device: False if these are of no step after all, and the later ones alone count.
        """
        share = 1 if kept is None else kept
        return TalliedBatch(
            self.counts * share + later.counts,
            # A loss that is not a number must not outlive its step.
            later.loss_sum + (self.loss_sum if kept is None else torch.where(kept, self.loss_sum, 0.0)),
            self.losses * share + later.losses,
            later.divided,
            later.upstream,
            self.unreadable or later.unreadable,
            self.parts + later.parts,
            self.in_eval or later.in_eval,
        )


@dataclass(frozen=True)
class JoinedSteps:
    """The steps of a loop since the last that was recorded."""

    steps: int
    counts: Tensor
    """As those of a batch, shape (V + 2,)."""
    norms: Tensor | None
    """The largest norm of each row's gradient, shape (V,); None unless every step had a gradient."""
    seconds: float
    """How long they took, from the first forward pass of each to its end."""
    unreadable: str | None
    """Why the ids are not all known; None if they are."""
    seen: bool
    """True if a pass was seen, outside of compiled graphs."""

    def joined_with(self, later: JoinedSteps) -> JoinedSteps:
        """Return the steps of both."""
        both = self.norms is not None and later.norms is not None
        return JoinedSteps(
            self.steps + later.steps,
            self.counts + later.counts,
            torch.maximum(cast(Tensor, self.norms), cast(Tensor, later.norms)) if both else None,
            self.seconds + later.seconds,
            self.unreadable or later.unreadable,
            self.seen or later.seen,
        )
