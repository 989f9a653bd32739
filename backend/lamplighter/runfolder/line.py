"""The line of a run: the steps that count, when several attempts hold the same ones (`steps.py`)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from lamplighter.runfolder.districts import DistrictsEntry, DistrictsReader
from lamplighter.runfolder.layouts import LayoutEntry, LayoutsReader
from lamplighter.wire.frames import Method

Line = list[tuple[int, int, int]]
"""(attempt, first step, last step), ascending, as `StepsReader.line` gives it."""


def counts(line: Line, attempt: int, step: int) -> bool:
    """Whether a step of an attempt is on the line, not superseded."""
    return any(of == attempt and first <= step <= last for of, first, last in line)


def attempt_at(line: Line, step: int) -> int:
    """The attempt that a step of the line belongs to. The line must not be empty."""
    return next((attempt for attempt, first, last in line if first <= step <= last), line[0][0])


def shared(old: Line, new: Line, step: int) -> int:
    """The last step at or before `step` that is the same in two lines; 0 where none is."""
    # Attempts only ever change where a stretch begins, so nothing in between needs to be asked.
    for at in sorted({step, *(first - 1 for _, first, _ in old + new)}, reverse=True):
        if 0 <= at <= step and attempt_at(old, at) == attempt_at(new, at):
            return at
    return 0


def layouts_that_count(reader: LayoutsReader, line: Line, after: int = 0) -> Iterator[LayoutEntry]:
    """The layouts of the line with an id above `after`, in the order they were made."""
    while batch := reader.entries(after):
        after = batch[-1].id
        yield from (entry for entry in batch if counts(line, entry.attempt, entry.step))


def districts_that_count(reader: DistrictsReader, line: Line, after: int = 0) -> Iterator[DistrictsEntry]:
    """The looks for districts of the line with an id above `after`, in the order they were taken."""
    while batch := reader.districts_entries(after):
        after = batch[-1].id
        yield from (entry for entry in batch if counts(line, entry.attempt, entry.step))


def newest_layout(
    entries: Iterable[LayoutEntry], method: Method, step: int | None = None
) -> LayoutEntry | None:
    """Of the layouts of the view that a method draws, the one for the latest step at or before `step`, made last."""
    fitting = [e for e in entries if e.method.view == method.view and (step is None or e.step <= step)]
    return max(fitting, key=lambda e: (e.step, e.id), default=None)
