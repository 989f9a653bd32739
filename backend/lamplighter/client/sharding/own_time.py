"""The seconds that a process of a watched loop computes by itself.

A process that waits for the others within a collective of the loop looks, from outside, like one that computes. So only two
stretches of a step are counted:

- from the end of the optimiser's step to the first call of a module: what the loop does between its steps, such as reading data;
- from where a pass reads the table to where its gradient comes back there. DDP waits after that, or before. Where a model is
  split (FSDP2, tensor parallelism), the processes wait for each other within this stretch, so of it each counts what the fastest needed.

So two processes differ by more than what is counted, never by less. What the record itself needs is not counted. With a graphics
card these are seconds of the host.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import nn


class OwnSeconds(NamedTuple):
    """The seconds of a process."""

    alone: float = 0.0
    """In which it waited for no other."""
    together: float = 0.0
    """In which it may have waited for others."""


class OwnTime:
    """A stopwatch for both stretches, which is stopped before others may be waited for."""

    def __init__(self, *, split: bool) -> None:
        """Start with no seconds, stopped.

        Args:
            split: whether the model is split over the processes.
        """
        self._split = split
        self._between: float | None = None
        self._reading: float | None = None
        self._alone = self._together = 0.0

    def end_step(self) -> None:
        """Count from now on what the loop does between two steps."""
        self._between, self._reading = time.perf_counter(), None

    def call_module(self, module: nn.Module, args: object) -> None:
        """End that stretch if a forward pass with gradients begins. A hook before the forward pass of any module."""
        if torch.compiler.is_compiling() or self._between is None or not torch.is_grad_enabled():
            return
        self._alone += time.perf_counter() - self._between
        self._between = None

    def read_table(self) -> None:
        """Count from now on what a pass needs."""
        if self._reading is None:
            self._reading = time.perf_counter()

    def reach_table(self) -> None:
        """End that stretch: the gradient of the pass is back at the table."""
        if self._reading is None:
            return
        seconds, self._reading = time.perf_counter() - self._reading, None
        if self._split:
            self._together += seconds
        else:
            self._alone += seconds

    def take_seconds(self) -> OwnSeconds:
        """Return the seconds since the last call."""
        taken = OwnSeconds(self._alone, self._together)
        self._alone = self._together = 0.0
        return taken


def own_seconds(processes: Sequence[OwnSeconds]) -> list[float]:
    """Return the seconds that each process computed by itself, as far as they are known."""
    fastest = min(one.together for one in processes)
    return [one.alone + fastest for one in processes]
