"""Sets of steps whose memory depends on the number of ranges, not on the step numbers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Steps = NDArray[np.int64]
"""Step numbers, shape (N,)."""


@dataclass(frozen=True, eq=False)
class StepSet:
    """A set of steps, as ascending ranges that neither overlap nor adjoin."""

    firsts: Steps
    """The first step of each range, shape (R,)."""
    lasts: Steps
    """The last step of each range, inclusive, shape (R,)."""

    @staticmethod
    def of_steps(steps: Steps) -> StepSet:
        """Return the set of the given steps, which must be strictly ascending."""
        breaks = np.flatnonzero(np.diff(steps) != 1)
        return StepSet(
            steps[np.concatenate(([0], breaks + 1))] if len(steps) else steps,
            steps[np.append(breaks, len(steps) - 1)] if len(steps) else steps,
        )

    @staticmethod
    def of_ranges(firsts: Steps, lasts: Steps) -> StepSet:
        """Return the union of ranges, which may overlap and be in any order."""
        order = np.argsort(firsts, kind="stable")
        firsts, reached = firsts[order], np.maximum.accumulate(lasts[order])
        begins = np.flatnonzero(np.append(True, firsts[1:] > reached[:-1] + 1)[: len(firsts)])
        ends = np.append(begins[1:], len(firsts))[: len(begins)] - 1
        return StepSet(firsts[begins], reached[ends])

    def __or__(self, other: StepSet) -> StepSet:
        return StepSet.of_ranges(
            np.concatenate((self.firsts, other.firsts)), np.concatenate((self.lasts, other.lasts))
        )

    def clip(self, first: int, last: int) -> StepSet:
        """Return the steps from `first` to `last`, inclusive."""
        low, high = np.searchsorted(self.lasts, first), np.searchsorted(self.firsts, last, side="right")
        return StepSet(np.maximum(self.firsts[low:high], first), np.minimum(self.lasts[low:high], last))

    def first_at_or_after(self, step: int) -> int | None:
        """Return the smallest step of the set at or after `step`; None if there is none."""
        index = int(np.searchsorted(self.lasts, step))
        return max(step, int(self.firsts[index])) if index < len(self.firsts) else None

    def end_of_range(self, step: int) -> int:
        """Return the last step of the range that contains `step`; `step - 1` if no range does."""
        index = int(np.searchsorted(self.lasts, step))
        found = index < len(self.firsts) and self.firsts[index] <= step
        return int(self.lasts[index]) if found else step - 1

    def to_array(self) -> Steps:
        """Return the steps, ascending, shape (N,)."""
        counts = self.lasts - self.firsts + 1
        steps = np.arange(int(counts.sum()), dtype=np.int64)
        steps += np.repeat(self.firsts - (np.cumsum(counts) - counts), counts)
        return steps
