"""The passes of the current step, whose gradients are accumulated in the weight's gradient."""

from __future__ import annotations

from torch import Tensor

from lamplighter.client.watching.batch_tally import BatchTally
from lamplighter.client.watching.tallied_batch import TalliedBatch


class StepWindow:
    """The batch of the current step, which grows with each backward pass until an optimiser steps."""

    def __init__(self, tally: BatchTally) -> None:
        """Start without passes; they are taken from `tally`."""
        self._tally = tally
        self._batch: TalliedBatch | None = None
        self._seen: tuple[int, int] | None = None

    def join_passes(self, accumulated: Tensor | None) -> TalliedBatch:
        """Add the passes since the last backward pass to the step, and return them.

        Args:
            accumulated: the weight's gradient before theirs is added.
        """
        if accumulated is None:
            # A cleared gradient begins a new step.
            self._batch = None
        before = self._batch
        passes = self._tally.take_batch(before)
        if before is None or accumulated is None:
            self._batch = passes
        elif (id(accumulated), accumulated._version) == self._seen:
            self._batch = before.joined_with(passes)
        else:
            # It has changed: cleared to zeros, clipped, or averaged with other processes'. Decide on the device.
            values = accumulated._values() if accumulated.is_sparse else accumulated
            self._batch = before.joined_with(passes, kept=values.any())
        return passes

    def is_skipped(self, accumulated: Tensor | None) -> bool:
        """Return whether no optimiser took the current step: its gradient was cleared. May wait for the device.

        Args:
            accumulated: the weight's gradient.
        """
        if self._batch is None or accumulated is None:
            return self._batch is not None
        values = accumulated._values() if accumulated.is_sparse else accumulated
        return (id(accumulated), accumulated._version) != self._seen and not bool(values.any())

    @property
    def is_open(self) -> bool:
        """Return whether the current step has had a backward pass."""
        return self._batch is not None

    def note_gradient(self, gradient: Tensor) -> None:
        """Note the weight's gradient after a backward pass."""
        self._seen = id(gradient), gradient._version

    def take_batch(self) -> TalliedBatch:
        """Return the batch of the finished step, and start the next one."""
        batch, self._batch = self._batch or self._tally.take_batch(None), None
        return batch

    def drop_batch(self) -> None:
        """Drop the batch of a skipped step."""
        self._batch = None
