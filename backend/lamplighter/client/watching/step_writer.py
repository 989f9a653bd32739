"""The writer of a watched training's steps.

A finished step is held until the next backward pass, so that its numbers have time to reach the host, and `log` can
still report its loss.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from torch import Tensor

from lamplighter.client.recorder import Recorder
from lamplighter.client.recording.record_warnings import find_place, print_notice, warn
from lamplighter.client.recording.step_arguments import read_gradient_norms
from lamplighter.client.sharding.owned_part import OwnedPart
from lamplighter.client.sharding.shared_recorder import SharedRecorder
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
    """A writer that holds at most one step. `recorder` was begun with `diff`, which compares `part`;
    `looked_up`: whether the ids of a step are visible at all."""

    def __init__(
        self,
        recorder: Recorder | SharedRecorder,
        diff: WeightDiff,
        losses: TokenLosses,
        *,
        part: OwnedPart,
        looked_up: bool,
    ) -> None:
        self._recorder, self._diff, self._looked_up = recorder, diff, looked_up
        self._recorded_before = recorder.at
        self._losses, self._part = losses, part
        self._place = find_place()
        self._held: EndedStep | None = None
        self._lost = False
        self._said: set[str] = set()
        self.scalars = ScalarLog()
        """The numbers for the next step, by name."""

    def warn_once(self, message: str) -> None:
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
            batch: the batch of the last of them, of which the others here are, too.
            ended: in seconds since 1970.
            loss: in nats per token, if the loop has already reported it.
        """
        lost, self._lost = self._lost, True
        token_losses = self._losses.tokens
        read = DeferredRead(
            **self.measure_step(weight, batch),
            counts=joined.counts,
            norms=joined.norms,
            loss_sum=batch.loss_sum,
            losses=batch.losses,
            undivided=batch.undivided,
            # A scheduler may set the next rate in the same tensor before this one is read.
            rate=rate.detach().clone() if isinstance(rate, Tensor) else None,
            **self._losses.take_largest(),
        )
        self._held = EndedStep(number, read, joined, batch.divided, rate, ended, loss, token_losses, lost)
        self._lost = False

    def measure_step(self, weight: Tensor, batch: TalliedBatch) -> dict[str, Tensor]:
        """Return what the finished step did to the weight, shape (V, D), by name, on its device."""
        moved, distances = self._diff.compare(self._part.own_rows(weight))
        return {"moved": moved, "distances": distances}

    def write_with_loss(self, loss: float) -> bool:
        """Write the held step with this loss, in nats per token. Return whether a step was held."""
        if self._held is None:
            return False
        self._held.loss = loss
        self.write_held()
        return True

    def write_held(self) -> None:
        step = self._held
        if step is None:
            return
        # An interruption (Ctrl-C) before it is written loses it.
        self._lost, self._held = True, None
        self._write(step, step.read.to_host())
        self._lost = False

    def _write(self, step: EndedStep, host: Mapping[str, Tensor]) -> None:
        loss, why_none = step.loss_in(host)
        read = step.joined.seen or bool(host["counts"].any())
        if (said := self.why_unknown(step.why_ids_unknown(host), seen=read) or why_none) is not None:
            self.warn_once(said)
        if step.lost:
            self._recorder.lose_step()
        norms = read_gradient_norms(host["norms"].numpy(), len(host["norms"])) if "norms" in host else None
        largest = self._losses.read_largest(host)
        seen = step.as_seen(host, (step.batch_rows(host), norms), loss, self.scalars.take_scalars(), largest)
        cast(Recorder, self._recorder).step_found(
            seen, self._diff.changed_rows(host["moved"], host["distances"])
        )

    def why_unknown(self, unreadable: str | None, *, seen: bool) -> str | None:
        """Return why the rows that a step read are unknown; None if they are known, or if they never are.
        `seen`: whether a pass was."""
        if not self._looked_up:
            return None
        if unreadable is not None:
            return _UNKNOWN_IDS.format(unreadable)
        return None if seen else _NO_IDS

    def write_end(self) -> bool:
        """Write the last steps. Return whether any step was recorded."""
        self.write_held()
        if self._recorder.at == self._recorded_before:
            return False
        if (scalars := self.scalars.take_scalars()) is not None:
            self._recorder.add_scalars(scalars)
        return True

    def note_interruption(self) -> None:
        if self._lost:
            self._recorder.lose_step()
