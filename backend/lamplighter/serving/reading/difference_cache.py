"""The differences between runs that were measured last.

Every order of the words and every colour of the map takes one measurement. Everything here blocks and is called from
threads. One thread measures for all; the others raise InProgressError, and their requests wait without holding a thread.
"""

from __future__ import annotations

from collections.abc import Callable

from lamplighter.differences.difference import ComparedRun, read_first_difference, read_rows
from lamplighter.differences.matched_steps import MatchedSteps, Relation
from lamplighter.differences.record import FirstDifference
from lamplighter.differences.rows import RowsDifference
from lamplighter.runfolder.lineage import LineageChangedError
from lamplighter.runfolder.reading.lru_cache import LruCache
from lamplighter.web.capacity.thread_pools import SingleFlight

_KEPT_BYTES = 32 << 20
_WORD_BYTES = 120
"""Bytes of a shared word in what is kept."""


class DifferenceCache:
    """The last differences of one server."""

    def __init__(self) -> None:
        self._rows = LruCache(_KEPT_BYTES, lambda rows: _WORD_BYTES * len(rows.shared))
        self._first = LruCache()
        self._work = SingleFlight()
        self._progress: tuple[tuple[str, str], float] | None = None
        """The ids of the runs that are being measured, and the share done."""

    def measure_rows(
        self,
        one: ComparedRun,
        other: ComparedRun,
        relation: Relation,
        steps: MatchedSteps,
        attempts: tuple[int, int],
        require_wanted: Callable[[], object],
    ) -> RowsDifference:
        """Return the difference of two matrices, which must count in `attempts`, measured unless it is kept.
        `require_wanted` is called now and then; what it raises ends the measurement.

        Raises NotComparableError, NoSnapshotError, FormatError as `read_rows`; LineageChangedError;
        InProgressError while another thread is measuring.
        """
        key = _name(one), _name(other), relation, steps.step, steps.other_step, attempts

        def on_progress(share: float) -> None:
            require_wanted()
            self._progress = (one.run.id, other.run.id), share

        def measure() -> RowsDifference:
            on_progress(0)
            try:
                return read_rows(one, other, relation, steps, on_progress)
            finally:
                self._progress = None

        with self._work.alone():
            rows = self._rows.get_or_make(key, measure)
        if attempts != (one.attempt_at(steps.step), other.attempt_at(steps.other_step)):
            raise LineageChangedError("a new attempt began during this request")
        return rows

    def share_done(self, run: str, other: str) -> float | None:
        """Return how much of the measurement of two runs is done; None while they are not being measured."""
        progress = self._progress
        return progress[1] if progress is not None and progress[0] == (run, other) else None

    def find_first(self, one: ComparedRun, other: ComparedRun, relation: Relation) -> FirstDifference | None:
        """Return the first step whose records differ, comparing only steps that were not compared before. Raises
        FormatError; InProgressError while another thread is comparing.
        """
        key = tuple((_name(each), each.history.steps.lineage()) for each in (one, other))
        found: list[FirstDifference | None] = self._first.get_or_make(key, lambda: [None])
        with self._work.alone():
            found[0] = read_first_difference(one, other, relation, found[0])
        return found[0]


def _name(one: ComparedRun) -> tuple[object, ...]:
    return one.run.path, one.run.created
