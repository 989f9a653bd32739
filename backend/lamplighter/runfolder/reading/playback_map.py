"""Layouts and districts of a playback, held back until the step they belong to is played."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from itertools import islice
from pathlib import Path

from lamplighter.runfolder.errors import READ_ERRORS
from lamplighter.runfolder.lineage import Lineage
from lamplighter.runfolder.reading.current_map import districts_on_lineage, layouts_on_lineage
from lamplighter.runfolder.reading.playback_parts import (
    MAX_PENDING,
    PlaybackCursor,
    PlaybackItem,
    PlaybackKind,
)
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.districts import DistrictsEntry
from lamplighter.runfolder.tables.layouts import LayoutEntry, LayoutsReader
from lamplighter.runfolder.tables.measures import MeasuresReader
from lamplighter.runfolder.tables.steps import StepsReader, TimelineEvent


class PendingItems:
    """Items already read that wait for their step: layouts, districts, measures and events.

    Its lists are replaced, never mutated, so that a shallow copy is a snapshot.
    """

    def __init__(self, run: RunFolder, parts: frozenset[PlaybackKind], layouts: Path) -> None:
        self._run, self._parts, self._layouts_path = run, parts, layouts
        self.reset()

    def reset(self) -> None:
        """Forget everything read: playback begins again."""
        self._layout_id = self._event_id = self._districts_id = 0
        self._layouts: list[LayoutEntry] = []
        self._districts: list[DistrictsEntry] = []
        self._events: list[TimelineEvent] = []
        self._measures: list[tuple[int, dict[str, float]]] = []

    def collect(self, reader: StepsReader, lineage: Lineage, cursor: PlaybackCursor, last: int) -> None:
        """Read the new items; measures only of steps up to `last`."""
        if PlaybackKind.EVENT in self._parts:
            while len(self._events) < MAX_PENDING and (batch := reader.events(self._event_id)):
                self._event_id = batch[-1].id
                self._events = self._events + batch
            counted = (e for e in self._events if lineage.counts(e.attempt, e.step))
            self._events = sorted(counted, key=lambda e: (e.step, e.id))
        # A run can be played without its map and its measures, so ignore read errors and retry next time.
        with suppress(*READ_ERRORS):
            if PlaybackKind.LAYOUT in self._parts:
                with LayoutsReader(self._layouts_path) as layouts:
                    space = max(0, MAX_PENDING - len(self._layouts))
                    fresh = list(islice(layouts_on_lineage(layouts, lineage, self._layout_id), space))
                self._layout_id = fresh[-1].id if fresh else self._layout_id
                counted = (e for e in self._layouts + fresh if lineage.counts(e.attempt, e.step))
                self._layouts = sorted(counted, key=lambda e: (e.step, e.id))
        with suppress(*READ_ERRORS):
            if PlaybackKind.DISTRICTS in self._parts:
                with LayoutsReader(self._run.layouts_path) as layouts:
                    space = max(0, MAX_PENDING - len(self._districts))
                    found = list(islice(districts_on_lineage(layouts, lineage, self._districts_id), space))
                self._districts_id = found[-1].id if found else self._districts_id
                still = (e for e in self._districts + found if lineage.counts(e.attempt, e.step))
                self._districts = sorted(still, key=lambda e: (e.step, e.id))
        with suppress(*READ_ERRORS):
            if PlaybackKind.MEASURES in self._parts:
                with MeasuresReader(self._run.measures_path) as measured:
                    self._measures = list(
                        measured.by_step(cursor.measured + 1, last, lineage=lineage).items()
                    )

    def skip_to(self, step: int) -> None:
        """Start at `step`: of the earlier items keep only the newest layout of each view and the newest districts."""
        newest = {e.method.view: e for e in self._layouts if e.step <= step}
        self._layouts = [e for e in self._layouts if e.step > step or e is newest[e.method.view]]
        last = max((e for e in self._districts if e.step <= step), key=lambda e: (e.step, e.id), default=None)
        self._districts = [e for e in self._districts if e.step > step or e is last]
        self._events = [e for e in self._events if e.step > step]

    def release_due(self, cursor: PlaybackCursor, played: list[PlaybackItem]) -> PlaybackCursor:
        """Append the items whose step has been reached to `played`. Return the new position."""
        step = cursor.step
        if self._layouts and self._layouts[0].step <= step:
            due = [e for e in self._layouts if e.step <= step]
            self._layouts = self._layouts[len(due) :]
            cursor = self._release_layouts(cursor, due, played)
        if self._districts and self._districts[0].step <= step:
            found = [e for e in self._districts if e.step <= step]
            self._districts = self._districts[len(found) :]
            cursor = self._release_districts(cursor, found, played)
        if self._measures and self._measures[0][0] <= step:
            due = [m for m in self._measures if m[0] <= step]
            self._measures = self._measures[len(due) :]
            played += [PlaybackItem(step, PlaybackKind.MEASURES, measures=measured) for measured in due]
            cursor = replace(cursor, measured=due[-1][0])
        if self._events and self._events[0].step <= step:
            due = [e for e in self._events if e.step <= step]
            self._events = self._events[len(due) :]
            played += [PlaybackItem(step, PlaybackKind.EVENT, e.attempt, event=e) for e in due]
        return cursor

    def _release_layouts(
        self, cursor: PlaybackCursor, due: list[LayoutEntry], played: list[PlaybackItem]
    ) -> PlaybackCursor:
        shown = dict(cursor.layouts)
        # Skip layouts that were thinned out meanwhile or cannot be read.
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
