"""Step numbers of the client's loop that a record came from.

The steps of a record are consecutive from 0: moved rows apply to the step before, and every reader relies on it. A loop
that is recorded only now and then, or continues from a checkpoint, has other numbers. A fact holds them as stretches of
`[step, number, stride]`: step `step + i` has the number `number + i * stride`.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from typing import Any

NUMBERS_FACT = "numbers"
"""The fact with the stretches; absent if every number equals its step."""
MAX_STRETCHES = 1_000
"""Maximum stretches; steps after the last have no known number."""
MAX_NUMBER = (1 << 53) - 1
"""The largest number of a step: the largest integer that every JSON reader gets exactly."""

Stretch = tuple[int, int, int]


class StepNumbers:
    """The number of each step in the client's loop, ascending with the steps."""

    def __init__(self, stretches: Iterable[Stretch] = ((0, 0, 1),)) -> None:
        """Start with stretches, ascending: (step, number, stride). A stride of 0 marks unknown numbers."""
        self._stretches = list(stretches)

    @property
    def stretches(self) -> list[Stretch]:
        return list(self._stretches)

    @property
    def are_steps(self) -> bool:
        return self._stretches == [(0, 0, 1)]

    def number_of(self, step: int) -> int | None:
        """Return the number of a step; None if it is unknown."""
        first, number, stride = next(
            (one for one in reversed(self._stretches) if one[0] <= step), self._stretches[0]
        )
        return number + (step - first) * stride if stride else None

    def step_of(self, number: int, newest: int) -> int:
        """Return the last step up to `newest` whose number is at most `number`; -1 if there is none.

        Of steps whose numbers are unknown, only those before them are found.
        """
        unknown = MAX_NUMBER + 1
        return (
            bisect_right(
                range(newest + 1),
                number,
                key=lambda step: unknown if (n := self.number_of(step)) is None else n,
            )
            - 1
        )

    def set_number(self, step: int, number: int) -> bool:
        """Set the number of a step, which must exceed those before it. Numbers set for later steps are
        dropped. Returns whether the stretches have changed.
        """
        while len(self._stretches) > 1 and self._stretches[-1][0] >= step:
            self._stretches.pop()
        first, start, stride = self._stretches[-1]
        if not stride or self.number_of(step) == number:
            return False
        if step == first + 1:
            self._stretches[-1] = (first, start, number - start)
        elif len(self._stretches) == MAX_STRETCHES:
            self._stretches.append((step, 0, 0))
        else:
            before = self.number_of(step - 1)
            self._stretches.append((step, number, stride if before is None else number - before))
        return True


def read_step_numbers(facts: dict[str, Any]) -> StepNumbers:
    stretches = facts.get(NUMBERS_FACT)
    return StepNumbers() if stretches is None else StepNumbers((a, b, c) for a, b, c in stretches)
