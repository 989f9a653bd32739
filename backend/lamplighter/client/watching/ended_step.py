"""A finished step, with its numbers on the way to the host."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from lamplighter.client.recording.step_arguments import BatchRows, GradientRows, to_float32_scalar
from lamplighter.client.recording.step_recording import SeenStep
from lamplighter.client.recording.step_stretch import StretchedStep
from lamplighter.client.watching.tallied_batch import JoinedSteps
from lamplighter.client.watching.weight_diff import DeferredRead
from lamplighter.wire.top_losses import TopLosses

_NO_LOSS = (
    "the model returned no loss in a step, so that step has none in the record: report it with log(loss=...)"
)
_UNDIVIDED = (
    "a step has {0} losses, and nothing divides them by {0} outside the model: it is unknown whether their mean or their sum"
    " is the step's loss, so it has none in the record: report it with log(loss=...)"
)
_BEYOND = (
    "ids beyond the {:,} rows of the embedding reach its module, which maps them to others before the lookup"
)


@dataclass
class EndedStep:
    """A recorded step, which merges one or more of the loop. `host` is what was read of it."""

    number: int
    """Its number in the loop."""
    read: DeferredRead
    """Numbers of all rows: counts, norms, moved, distances; of the last step: loss_sum, losses, undivided, rate."""
    joined: JoinedSteps
    """The steps of the loop that it merges."""
    divided: bool
    """True if its losses were divided by the tokens of the whole step."""
    learning_rate: float | Tensor | None
    ended: float
    loss: float | None
    """The reported loss, which takes precedence over the one found in the model's output."""
    token_losses: int
    """Number of losses of single tokens that were looked at."""
    lost: bool
    """True if the previous comparison was interrupted, so that the moved rows are unknown."""

    def loss_in(self, host: Mapping[str, Tensor]) -> tuple[float | None, str | None]:
        """Return the reported loss, or else that of the passes; or None and the reason why it is unknown."""
        if self.loss is not None:
            return self.loss, None
        count, total = int(host["losses"]), float(host["loss_sum"])
        if not count:
            return None, _NO_LOSS
        if count == 1 or self.divided:
            return total, None
        if "undivided" in host and bool(host["undivided"]):
            return None, _UNDIVIDED.format(count)
        return total / count, None

    def why_ids_unknown(self, host: Mapping[str, Tensor]) -> str | None:
        if self.joined.unreadable is not None:
            return self.joined.unreadable
        counts = host["counts"]
        return _BEYOND.format(len(counts) - 2) if counts[-1] else None

    def batch_rows(self, host: Mapping[str, Tensor]) -> BatchRows:
        """Return the rows that were read; none if they are not all known."""
        # A part of the ids would imply that no others were read.
        known = self.why_ids_unknown(host) is None
        counts = host["counts"].numpy()[1:-1] * known
        ids = np.flatnonzero(counts)
        return BatchRows(ids.astype(np.uint32), counts[ids].astype(np.uint32))

    def as_seen(
        self,
        host: Mapping[str, Tensor],
        rows: tuple[BatchRows, GradientRows | None],
        loss: float | None,
        scalars: str | None,
        top_losses: TopLosses | None,
    ) -> SeenStep:
        rate = host.get("rate", self.learning_rate)
        return SeenStep(
            self.number,
            StretchedStep(self.joined.steps, *rows, self.joined.seconds),
            to_float32_scalar(loss, "loss"),
            to_float32_scalar(rate, "learning_rate"),
            self.ended,
            scalars,
            top_losses,
        )
