"""The seconds that a process of a watched loop computes by itself.

A process that waits for the others within a collective of the loop looks, from outside, like one that computes. So it counts
two stretches of its own:

- from the end of the optimiser's step to the first call of a module: what the loop does between its steps, such as reading data. A collective
  of the loop there cannot be told from that, and counts, too;
- in DDP, from where a pass reads the table to where its gradient comes back there: DDP waits before that, or after.

Where a model is split (FSDP2, tensor parallelism), or compiled, the second stretch cannot be told from waiting. There each process counts
what the fastest needed from the first call of a module to the end of the step, so two processes differ by more than what is counted,
never by less. What the record itself needs is not counted. With a graphics card these are seconds of the host.
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
    """A stopwatch that is stopped before others may be waited for. `split`: whether the model is split over
    the processes."""

    def __init__(self, *, split: bool) -> None:
        self._split = split
        self._between: float | None = None
        self._called: float | None = None
        self._reading: float | None = None
        self._passed = False
        self._alone = self._together = 0.0

    def call_module(self, module: nn.Module, args: object) -> None:
        """Begin a step at its first call of a module with gradients. A hook before the forward pass of any module."""
        if torch.compiler.is_compiling() or self._called is not None or not torch.is_grad_enabled():
            return
        self._called = time.perf_counter()
        if self._between is not None:
            self._alone += self._called - self._between

    def read_table(self) -> None:
        """Count from now on what a pass needs, unless others are waited for within it."""
        if self._reading is None and not self._split:
            self._reading = time.perf_counter()

    def reach_table(self) -> None:
        if self._reading is not None:
            self._alone += time.perf_counter() - self._reading
            self._reading, self._passed = None, True

    def end_step(self) -> None:
        if self._called is not None and not self._passed:
            self._together += time.perf_counter() - self._called
        self._called = self._reading = self._between = None
        self._passed = False

    def go_on(self) -> None:
        """Count from now on what the loop does between two steps."""
        self._between = time.perf_counter()

    def take_seconds(self) -> OwnSeconds:
        taken = OwnSeconds(self._alone, self._together)
        self._alone = self._together = 0.0
        return taken


def own_seconds(processes: Sequence[OwnSeconds]) -> list[float]:
    """Return the seconds that each process computed by itself, as far as they are known."""
    fastest = min(one.together for one in processes)
    return [one.alone + fastest for one in processes]
