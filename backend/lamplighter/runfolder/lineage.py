"""The lineage of a run: which attempt each step counts in, when several attempts hold it (`tables/steps.py`)."""

from __future__ import annotations

import operator

Lineage = list[tuple[int, int, int]]
"""(attempt, first step, last step), ascending, as `StepsReader.lineage` returns it."""


def on_lineage(lineage: Lineage, attempt: int, step: int) -> bool:
    """Return whether a step of an attempt is on the lineage, that is, not superseded."""
    return any(range_attempt == attempt and first <= step <= last for range_attempt, first, last in lineage)


def attempt_at(lineage: Lineage, step: int) -> int:
    """Return the attempt that a step counts in. The lineage must not be empty."""
    return next((attempt for attempt, first, last in lineage if first <= step <= last), lineage[0][0])


def last_shared_step(old: Lineage, new: Lineage, step: int) -> int:
    """Return the last step at or before `step` that counts in the same attempt on both lineages; 0 if none does."""
    # The attempt only changes where a range begins, so the steps between need not be tested.
    for candidate in sorted({step, *(first - 1 for _, first, _ in old + new)}, reverse=True):
        if 0 <= candidate <= step and attempt_at(old, candidate) == attempt_at(new, candidate):
            return candidate
    return 0


def step_key(attempt: int, step: int) -> int:
    """Return the row id of a step of an attempt."""
    # numpy's integers have a width of their own, in which this would overflow.
    return operator.index(attempt) << 32 | operator.index(step)


def clip_lineage(lineage: Lineage, first: int, last: int) -> Lineage:
    """Return the part of a lineage between two steps, inclusive."""
    return [
        (attempt, max(low, first), min(high, last))
        for attempt, low, high in lineage
        if max(low, first) <= min(high, last)
    ]
