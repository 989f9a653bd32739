"""Which of many checkpoints are wanted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lamplighter.cli.checkpoints.remote.errors import FetchError


@dataclass(frozen=True)
class StepChoice:
    """All checkpoints, or some: at most one of the three is given."""

    every: int | None = None
    """Every so many of them, and the last."""
    log: int | None = None
    """This many, spaced like a logarithm."""
    steps: tuple[int, ...] | None = None
    """These steps."""

    def choose(self, steps: Sequence[int]) -> list[int]:
        """Return the chosen of the steps, which ascend. Raises FetchError if a step of the list is not among
        them."""
        if self.steps is not None:
            if lacking := sorted(set(self.steps) - set(steps)):
                raise FetchError(f"there is no checkpoint of step {lacking[0]:,}")
            return sorted(set(self.steps))
        if self.every is not None:
            return sorted({*steps[:: self.every], *steps[-1:]})
        if self.log is not None and self.log < len(steps):
            return _spread(steps, self.log)
        return list(steps)


def _spread(steps: Sequence[int], count: int) -> list[int]:
    """Return `count` steps, at least two, with the first and the last, as evenly spaced on a logarithmic axis as they
    lie."""
    places = np.log1p(np.array(steps, dtype=np.float64) - steps[0])
    kept = np.arange(len(steps))
    while len(kept) > count:
        # The step whose neighbours are nearest to each other is missed least.
        around = places[kept[2:]] - places[kept[:-2]]
        kept = np.delete(kept, int(around.argmin()) + 1)
    return [steps[at] for at in kept.tolist()]
