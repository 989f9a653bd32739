"""Layouts selected by set, view and range."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path
from typing import Literal

from lamplighter.contract.sentences import say
from lamplighter.runfolder.lineage import Lineage
from lamplighter.runfolder.reading.current_map import (
    districts_on_lineage,
    layouts_on_lineage,
    newest_layout_entry,
)
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.layouts import DistrictEvent, DistrictsEntry, LayoutEntry, LayoutsReader
from lamplighter.serving.reading.run_catalog import RunCatalog
from lamplighter.web.http.problems import RefusedError
from lamplighter.wire.layout_frames import Method

MAX_LAYOUTS = 5_000
"""Maximum number of layouts that one request may read."""
METHODS: dict[str, Method] = {"linear": Method.LINEAR, "umap": Method.UMAP}
LayoutSetName = Literal["live", "again", "output"]
"""The layouts made live, those of a finished run's reprojection, or those of the output matrix."""
MethodName = Literal["linear", "umap"]
"""A view; `umap` is the map, drawn by any method."""


class OpenLayouts:
    """The current layouts, districts and district events of a run; none if nothing is drawn yet."""

    def __init__(self, reader: LayoutsReader | None, lineage: Lineage) -> None:
        self._reader = reader
        self._lineage = lineage

    def _layouts(self, after: int = 0) -> Iterator[LayoutEntry]:
        """Yield the layouts with an id above `after`, in the order of creation, reading lazily."""
        return iter(()) if self._reader is None else layouts_on_lineage(self._reader, self._lineage, after)

    def newest(self, method: MethodName, step: int) -> LayoutEntry:
        """Return the newest layout of a view at or before a step. Raises RefusedError (404)."""
        entry = newest_layout_entry(self._layouts(), METHODS[method], step)
        if entry is None:
            raise RefusedError(404, say("no_layout", method=method, step=step))
        return entry

    def select(
        self, first: int, last: int | None, method: MethodName | None, after: int = 0
    ) -> Iterator[LayoutEntry]:
        """Yield the layouts of steps `first` to `last`, inclusive, by a method (None: any), with an id above `after`."""
        return (
            entry
            for entry in self._layouts(after)
            if first <= entry.step
            and (last is None or entry.step <= last)
            and (method is None or entry.method.view == METHODS[method])
        )

    def select_every(
        self, first: int, last: int | None, method: MethodName, every: int = 1
    ) -> list[LayoutEntry]:
        """Return every n-th layout that `select` finds. Raises RefusedError: there is none (404), or there are
        more than `MAX_LAYOUTS` (422).
        """
        found = islice(self.select(first, last, method), 0, None, every)
        entries = list(islice(found, MAX_LAYOUTS))
        if more := sum(1 for _ in found):
            raise RefusedError(
                422,
                f"{len(entries) + more:,} layouts are too many, at most {MAX_LAYOUTS:,} are sent at once: ask for fewer "
                "with from, to or every",
            )
        if not entries:
            raise RefusedError(
                404,
                f"there is no {method} layout of these steps yet: GET .../layouts lists the existing ones",
            )
        return entries

    def read_frame(self, entry: LayoutEntry) -> bytes:
        """Return the frame of a layout. Raises RefusedError (404) if it was just thinned out."""
        try:
            assert self._reader is not None
            return self._reader.layout_record(entry.id)
        except IndexError:
            raise RefusedError(404, f"the layout of step {entry.step} was just dropped: ask again") from None

    def districts(self) -> Iterator[DistrictsEntry]:
        return iter(()) if self._reader is None else districts_on_lineage(self._reader, self._lineage)

    def read_districts(self, entry: DistrictsEntry) -> bytes:
        """Return the frame of some districts. Raises IndexError if the entry was just thinned out."""
        assert self._reader is not None
        return self._reader.districts_record(entry.id)

    def district_events(self, after: int | None, limit: int) -> list[DistrictEvent]:
        """Return the newest `limit` district events, or the first after an id, without those of superseded steps."""
        events = [] if self._reader is None else self._reader.district_events(after, limit)
        return [event for event in events if self._lineage.counts(event.attempt, event.step)]


@contextmanager
def open_layouts(
    catalog: RunCatalog, run: RunFolder, set_name: LayoutSetName = "live"
) -> Generator[OpenLayouts]:
    """Open one set of a run's current layouts; it is empty if nothing is recorded or drawn yet."""
    lineage = Lineage()
    with suppress(RefusedError), catalog.open_steps(run) as reader:
        lineage = reader.lineage()
    with open_layouts_on(run, lineage, set_name) as opened:
        yield opened


@contextmanager
def open_layouts_on(
    run: RunFolder, lineage: Lineage, set_name: LayoutSetName = "live"
) -> Generator[OpenLayouts]:
    """Open one set of a run's layouts on a lineage; it is empty if nothing is drawn yet."""
    try:
        reader = LayoutsReader(_set_path(run, set_name))
    except FileNotFoundError:
        yield OpenLayouts(None, lineage)
        return
    with reader:
        yield OpenLayouts(reader, lineage)


def set_version(run: RunFolder, set_name: LayoutSetName) -> int:
    """Return a version of the layout set, which changes when a newer one replaces it."""
    if set_name == "live":
        return 0
    try:
        return _set_path(run, set_name).stat().st_mtime_ns
    except FileNotFoundError:
        return 0


def set_time(run: RunFolder, set_name: LayoutSetName) -> float | None:
    """Return when the layout set was written, in seconds since 1970; None if it is missing or live."""
    return set_version(run, set_name) / 1e9 or None


def _set_path(run: RunFolder, set_name: LayoutSetName) -> Path:
    return {
        "live": run.layouts_path,
        "again": run.relayouts_path,
        "output": run.output_layouts_path,
    }[set_name]


def layout_ids(entries: list[LayoutEntry]) -> list[tuple[int, int, int]]:
    return [(entry.id, entry.attempt, entry.step) for entry in entries]
