"""The lineage of a run: which attempt each step counts in, when several attempts hold it (`tables/steps.py`)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from lamplighter.runfolder.tables.districts import DistrictsEntry, DistrictsReader
from lamplighter.runfolder.tables.layouts import LayoutEntry, LayoutsReader
from lamplighter.wire.frames import Method

Line = list[tuple[int, int, int]]
"""(attempt, first step, last step), ascending, as `StepsReader.lineage` returns it."""


def counts(line: Line, attempt: int, step: int) -> bool:
    """Return whether a step of an attempt is on the lineage, that is, not superseded."""
    return any(of == attempt and first <= step <= last for of, first, last in line)


def attempt_at(line: Line, step: int) -> int:
    """Return the attempt that a step counts in. The lineage must not be empty."""
    return next((attempt for attempt, first, last in line if first <= step <= last), line[0][0])


def shared(old: Line, new: Line, step: int) -> int:
    """Return the last step at or before `step` that counts in the same attempt on both lineages; 0 if none does."""
    # The attempt only changes where a range begins, so the steps between need not be tested.
    for at in sorted({step, *(first - 1 for _, first, _ in old + new)}, reverse=True):
        if 0 <= at <= step and attempt_at(old, at) == attempt_at(new, at):
            return at
    return 0


def layouts_that_count(reader: LayoutsReader, line: Line, after: int = 0) -> Iterator[LayoutEntry]:
    """Yield the layouts on the lineage with an id above `after`, in the order they were written."""
    while batch := reader.entries(after):
        after = batch[-1].id
        yield from (entry for entry in batch if counts(line, entry.attempt, entry.step))


def districts_that_count(reader: DistrictsReader, line: Line, after: int = 0) -> Iterator[DistrictsEntry]:
    """Yield the districts entries on the lineage with an id above `after`, in the order they were written."""
    while batch := reader.districts_entries(after):
        after = batch[-1].id
        yield from (entry for entry in batch if counts(line, entry.attempt, entry.step))


def newest_layout(
    entries: Iterable[LayoutEntry], method: Method, step: int | None = None
) -> LayoutEntry | None:
    """Return the layout of the view of `method` for the latest step at or before `step`; of several, the last
    written."""
    fitting = [e for e in entries if e.method.view == method.view and (step is None or e.step <= step)]
    return max(fitting, key=lambda e: (e.step, e.id), default=None)
