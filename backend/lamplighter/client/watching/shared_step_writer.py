"""The writer of the steps of a training in several processes: each gives its part, and the first writes the step of all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from lamplighter.client.matrix_diff import ChangedRows
from lamplighter.client.recording.step_arguments import read_gradient_norms
from lamplighter.client.sharding.own_time import OwnSeconds, OwnTime
from lamplighter.client.sharding.owned_part import OwnedPart
from lamplighter.client.sharding.shared_recorder import SharedRecorder
from lamplighter.client.sharding.step_part import (
    Header,
    JoinedRows,
    RowSquares,
    StepPart,
    join_losses,
    join_top_losses,
)
from lamplighter.client.watching.step_writer import EndedStep, StepWriter
from lamplighter.client.watching.tallied_batch import TalliedBatch
from lamplighter.client.watching.token_losses import TokenLosses
from lamplighter.client.watching.weight_diff import WeightDiff
from lamplighter.wire.binary import Floats

_CHECK_EVERY = 100
"""Recorded steps for each one in which processes with whole tables compare them."""
_FEW = 8
"""Rows that processes may well have read equally often."""
_ALIKE = (
    "in step {} all processes read the very same rows: either no sampler splits the data, or they share a batch in a way that cannot"
    " be seen; then each count is {} times too large"
)


class SharedStepWriter(StepWriter):
    """A writer of this process's part of each step. `own_time`: the seconds that it computes by itself."""

    def __init__(
        self,
        recorder: SharedRecorder,
        diff: WeightDiff,
        losses: TokenLosses,
        *,
        part: OwnedPart,
        looked_up: bool,
        own_time: OwnTime,
    ) -> None:
        super().__init__(recorder, diff, losses, part=part, looked_up=looked_up)
        self._shared, self._own_time, self._took = recorder, own_time, OwnSeconds()

    def name_loss(self, name: str) -> None:
        if self._shared.recorder is not None:
            super().name_loss(name)

    def measure_step(self, weight: Tensor, batch: TalliedBatch) -> dict[str, Tensor]:
        """Compare the own rows, once the step before no longer needs their copy."""
        self._took = self._own_time.take_seconds()
        self._shared.wait_for_others()
        found = super().measure_step(weight, batch)
        found["tokens"] = batch.counts[1:].sum()
        if batch.divisor is not None:
            found["divisor"] = torch.as_tensor(batch.divisor)
        if not self._shared.exchange.is_split and self._shared.at % _CHECK_EVERY == 0:
            found["checksum"] = _sum_of_bits(weight.detach())
        return found

    def _write(self, step: EndedStep, host: Mapping[str, Tensor]) -> None:
        part = self._part_of(step, host)
        scalars = self.scalars.take_scalars()

        def write(parts: list[StepPart], rows: JoinedRows, vectors: Floats | None) -> None:
            self._write_joined(step, host, scalars, parts, rows, vectors)

        self._shared.give(part, write)

    def _part_of(self, step: EndedStep, host: Mapping[str, Tensor]) -> StepPart:
        loss, why_none = step.loss_in(host)
        unreadable = step.why_ids_unknown(host)
        batch = step.batch_rows(host)
        gradient = moved = RowSquares.none()
        if "norms" in host:
            gradient = self._squares(*read_gradient_norms(host["norms"].numpy(), self._part.rows))
        ids = np.flatnonzero(host["moved"].numpy())
        moved = self._squares(ids.astype(np.uint32), host["distances"].numpy()[ids])
        # A process that counts none of the ids it saw has the losses of another one.
        repeated = step.joined.seen and not int(host["tokens"])
        largest = None if repeated else self._losses.read_largest(host)
        divided = int(host["divisor"]) if "divisor" in host else 0
        header = Header(
            number=step.number,
            steps=step.joined.steps,
            ids=len(batch.token_ids),
            gradients=len(gradient.ids) if "norms" in host else -1,
            moved=len(moved.ids),
            tokens=int(host["tokens"]),
            divisor=divided if step.divided else -1,
            top_losses=0 if largest is None else len(largest.encode()),
            losses=step.token_losses,
            checksum=int(host["checksum"]) if "checksum" in host else -1,
            lost=step.lost,
            unreadable=unreadable is not None,
            seen=step.joined.seen or len(batch.token_ids) > 0,
            reported=step.loss is not None,
            unknown_loss=loss is None,
            loss=float("nan") if loss is None else float(loss),
            own=self._took,
            message=unreadable or why_none or "",
        )
        return StepPart(header, *batch, gradient, moved, largest)

    def _squares(self, rows: Any, norms: Floats) -> RowSquares:
        return RowSquares.of_norms(rows + np.uint32(self._part.offset), norms)

    def _write_joined(
        self,
        step: EndedStep,
        host: Mapping[str, Tensor],
        scalars: str | None,
        parts: list[StepPart],
        rows: JoinedRows,
        vectors: Floats | None,
    ) -> None:
        headers = [part.header for part in parts]
        loss, why_none = join_losses(headers)
        unreadable = next((one.message for one in headers if one.unreadable), None)
        why_unknown = self.why_unknown(unreadable, seen=any(one.seen for one in headers))
        for said in (why_unknown, why_none):
            if said is not None:
                self.warn_once(said)
        if any(one.lost for one in headers):
            self._recorder.lose_step()
        if _are_alike(parts):
            self.warn_once(_ALIKE.format(step.number, len(parts)))
        seen = step.as_seen(host, (rows.batch, rows.gradient), loss, scalars, join_top_losses(parts))
        changed = ChangedRows(rows.moved_ids, rows.moved_distances, vectors)
        recorder = self._shared.recorder
        if recorder is not None:
            recorder.step_found(seen, changed, whole_batch=why_unknown is None)


def _are_alike(parts: list[StepPart]) -> bool:
    """Return whether the processes read the same rows equally often, which does not happen by chance."""
    first, *others = parts
    return len(first.ids) > _FEW and all(
        np.array_equal(first.ids, one.ids) and np.array_equal(first.counts, one.counts) for one in others
    )


def _sum_of_bits(weight: Tensor) -> Tensor:
    """Return a sum of a table's bits that is the same for equal tables on any device."""
    if weight.element_size() not in (2, 4):
        weight = weight.float()
    bits = weight.contiguous().view(torch.int16 if weight.element_size() == 2 else torch.int32)
    return bits.sum(dtype=torch.int64) & (2**62 - 1)
