"""The writer of a watched training's steps.

A finished step is held until the next backward pass, so that its numbers have time to reach the host, and `log` can
still report its loss.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from lamplighter.client.recorder import Recorder
from lamplighter.client.recording.record_warnings import find_place, print_notice, warn
from lamplighter.client.watching.ended_step import EndedStep
from lamplighter.client.watching.scalar_log import ScalarLog
from lamplighter.client.watching.tallied_batch import JoinedSteps, TalliedBatch
from lamplighter.client.watching.token_losses import TokenLosses
from lamplighter.client.watching.weight_diff import DeferredRead, WeightDiff
from lamplighter.contract.sentences import say

_NO_IDS = (
    "the optimiser stepped, but no ids of the embedding were seen, so the rows that a step read are unknown. If the model was"
    " compiled (torch.compile) and ran before it was watched, watch it before its first forward pass, or call"
    " torch._dynamo.reset(); otherwise choose the module that looks the tokens up: embedding=..."
)
_UNKNOWN_IDS = "{}, so the rows that a step read are unknown; its gradient and its moves are known"


class StepWriter:
    """A writer that holds at most one step."""

    def __init__(
        self, recorder: Recorder, diff: WeightDiff, losses: TokenLosses, *, shared: bool, looked_up: bool
    ) -> None:
        """Write to a recorder.

        Args:
            recorder: the record, begun with `diff`.
            diff: a comparison with the current weight.
            losses: the losses of single tokens in the current step.
            shared: whether several processes train together, so that the ids of a step are incomplete.
            looked_up: whether the ids of a step are visible at all.
        """
        self._recorder, self._diff, self._shared, self._looked_up = recorder, diff, shared, looked_up
        self._losses = losses
        self._place = find_place()
        self._held: EndedStep | None = None
        self._lost = False
        self._said: set[str] = set()
        self.scalars = ScalarLog()
        """The numbers for the next step, by name."""

    def warn_once(self, message: str) -> None:
        """Print a warning about the record, unless it was printed before."""
        if message not in self._said:
            self._said.add(message)
            warn(f"{self._recorder.folder.name}: {message}", otherwise=self._place)

    def name_loss(self, name: str) -> None:
        """Report once, here and in the run, the value used as the loss if it is not called loss."""
        message = say("loss_named", name=name)
        if message not in self._said:
            self._said.add(message)
            self._recorder.note("loss", message)
            print_notice(message)

    def hold(
        self,
        weight: Tensor,
        joined: JoinedSteps,
        batch: TalliedBatch,
        number: int,
        rate: Any,
        ended: float,
        loss: float | None,
    ) -> None:
        """Measure the finished step, and start copying its numbers to the host.

        Args:
            weight: the matrix after it, shape (V, D).
            joined: the merged steps of the loop.
            batch: the batch of the last of them.
            number: its number in the loop.
            rate: its learning rate.
            ended: when it ended, in seconds since 1970.
            loss: its loss, in nats per token, if the loop has already reported it.
        """
        lost, self._lost = self._lost, True
        moved, distances = self._diff.compare(weight)
        read = DeferredRead(
            counts=joined.counts,
            norms=joined.norms,
            moved=moved,
            distances=distances,
            loss_sum=batch.loss_sum,
            losses=batch.losses,
            undivided=batch.undivided,
            # A scheduler may set the next rate in the same tensor before this one is read.
            rate=rate.detach().clone() if isinstance(rate, Tensor) else None,
            **self._losses.take_largest(),
        )
        self._held = EndedStep(number, read, joined, batch.divided, rate, ended, loss, lost)
        self._lost = False

    def write_with_loss(self, loss: float) -> bool:
        """Write the held step with this loss, in nats per token. Return whether a step was held."""
        if self._held is None:
            return False
        self._held.loss = loss
        self.write_held()
        return True

    def write_held(self) -> None:
        """Write the held step, if any."""
        step = self._held
        if step is None:
            return
        # An interruption (Ctrl-C) before it is written loses it.
        self._lost, self._held = True, None
        host = step.read.to_host()
        loss, why_none = step.loss_in(host)
        if (why_unknown := self._why_ids_unknown(step, host)) is not None:
            self.warn_once(why_unknown)
        elif why_none is not None:
            self.warn_once(why_none)
        if step.lost:
            self._recorder.lose_step()
        changed = self._diff.changed_rows(host["moved"], host["distances"])
        seen = step.as_seen(host, loss, self.scalars.take_scalars(), self._losses.read_largest(host))
        self._recorder.step_found(seen, changed, whole_batch=not self._shared)
        self._lost = False

    def _why_ids_unknown(self, step: EndedStep, host: Mapping[str, Tensor]) -> str | None:
        if not self._looked_up:
            return None
        why = step.why_ids_unknown(host)
        if why is not None:
            return _UNKNOWN_IDS.format(why)
        return None if step.joined.seen or host["counts"].any() else _NO_IDS

    def write_end(self) -> bool:
        """Write the last steps. Return whether any step was recorded."""
        self.write_held()
        if not self._recorder.at:
            return False
        if (scalars := self.scalars.take_scalars()) is not None:
            self._recorder.add_scalars(scalars)
        return True

    def note_interruption(self) -> None:
        """Report to the recorder that a step is lost, if a comparison was interrupted."""
        if self._lost:
            self._recorder.lose_step()
