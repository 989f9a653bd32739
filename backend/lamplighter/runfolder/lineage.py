"""The lineage of a run: for each step the attempt it counts in, where several attempts hold it (`tables/steps.py`)."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NamedTuple, Protocol, TypeVar

LAST_STEP = 0xFFFF_FFFF
"""The largest step number."""

_STEP_BITS = 32

T = TypeVar("T")


class AttemptRange(NamedTuple):
    """The steps `first` to `last`, inclusive, that count in an attempt."""

    attempt: int
    first: int
    last: int
    """`LAST_STEP` in the newest attempt, which may still grow."""


class LineageChangedError(LookupError):
    """An error for a read during which a new attempt began."""


class LineageReader(Protocol):
    """A reader of a run's attempts."""

    def lineage(self) -> Lineage: ...


@dataclass(frozen=True, repr=False)
class Lineage:
    """The steps that count, by attempt; false before the first attempt."""

    ranges: tuple[AttemptRange, ...] = ()
    """Ascending and without gaps."""

    @staticmethod
    def of_attempts(newest_first: Iterable[tuple[int, int]]) -> Lineage:
        """Return the lineage of (attempt, first step) pairs; each supersedes older ones from its first step."""
        ranges: list[AttemptRange] = []
        end = LAST_STEP
        for attempt, first in newest_first:
            if first <= end:
                ranges.append(AttemptRange(attempt, first, end))
                end = first - 1
        return Lineage(tuple(reversed(ranges)))

    @staticmethod
    def stable(reader: LineageReader, read: Callable[[Lineage], T]) -> T:
        """Return the result of `read`, called with the lineage; call it again if a new attempt began during
        the call. Otherwise the result could mix steps of two lineages.
        """
        lineage = reader.lineage()
        while True:
            try:
                result = read(lineage)
            except (LookupError, ValueError):
                before, lineage = lineage, reader.lineage()
                if lineage == before:
                    raise
            else:
                before, lineage = lineage, reader.lineage()
                if lineage == before:
                    return result

    @property
    def newest_attempt(self) -> int:
        """Return the attempt of the last range; 0 if there is none."""
        return self.ranges[-1].attempt if self.ranges else 0

    def counts(self, attempt: int, step: int) -> bool:
        return any(r.attempt == attempt and r.first <= step <= r.last for r in self.ranges)

    def goes_on_from(self, attempt: int, step: int) -> bool:
        """Return whether a state saved after `step` of that attempt leads to steps that count.

        An attempt may begin with the state of the step before its first.
        """
        return self.counts(attempt, step) or self.counts(attempt, step + 1)

    def range_at(self, step: int) -> AttemptRange | None:
        """Return the range that contains a step; None before the first."""
        return next((r for r in self.ranges if r.first <= step <= r.last), None)

    def attempt_at(self, step: int) -> int:
        """Return the attempt that a step counts in; the first attempt for earlier steps. There must be one."""
        return (self.range_at(step) or self.ranges[0]).attempt

    def clip(self, first: int, last: int) -> Lineage:
        """Return the part between two steps, inclusive."""
        return Lineage(
            tuple(
                AttemptRange(r.attempt, max(r.first, first), min(r.last, last))
                for r in self.ranges
                if max(r.first, first) <= min(r.last, last)
            )
        )

    def last_shared_step(self, other: Lineage, step: int) -> int:
        """Return the last step at or before `step` that counts in the same attempt on both lineages; 0 if none does."""
        # The attempt only changes where a range begins, so the steps between need not be tested.
        begins = (r.first - 1 for r in self.ranges + other.ranges)
        for candidate in sorted({step, *begins}, reverse=True):
            if 0 <= candidate <= step and self.attempt_at(candidate) == other.attempt_at(candidate):
                return candidate
        return 0

    def require_current(self, reader: LineageReader) -> None:
        """Check that no new attempt has begun since this lineage was read. Raises LineageChangedError if one
        has; `stable` then reads again.
        """
        if reader.lineage() != self:
            raise LineageChangedError("a new attempt began while this was read")

    def __bool__(self) -> bool:
        return bool(self.ranges)

    def __repr__(self) -> str:
        # Entity tags contain this text, so it must not change between releases.
        return repr([tuple(r) for r in self.ranges])


def step_key(attempt: int, step: int) -> int:
    # A numpy integer would overflow here.
    return operator.index(attempt) << _STEP_BITS | operator.index(step)


def split_step_key(row: int) -> tuple[int, int]:
    return row >> _STEP_BITS, row & LAST_STEP
