"""The passes of the step under way: those whose gradients are together in the weight's."""

from __future__ import annotations

from torch import Tensor

from lamplighter.client.watching.batch_tally import BatchTally
from lamplighter.client.watching.tallied_batch import TalliedBatch


class StepWindow:
    """The batch of the step under way, which grows by the passes of each backward pass until an optimiser steps."""

    def __init__(self, tally: BatchTally) -> None:
        """Begin without passes; they are taken from `tally`."""
        self._tally = tally
        self._batch: TalliedBatch | None = None
        self._seen: tuple[int, int] | None = None

    def join_passes(self, accumulated: Tensor | None) -> TalliedBatch:
        """Join the passes since the last backward pass to the step, and return them.

        Args:
            accumulated: the weight's gradient before theirs is added to it.
        """
        if accumulated is None:
            # A gradient that is gone, however it was cleared, begins a step.
            self._batch = None
        before = self._batch
        passes = self._tally.take_batch(before)
        if before is None or accumulated is None:
            self._batch = passes
        elif (id(accumulated), accumulated._version) == self._seen:
            self._batch = before.joined_with(passes)
        else:
            # Changed since: cleared to zeros, or clipped, or averaged with other processes'. The device tells.
            values = accumulated._values() if accumulated.is_sparse else accumulated
            self._batch = before.joined_with(passes, kept=values.any())
        return passes

    @property
    def is_open(self) -> bool:
        """Return whether a backward pass of the step under way has been."""
        return self._batch is not None

    def note_gradient(self, gradient: Tensor) -> None:
        """Note the weight's gradient as a backward pass leaves it."""
        self._seen = id(gradient), gradient._version

    def take_batch(self) -> TalliedBatch:
        """Return the batch of the step that has ended, and begin the next one."""
        batch, self._batch = self._batch or self._tally.take_batch(None), None
        return batch

    def drop_batch(self) -> None:
        """Drop the batch of a step that was not taken."""
        self._batch = None
