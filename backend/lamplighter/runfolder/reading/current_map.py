"""The layouts and districts of a run that are not superseded."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from lamplighter.runfolder.lineage import Lineage
from lamplighter.runfolder.tables.districts import DistrictsEntry, DistrictsReader
from lamplighter.runfolder.tables.layouts import LayoutEntry, LayoutsReader
from lamplighter.wire.layout_frames import Method


def layouts_on_lineage(reader: LayoutsReader, lineage: Lineage, after: int = 0) -> Iterator[LayoutEntry]:
    """Yield the layouts on the lineage with an id above `after`, in the order they were written."""
    while batch := reader.layout_entries(after):
        after = batch[-1].id
        yield from (entry for entry in batch if lineage.counts(entry.attempt, entry.step))


def districts_on_lineage(
    reader: DistrictsReader, lineage: Lineage, after: int = 0
) -> Iterator[DistrictsEntry]:
    """Yield the districts entries on the lineage with an id above `after`, in the order they were written."""
    while batch := reader.districts_entries(after):
        after = batch[-1].id
        yield from (entry for entry in batch if lineage.counts(entry.attempt, entry.step))


def newest_layout_entry(
    entries: Iterable[LayoutEntry], method: Method, step: int | None = None
) -> LayoutEntry | None:
    """Return the last written layout in the view of `method` for the latest step at or before `step`."""
    fitting = (e for e in entries if e.method.view == method.view and (step is None or e.step <= step))
    return max(fitting, key=lambda e: (e.step, e.id), default=None)
