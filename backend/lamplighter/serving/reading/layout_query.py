"""Layouts selected by a request: by set, view and range, as many as fit."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Literal

from lamplighter.runfolder.reading.current_map import layouts_on_lineage
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.layouts import LayoutEntry, LayoutsReader
from lamplighter.serving.http.problems import RefusedError
from lamplighter.serving.reading.run_catalog import RunCatalog
from lamplighter.wire.layout_frames import Method

MOST_LAYOUTS = 5_000
"""Layouts that one request may read."""
METHODS: dict[str, Method] = {"linear": Method.LINEAR, "umap": Method.UMAP}
LayoutSetName = Literal["live", "again"]
"""The layouts made live, or those of a finished run's reprojection."""
MethodName = Literal["linear", "umap"]
"""A view; `umap` is the map, whichever method drew it."""


class OpenLayouts:
    """The counting layouts of a run, with access to their frames."""

    def __init__(self, reader: LayoutsReader | None, entries: list[LayoutEntry]) -> None:
        self._reader = reader
        self.entries = entries

    def read_frame(self, entry: LayoutEntry) -> bytes:
        """Return the frame of a layout.

        Raises:
            RefusedError: it was just thinned out (404).
        """
        try:
            assert self._reader is not None
            return self._reader.layout_record(entry.id)
        except IndexError:
            raise RefusedError(404, f"the layout of step {entry.step} was just dropped: ask again") from None


@contextmanager
def open_layouts(
    catalog: RunCatalog, run: RunFolder, set_name: LayoutSetName = "live"
) -> Generator[OpenLayouts]:
    """Open one set of a run's counting layouts; it is empty if nothing is recorded or drawn yet."""
    try:
        with catalog.open_steps(run) as reader:
            lineage = reader.lineage()
        layouts_reader = LayoutsReader(run.layouts_path if set_name == "live" else run.relayouts_path)
    except (FileNotFoundError, RefusedError):
        yield OpenLayouts(None, [])
        return
    with layouts_reader:
        yield OpenLayouts(layouts_reader, list(layouts_on_lineage(layouts_reader, lineage)))


def set_version(run: RunFolder, set_name: LayoutSetName) -> int:
    """Return a version of the layout set, which changes when a new reprojection replaces the set."""
    if set_name == "live":
        return 0
    try:
        return run.relayouts_path.stat().st_mtime_ns
    except FileNotFoundError:
        return 0


def select_layouts(
    layouts: OpenLayouts, first: int, last: int | None, method: MethodName | None, after: int = 0
) -> list[LayoutEntry]:
    """Return the layouts of steps `first` to `last`, inclusive, by a method (None: any), with an id above `after`."""
    return [
        entry
        for entry in layouts.entries
        if entry.id > after
        and first <= entry.step
        and (last is None or entry.step <= last)
        and (method is None or entry.method.view == METHODS[method])
    ]
