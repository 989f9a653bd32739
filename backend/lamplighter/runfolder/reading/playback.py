"""Playback of a run from any step: the frames that a live viewer would have received, in the order of steps.

Reads a few steps at a time and closes the files in between: a file can be sealed only while no connection is
open, and an open reader keeps the WAL growing. Follows the lineage; when a new attempt supersedes steps
already played, playback restarts at the last step that still counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from copy import copy
from dataclasses import dataclass, field, replace
from enum import Enum
from itertools import islice
from pathlib import Path

import numpy as np

from lamplighter.runfolder.errors import READ_ERRORS
from lamplighter.runfolder.lineage import (
    Line,
    attempt_at,
    counts,
    districts_that_count,
    layouts_that_count,
    shared,
)
from lamplighter.runfolder.reading.matrix_history import History
from lamplighter.runfolder.reading.snapshot import NoSnapshotError, Snapshot, touches
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.districts import DistrictsEntry
from lamplighter.runfolder.tables.layouts import LayoutEntry, LayoutsReader
from lamplighter.runfolder.tables.measures import MeasuresReader
from lamplighter.runfolder.tables.steps import TERMINAL, Event, StepsReader
from lamplighter.wire.frames import Census, Method, Pulse, Rows, decode_as, encode

_FIRST = 8
"""Steps read in the first batch, while their size is unknown."""
_BYTES = 4 << 20
"""Approximate bytes read at a time."""
_MOST = 100_000
"""Maximum layouts and events held until their step is played: bounds memory for any file."""


class Part(Enum):
    """A kind of playback item."""

    CENSUS = "census"
    MATRIX = "matrix"
    PULSE = "pulse"
    ROWS = "rows"
    LAYOUT = "layout"
    DISTRICTS = "districts"
    MEASURES = "measures"
    EVENT = "event"


CHANNELS = {
    "pulse": (Part.CENSUS, Part.PULSE),
    "layout": (Part.LAYOUT, Part.DISTRICTS),
    "rows": (Part.MATRIX, Part.ROWS),
}
"""The kinds of items in each viewer channel (`docs/wire.md`)."""


@dataclass(frozen=True)
class Played:
    """One item to play."""

    step: int
    """The step of the run with which it is played."""
    part: Part
    attempt: int = 0
    frame: bytes = b""
    """The encoded frame; empty for measures and events."""
    method: Method = Method.LINEAR
    """The method of a layout."""
    measures: tuple[int, dict[str, float]] | None = None
    """The measured step, and the values by name."""
    event: Event | None = None


@dataclass(frozen=True)
class Place:
    """A playback position: how far the run has been played."""

    line: Line = field(default_factory=list[tuple[int, int, int]])
    attempt: int = 0
    step: int = -1
    """The last step played; -1 before the first."""
    exact: bool = False
    """True while the rows played so far add up to the exact matrix at this step."""
    layouts: dict[Method, tuple[int, int]] = field(default_factory=dict[Method, tuple[int, int]])
    """Step and id of the newest layout played, by view."""
    districts: tuple[int, int] = (-1, -1)
    """Step and id of the newest districts played."""
    measured: int = -1
    """The last step whose measures were played."""


class NoSuchStepError(LookupError):
    """An error for playback from a step that has not happened yet."""

    def __init__(self, step: int, newest: int) -> None:
        """Name the requested step and the newest one."""
        super().__init__(f"step {step} has not happened yet: play from a step between 0 and {newest}")


class Playback:
    """The playback of one run for one viewer. Not thread-safe."""

    def __init__(
        self,
        run: RunFolder,
        first: int,
        last: int | None = None,
        parts: Iterable[Part] = tuple(Part),
        *,
        again: bool = False,
    ) -> None:
        """Play `run` from step `first` to `last` (None: to the end), inclusive.

        With `again`, use the layouts of the reprojected map.
        """
        self._run = run
        self._first, self._last = first, last
        self._parts = frozenset(parts)
        self._waiting = _Waiting(run, self._parts, run.relayouts_path if again else run.layouts_path)
        self._per_step = _BYTES // _FIRST
        self.place = Place()
        self.newest = -1
        """The newest step of the run at the last read."""
        self.over = False
        """True if the run had ended at the last read."""

    @property
    def done(self) -> bool:
        """Return whether the last requested step has been played."""
        return self._last is not None and self.place.step >= self._last

    def more(self, steps: int = 256) -> list[Played]:
        """Read the next items, of at most `steps` steps, fewer if they are large.

        The first call also returns the initial state: the census, the newest layout of each view, the newest
        districts and the matrix. Empty while the run has no further steps.

        Raises:
            FileNotFoundError: the run has not started.
            NoSuchStepError: the first step has not happened yet.
            FormatError, OSError, apsw.Error: the steps cannot be read now; no item is lost.
        """
        with History(self._run) as history:
            while True:
                line = history.steps.line()
                waiting = copy(self._waiting)
                try:
                    place, played = self._read(history, line, steps, waiting)
                except (LookupError, ValueError):
                    # The attempt can change between two reads, which would mix two lineages: read again.
                    if history.steps.line() == line:
                        raise
                    continue
                if history.steps.line() == line:
                    self.place, self._waiting = place, waiting
                    return played

    def _read(
        self, history: History, line: Line, steps: int, waiting: _Waiting
    ) -> tuple[Place, list[Played]]:
        reader = history.steps
        # Read the phase first: once the run is over, no step follows.
        self.over = reader.facts().get("phase") in TERMINAL
        begun, self.newest = reader.last()
        place = self.place
        if place.step < 0 and self._first > self.newest:
            raise NoSuchStepError(self._first, self.newest)
        if not begun or reader.keyframe_step(self.newest) is None:
            # The run has not started, or only just: its first keyframe is not written yet.
            return place, []
        played: list[Played] = []
        if place.step < 0 or not counts(line, place.attempt, place.step):
            back = self._first if place.step < 0 else shared(place.line, line, place.step)
            place = self._begin(history, line, min(back, self.newest), waiting, played)
        last = self.newest if self._last is None else min(self._last, self.newest)
        limit = min(steps, max(1, _BYTES // self._per_step), last - place.step)
        pulses = reader.pulses(place.step + 1, last, limit=limit) if limit > 0 else []
        waiting.look(reader, line, place, pulses[-1][0] if pulses else place.step)
        place = waiting.due(replace(place, line=line), played)
        if not pulses:
            return place, played
        moved = _Moved(history, place, pulses[-1][0]) if Part.ROWS in self._parts else None
        size = 0
        for number, (step, data) in enumerate(pulses, 1):
            before = len(played)
            place = replace(place, attempt=attempt_at(line, step), step=step)
            if Part.PULSE in self._parts:
                played.append(Played(step, Part.PULSE, place.attempt, data))
            if moved is not None:
                played += moved.by(step, data)
                place = replace(place, exact=moved.exact)
            place = waiting.due(place, played)
            size += len(data) + sum(len(one.frame) for one in played[before:])
            self._per_step = max(1, size // number)
            if size > _BYTES:
                break
        return place, played

    def _begin(self, history: History, line: Line, at: int, waiting: _Waiting, played: list[Played]) -> Place:
        place = Place(line, attempt_at(line, at), at, measured=at)
        if Part.CENSUS in self._parts:
            so_far = touches(history.steps, at)
            when = [decode_as(data, Pulse).time for _, data in history.steps.pulses_of([at])]
            time = when[0] if when else self._run.created
            census = Census(place.attempt, at, time, so_far.touches, so_far.last_lit)
            played.append(Played(at, Part.CENSUS, place.attempt, encode(census)))
        waiting.begin()
        waiting.look(history.steps, line, place, at)
        waiting.skip_to(at)
        place = waiting.due(place, played)
        if Part.ROWS in self._parts:
            matrix = history.snapshot(at, nearest=True)
            played.append(_whole(at, matrix))
            place = replace(place, exact=matrix.step == at)
        return place


class _Waiting:
    """Items already read that wait for their step: layouts, districts, measures and events.

    Its lists are replaced, never mutated, so that a shallow copy is a snapshot.
    """

    def __init__(self, run: RunFolder, parts: frozenset[Part], layouts: Path) -> None:
        self._run, self._parts, self._layouts_path = run, parts, layouts
        self.begin()

    def begin(self) -> None:
        self._layout_id = self._event_id = self._districts_id = 0
        self._layouts: list[LayoutEntry] = []
        self._districts: list[DistrictsEntry] = []
        self._events: list[Event] = []
        self._measures: list[tuple[int, dict[str, float]]] = []

    def look(self, reader: StepsReader, line: Line, place: Place, last: int) -> None:
        """Read the new items; measures only of steps up to `last`."""
        if Part.EVENT in self._parts:
            while len(self._events) < _MOST and (batch := reader.events(self._event_id)):
                self._event_id = batch[-1].id
                self._events = self._events + batch
            counted = (e for e in self._events if counts(line, e.attempt, e.step))
            self._events = sorted(counted, key=lambda e: (e.step, e.id))
        # A run can be played without its map and its measures, so ignore read errors and retry next time.
        with suppress(*READ_ERRORS):
            if Part.LAYOUT in self._parts:
                with LayoutsReader(self._layouts_path) as drawn:
                    room = max(0, _MOST - len(self._layouts))
                    fresh = list(islice(layouts_that_count(drawn, line, self._layout_id), room))
                self._layout_id = fresh[-1].id if fresh else self._layout_id
                counted = (e for e in self._layouts + fresh if counts(line, e.attempt, e.step))
                self._layouts = sorted(counted, key=lambda e: (e.step, e.id))
        with suppress(*READ_ERRORS):
            if Part.DISTRICTS in self._parts:
                with LayoutsReader(self._run.layouts_path) as drawn:
                    room = max(0, _MOST - len(self._districts))
                    found = list(islice(districts_that_count(drawn, line, self._districts_id), room))
                self._districts_id = found[-1].id if found else self._districts_id
                still = (e for e in self._districts + found if counts(line, e.attempt, e.step))
                self._districts = sorted(still, key=lambda e: (e.step, e.id))
        with suppress(*READ_ERRORS):
            if Part.MEASURES in self._parts:
                with MeasuresReader(self._run.measures_path) as measured:
                    self._measures = list(measured.by_step(place.measured + 1, last, line=line).items())

    def skip_to(self, step: int) -> None:
        """Start at `step`: of the earlier items keep only the newest layout of each view and the newest districts."""
        newest = {e.method.view: e for e in self._layouts if e.step <= step}
        self._layouts = [e for e in self._layouts if e.step > step or e is newest[e.method.view]]
        last = max((e for e in self._districts if e.step <= step), key=lambda e: (e.step, e.id), default=None)
        self._districts = [e for e in self._districts if e.step > step or e is last]
        self._events = [e for e in self._events if e.step > step]

    def due(self, place: Place, played: list[Played]) -> Place:
        """Append the items whose step has been reached to `played`. Return the new position."""
        step = place.step
        if self._layouts and self._layouts[0].step <= step:
            due = [e for e in self._layouts if e.step <= step]
            self._layouts = self._layouts[len(due) :]
            place = self._draw(place, due, played)
        if self._districts and self._districts[0].step <= step:
            found = [e for e in self._districts if e.step <= step]
            self._districts = self._districts[len(found) :]
            place = self._find(place, found, played)
        if self._measures and self._measures[0][0] <= step:
            due = [m for m in self._measures if m[0] <= step]
            self._measures = self._measures[len(due) :]
            played += [Played(step, Part.MEASURES, measures=measured) for measured in due]
            place = replace(place, measured=due[-1][0])
        if self._events and self._events[0].step <= step:
            due = [e for e in self._events if e.step <= step]
            self._events = self._events[len(due) :]
            played += [Played(step, Part.EVENT, e.attempt, event=e) for e in due]
        return place

    def _draw(self, place: Place, due: list[LayoutEntry], played: list[Played]) -> Place:
        shown = dict(place.layouts)
        # Skip layouts that were thinned out meanwhile or cannot be read.
        with suppress(*READ_ERRORS), LayoutsReader(self._layouts_path) as drawn:
            for entry in due:
                # Skip a late layout if a newer one was already played.
                if (entry.step, entry.id) > shown.get(entry.method.view, (-1, -1)):
                    with suppress(IndexError):
                        frame = drawn.record(entry.id)
                        played.append(
                            Played(place.step, Part.LAYOUT, entry.attempt, frame, method=entry.method)
                        )
                        shown[entry.method.view] = entry.step, entry.id
        return replace(place, layouts=shown)

    def _find(self, place: Place, due: list[DistrictsEntry], played: list[Played]) -> Place:
        with suppress(*READ_ERRORS), LayoutsReader(self._run.layouts_path) as drawn:
            for entry in due:
                if (entry.step, entry.id) > place.districts:
                    with suppress(IndexError):
                        frame = drawn.districts_record(entry.id)
                        played.append(Played(place.step, Part.DISTRICTS, entry.attempt, frame))
                        place = replace(place, districts=(entry.step, entry.id))
        return place


class _Moved:
    """The moved rows of each step in a batch where they are known exactly; otherwise the keyframes."""

    def __init__(self, history: History, place: Place, last: int) -> None:
        self.exact = place.exact
        self._history, self._last = history, last
        self._matrices: Iterator[Snapshot] = iter(())
        if self.exact:
            self._matrices = history.snapshots(place.step + 1, last)
        self._keys = {step for _, step in history.steps.keyframe_steps() if place.step < step <= last}

    def by(self, step: int, data: bytes) -> list[Played]:
        """Return the row items of `step`, which must be the next one; `data` is its pulse."""
        matrix = self._next()
        if matrix is not None:
            pulse = decode_as(data, Pulse)
            ids = pulse.moved_ids
            rows = Rows(matrix.attempt, step, pulse.time, pulse.vocabulary, ids, matrix.vectors[ids])
            return [Played(step, Part.ROWS, matrix.attempt, encode(rows))]
        if step not in self._keys:
            return []
        self.exact = True
        self._matrices = self._history.snapshots(step + 1, self._last)
        return [_whole(step, self._history.snapshot(step))]

    def _next(self) -> Snapshot | None:
        if self.exact:
            try:
                return next(self._matrices)
            except NoSnapshotError:
                self.exact = False
        return None


def _whole(step: int, matrix: Snapshot) -> Played:
    size = len(matrix.vectors)
    ids = np.arange(size, dtype=np.uint32)
    rows = Rows(matrix.attempt, matrix.step, matrix.time, size, ids, matrix.vectors)
    return Played(step, Part.MATRIX, matrix.attempt, encode(rows))
