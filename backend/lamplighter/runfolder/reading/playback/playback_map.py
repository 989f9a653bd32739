"""Layouts and districts of a playback, held back until their step is played."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

from lamplighter.runfolder.errors import READ_ERRORS
from lamplighter.runfolder.lineage import Lineage
from lamplighter.runfolder.reading.playback.playback_parts import PlaybackCursor, PlaybackItem, PlaybackKind
from lamplighter.runfolder.reading.shared_timeline import PlayedTo, SharedTimelines, Timeline, pages
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.districts import DistrictsEntry
from lamplighter.runfolder.tables.layouts import LayoutEntry, LayoutsReader
from lamplighter.runfolder.tables.measures import MeasuresReader
from lamplighter.runfolder.tables.steps import TimelineEvent
from lamplighter.runfolder.tables.steps_reader import StepsReader


class PendingItems:
    """Layouts, districts, measures and events that wait for their step. The lists are replaced, never mutated, so that
    a shallow copy is a snapshot.

    All players of the run share the lists of layouts, districts and events.
    """

    def __init__(
        self,
        run: RunFolder,
        parts: frozenset[PlaybackKind],
        shared: SharedTimelines,
        *,
        reprojected: bool,
    ) -> None:
        self._run, self._parts, self._shared = run, parts, shared
        self._layouts_path = run.relayouts_path if reprojected else run.layouts_path
        self._shared_layouts = shared.reprojected if reprojected else shared.layouts
        self.reset()

    def reset(self) -> None:
        """Forget everything read, to restart playback."""
        self._events: Timeline[TimelineEvent] = Timeline()
        self._layouts: Timeline[LayoutEntry] = Timeline()
        self._districts: Timeline[DistrictsEntry] = Timeline()
        self._events_to = self._layouts_to = self._districts_to = PlayedTo()
        self._first_layouts: list[LayoutEntry] = []
        self._first_districts: list[DistrictsEntry] = []
        self._measures: list[tuple[int, dict[str, float]]] = []

    def collect(self, reader: StepsReader, lineage: Lineage, cursor: PlaybackCursor, last: int) -> None:
        """Read new items; measures only up to step `last`."""
        if PlaybackKind.EVENT in self._parts:
            self._events = self._shared.events.read_new_entries(
                self._run.steps_path, lambda after: pages(reader.events, after)
            )
        # A run can be played without its map and its measures, so ignore read errors and retry next time.
        with suppress(*READ_ERRORS):
            if PlaybackKind.LAYOUT in self._parts:
                with LayoutsReader(self._layouts_path) as layouts:
                    self._layouts = self._shared_layouts.read_new_entries(
                        self._layouts_path, lambda after: pages(layouts.layout_entries, after)
                    )
        with suppress(*READ_ERRORS):
            if PlaybackKind.DISTRICTS in self._parts:
                with LayoutsReader(self._run.layouts_path) as layouts:
                    self._districts = self._shared.districts.read_new_entries(
                        self._run.layouts_path, lambda after: pages(layouts.districts_entries, after)
                    )
        with suppress(*READ_ERRORS):
            if PlaybackKind.MEASURES in self._parts:
                with MeasuresReader(self._run.measures_path) as measured:
                    self._measures = list(
                        measured.by_step(cursor.measured + 1, last, lineage=lineage).items()
                    )

    def skip_to(self, cursor: PlaybackCursor) -> None:
        """Start at the position of `cursor`. Of earlier items keep only the newest layout of each view and the newest
        districts.
        """
        step, lineage = cursor.step, cursor.lineage
        newest = {e.method.view: e for e in self._layouts.up_to(step) if lineage.counts(e.attempt, e.step)}
        self._first_layouts = sorted(newest.values(), key=lambda e: (e.step, e.id))
        found = [e for e in self._districts.up_to(step) if lineage.counts(e.attempt, e.step)]
        self._first_districts = found[-1:]
        self._events_to = PlayedTo(step, self._events.newest_id)
        self._layouts_to = PlayedTo(step, self._layouts.newest_id)
        self._districts_to = PlayedTo(step, self._districts.newest_id)

    def release_due(self, cursor: PlaybackCursor, played: list[PlaybackItem]) -> PlaybackCursor:
        """Append the items whose step has been reached to `played`. Return the new position."""
        step, lineage = cursor.step, cursor.lineage
        if layouts := self._first_layouts + self._layouts.due(self._layouts_to, step):
            layouts = [e for e in layouts if lineage.counts(e.attempt, e.step)]
            cursor = self._release_layouts(cursor, layouts, played) if layouts else cursor
        if districts := self._first_districts + self._districts.due(self._districts_to, step):
            districts = [e for e in districts if lineage.counts(e.attempt, e.step)]
            cursor = self._release_districts(cursor, districts, played) if districts else cursor
        self._first_layouts, self._first_districts = [], []
        if self._measures and self._measures[0][0] <= step:
            measures = [m for m in self._measures if m[0] <= step]
            self._measures = self._measures[len(measures) :]
            played += [PlaybackItem(step, PlaybackKind.MEASURES, measures=one) for one in measures]
            cursor = replace(cursor, measured=measures[-1][0])
        events = self._events.due(self._events_to, step)
        played += [
            PlaybackItem(step, PlaybackKind.EVENT, e.attempt, event=e)
            for e in events
            if lineage.counts(e.attempt, e.step)
        ]
        self._events_to = PlayedTo(step, self._events.newest_id)
        self._layouts_to = PlayedTo(step, self._layouts.newest_id)
        self._districts_to = PlayedTo(step, self._districts.newest_id)
        return cursor

    def _release_layouts(
        self, cursor: PlaybackCursor, due: list[LayoutEntry], played: list[PlaybackItem]
    ) -> PlaybackCursor:
        shown = dict(cursor.layouts)
        # Skip layouts that were thinned out since, or cannot be read.
        with suppress(*READ_ERRORS), LayoutsReader(self._layouts_path) as reader:
            for entry in due:
                # Skip a late layout if a newer one was already played.
                if (entry.step, entry.id) > shown.get(entry.method.view, (-1, -1)):
                    with suppress(IndexError):
                        frame = reader.layout_record(entry.id)
                        played.append(
                            PlaybackItem(
                                cursor.step, PlaybackKind.LAYOUT, entry.attempt, frame, method=entry.method
                            )
                        )
                        shown[entry.method.view] = entry.step, entry.id
        return replace(cursor, layouts=shown)

    def _release_districts(
        self, cursor: PlaybackCursor, due: list[DistrictsEntry], played: list[PlaybackItem]
    ) -> PlaybackCursor:
        with suppress(*READ_ERRORS), LayoutsReader(self._run.layouts_path) as reader:
            for entry in due:
                if (entry.step, entry.id) > cursor.districts:
                    with suppress(IndexError):
                        frame = reader.districts_record(entry.id)
                        played.append(PlaybackItem(cursor.step, PlaybackKind.DISTRICTS, entry.attempt, frame))
                        cursor = replace(cursor, districts=(entry.step, entry.id))
        return cursor
