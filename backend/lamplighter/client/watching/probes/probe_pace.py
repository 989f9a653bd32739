"""When a loop's probes are read: ever more rarely, and for at most one percent of the time."""

from __future__ import annotations

import time

SHARE = 0.01
"""Maximum share of the time of a loop that reading takes, at the default pace."""
_GROWTH = 1.05
"""Factor between the numbers of two steps at which probes are read, so that a long training has a few hundred readings."""


class ProbePace:
    """The pace of a loop's probes."""

    def __init__(self, every: int | None, first_step: int) -> None:
        """Start before the first step.

        Args:
            every: read at the steps whose number is a multiple of it; None: at the default pace.
            first_step: the number of the last step before.
        """
        self._every, self._first, self._last = every, first_step, first_step
        self._begun = time.perf_counter()
        self.spent, self.cost = 0.0, 0.0
        """Seconds of all readings since then, and of the last one."""

    def is_due(self, step: int) -> bool:
        if self._every is not None:
            return step // self._every > self._last // self._every
        if step - self._first < _GROWTH * (self._last - self._first):
            return False
        # One more is kept for the last step.
        return self.spent + 2 * self.cost <= SHARE * (time.perf_counter() - self._begun)

    def note_reading(self, step: int, seconds: float) -> None:
        self._last, self.cost = step, seconds
        self.spent += seconds
