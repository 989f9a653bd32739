"""The writer of a watched training's steps, with the numbers that the loop logs.

A finished step is held until the next backward pass, so that its numbers have time to reach the host, and `log` can
still report its loss.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from torch import Tensor

from lamplighter.client.errors import InputError
from lamplighter.client.recorder import Recorder
from lamplighter.client.recording.record_warnings import find_place, print_notice, warn
from lamplighter.client.recording.step_arguments import (
    BatchRows,
    GradientRows,
    StretchedStep,
    read_gradient_norms,
    to_float32_scalar,
)
from lamplighter.client.recording.step_recording import ReportedStep
from lamplighter.client.sharding.owned_part import OwnedPart
from lamplighter.client.sharding.shared_recorder import SharedRecorder
from lamplighter.client.watching.tallied_batch import JoinedSteps, TalliedBatch
from lamplighter.client.watching.token_losses import TokenLosses
from lamplighter.client.watching.weight_diff import DeferredRead, WeightDiff
from lamplighter.contract.sentences import say
from lamplighter.runfolder.tables.scalars import MAX_SCALARS, SCALAR_NAME, encode_scalars
from lamplighter.wire.top_losses import TopLosses

_ALL_OF_THE_FIRST = 500
"""Number of a curve's first values that are all kept; of the next as many every second one, and so on."""


class ScalarLog:
    """The numbers that wait for their step, by name."""

    def __init__(self) -> None:
        self._logged: dict[str, int] = defaultdict(int)
        self._kept: dict[str, int] = defaultdict(int)
        self._waiting: dict[str, float] = {}

    def log_scalars(self, scalars: dict[str, Any]) -> None:
        """Add numbers. A later one with the same name and step replaces the earlier. Raises InputError."""
        for name, value in scalars.items():
            if not SCALAR_NAME.fullmatch(name):
                raise InputError(
                    f"log: a curve cannot be called {name[:80]!r}: use up to 64 letters, digits, '_', '.', '/', '-'"
                )
            if name not in self._logged and len(self._logged) == MAX_SCALARS:
                raise InputError(
                    f"log: {name!r} would be curve {MAX_SCALARS + 1}; at most {MAX_SCALARS} names are kept"
                )
            number = read_number(value, name)
            if self._logged[name] % (1 << self._kept[name] // _ALL_OF_THE_FIRST) == 0:
                self._kept[name] += 1
                self._waiting[name] = number
            self._logged[name] += 1

    def take_scalars(self) -> str | None:
        """Return the waiting numbers, encoded, or None, and clear them."""
        waiting, self._waiting = self._waiting, {}
        return encode_scalars(waiting)


def read_number(value: Any, name: str) -> float:
    """Return a number, which may be a tensor or an array of one. Raises InputError."""
    try:
        return float(value.detach() if hasattr(value, "detach") else value)
    except (TypeError, ValueError, RuntimeError):
        raise InputError(
            f"log: {name} must be one number, and this is of type {type(value).__name__}: give its mean"
        ) from None


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
    ) -> ReportedStep:
        rate = host.get("rate", self.learning_rate)
        return ReportedStep(
            self.number,
            StretchedStep(self.joined.steps, *rows, self.joined.seconds),
            to_float32_scalar(loss, "loss"),
            to_float32_scalar(rate, "learning_rate"),
            self.ended,
            scalars,
            top_losses,
        )


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
