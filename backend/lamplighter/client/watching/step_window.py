"""The passes of the current step, whose gradients are accumulated in the weight's gradient."""

from __future__ import annotations

from dataclasses import replace

from torch import Tensor

from lamplighter.client.sharding.owned_part import is_split
from lamplighter.client.watching.batch_tally import BatchTally
from lamplighter.client.watching.tallied_batch import TalliedBatch

_CHANGED = "the gradient of a split embedding was changed between two backward passes of a step"


class StepWindow:
    """The batch of the current step, which grows with each backward pass until an optimiser steps. `split`:
    whether this process has only a part of the gradient."""

    def __init__(self, tally: BatchTally, *, split: bool) -> None:
        self._tally, self._split = tally, split
        self._batch: TalliedBatch | None = None
        self._seen: tuple[int, int] | None = None

    def join_passes(self, accumulated: Tensor | None) -> TalliedBatch:
        """Add the passes since the last backward pass to the step, and return them. `accumulated`: the
        weight's gradient before theirs is added."""
        if accumulated is None:
            # A cleared gradient begins a new step.
            self._batch = None
        before = self._batch
        passes = self._tally.take_batch(before)
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
        batch, self._batch = self._batch or self._tally.take_batch(None), None
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
