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

from lamplighter.runfolder.errors import READ_ERRORS, NoSnapshotError
from lamplighter.runfolder.lineage import Lineage
from lamplighter.runfolder.reading.matrix_history import MatrixHistory
from lamplighter.runfolder.reading.shared_timeline import PlayedTo, SharedTimelines, Timeline, pages
from lamplighter.runfolder.reading.snapshot import Snapshot, read_census, read_time
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.layouts import DistrictsEntry, LayoutEntry, LayoutsReader
from lamplighter.runfolder.tables.measures import MeasuresReader
from lamplighter.runfolder.tables.steps import TimelineEvent
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.wire.frames import decode_as, encode
from lamplighter.wire.layout_frames import Method
from lamplighter.wire.pulse_frames import Pulse
from lamplighter.wire.row_frames import Rows


class PlaybackKind(Enum):
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
    "pulse": (PlaybackKind.CENSUS, PlaybackKind.PULSE),
    "layout": (PlaybackKind.LAYOUT, PlaybackKind.DISTRICTS),
    "rows": (PlaybackKind.MATRIX, PlaybackKind.ROWS),
}
"""The kinds of items in each viewer channel (`docs/wire.md`)."""


@dataclass(frozen=True)
class PlaybackItem:
    """One item to play."""

    step: int
    """The step with which the item is played."""
    kind: PlaybackKind
    attempt: int = 0
    frame: bytes = b""
    """The encoded frame; empty for measures and events."""
    method: Method = Method.LINEAR
    """The method of a layout."""
    measures: tuple[int, dict[str, float]] | None = None
    """The measured step, and the values by name."""
    event: TimelineEvent | None = None


@dataclass(frozen=True)
class PlaybackCursor:
    """A position in the playback of a run."""

    lineage: Lineage = field(default_factory=Lineage)
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


class RowChanges:
    """The moved rows of each step in a batch, or its keyframe where they are not known exactly."""

    def __init__(self, history: MatrixHistory, cursor: PlaybackCursor, last: int) -> None:
        self.exact = cursor.exact
        self._history, self._last = history, last
        self._matrices: Iterator[Snapshot] = iter(())
        if self.exact:
            self._matrices = history.snapshots(cursor.step + 1, last)
        self._keyframe_steps = {
            step for _, step in history.steps.keyframe_steps() if cursor.step < step <= last
        }

    def items_for(self, step: int, data: bytes) -> list[PlaybackItem]:
        """Return the row items of `step`, which must be the next one; `data` is its pulse."""
        matrix = self._next_matrix()
        if matrix is not None:
            pulse = decode_as(data, Pulse)
            ids = pulse.moved_ids
            rows = Rows(matrix.attempt, step, pulse.time, pulse.vocabulary, ids, matrix.vectors[ids])
            return [PlaybackItem(step, PlaybackKind.ROWS, matrix.attempt, encode(rows))]
        if step not in self._keyframe_steps:
            return []
        try:
            matrix = self._history.snapshot(step)
        except NoSnapshotError:
            # The keyframe was thinned out.
            return []
        self.exact = True
        self._matrices = self._history.snapshots(step + 1, self._last)
        return [whole_matrix(step, matrix)]

    def _next_matrix(self) -> Snapshot | None:
        if self.exact:
            try:
                return next(self._matrices)
            except NoSnapshotError:
                self.exact = False
        return None


def whole_matrix(step: int, matrix: Snapshot) -> PlaybackItem:
    return PlaybackItem(step, PlaybackKind.MATRIX, matrix.attempt, matrix.encode_frame())


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


_FIRST_BATCH = 8
"""Steps read in the first batch, while their size is unknown."""
_BATCH_BYTES = 4 << 20
"""Approximate bytes read at a time."""


class NoSuchStepError(LookupError):
    """An error for playback from a step that has not happened yet."""

    def __init__(self, step: int, newest: int) -> None:
        super().__init__(f"step {step} has not happened yet: play from a step between 0 and {newest}")


class Playback:
    """The playback of one run for one viewer. Not thread-safe."""

    def __init__(
        self,
        run: RunFolder,
        first: int,
        last: int | None = None,
        kinds: Iterable[PlaybackKind] = tuple(PlaybackKind),
        *,
        reprojected: bool = False,
        shared: SharedTimelines | None = None,
    ) -> None:
        """Play `run` from step `first` to `last` (None: to the end), inclusive.

        With `reprojected`, use the layouts of the reprojected map. `shared` holds the timelines that all players of
        this run share.
        """
        self._run = run
        self._first, self._last = first, last
        self._kinds = frozenset(kinds)
        self._pending = PendingItems(run, self._kinds, shared or SharedTimelines(), reprojected=reprojected)
        self._per_step = _BATCH_BYTES // _FIRST_BATCH
        self.cursor = PlaybackCursor()
        self.newest = -1
        """The newest step of the run at the last read."""
        self.run_ended = False
        """True if the run had ended at the last read."""

    @property
    def done(self) -> bool:
        return self._last is not None and self.cursor.step >= self._last

    def read_next(self, steps: int = 256) -> list[PlaybackItem]:
        """Read the items of the next steps: at most `steps`, fewer if they are large.

        The first call also returns the initial state: the census, the newest layout of each view, the
        newest districts and the matrix. Empty while the run has no further steps. Raises FileNotFoundError
        if the run has not started, NoSuchStepError if the first step has not happened yet, FormatError,
        OSError, apsw.Error if the steps cannot be read now; no item is lost.
        """
        with MatrixHistory(self._run) as history:
            self.cursor, self._pending, played = Lineage.stable(
                history.steps, lambda lineage: self._read(history, lineage, steps)
            )
        return played

    def _read(
        self, history: MatrixHistory, lineage: Lineage, steps: int
    ) -> tuple[PlaybackCursor, PendingItems, list[PlaybackItem]]:
        reader, pending = history.steps, copy(self._pending)
        # Read the phase first: once the run is over, no step follows.
        self.run_ended = reader.phase().has_ended
        attempt, self.newest = reader.newest_step()
        cursor = self.cursor
        if cursor.step < 0 and self._first > self.newest:
            raise NoSuchStepError(self._first, self.newest)
        if not attempt or reader.keyframe_step(self.newest) is None:
            # The run has not started, or only just: its first keyframe is not written yet.
            return cursor, pending, []
        played: list[PlaybackItem] = []
        if cursor.step < 0 or not lineage.counts(cursor.attempt, cursor.step):
            back = self._first if cursor.step < 0 else cursor.lineage.last_shared_step(lineage, cursor.step)
            cursor = self._start_at(history, lineage, min(back, self.newest), pending, played)
        last = self.newest if self._last is None else min(self._last, self.newest)
        limit = min(steps, max(1, _BATCH_BYTES // self._per_step), last - cursor.step)
        pulses = reader.pulses(cursor.step + 1, last, limit=limit) if limit > 0 else []
        pending.collect(reader, lineage, cursor, pulses[-1][0] if pulses else cursor.step)
        cursor = pending.release_due(replace(cursor, lineage=lineage), played)
        if not pulses:
            return cursor, pending, played
        row_changes = RowChanges(history, cursor, pulses[-1][0]) if PlaybackKind.ROWS in self._kinds else None
        size = 0
        for number, (step, data) in enumerate(pulses, 1):
            before = len(played)
            cursor = replace(cursor, attempt=lineage.attempt_at(step), step=step)
            if PlaybackKind.PULSE in self._kinds:
                played.append(PlaybackItem(step, PlaybackKind.PULSE, cursor.attempt, data))
            if row_changes is not None:
                played += row_changes.items_for(step, data)
                cursor = replace(cursor, exact=row_changes.exact)
            cursor = pending.release_due(cursor, played)
            size += len(data) + sum(len(one.frame) for one in played[before:])
            self._per_step = max(1, size // number)
            if size > _BATCH_BYTES:
                break
        return cursor, pending, played

    def _start_at(
        self,
        history: MatrixHistory,
        lineage: Lineage,
        step: int,
        pending: PendingItems,
        played: list[PlaybackItem],
    ) -> PlaybackCursor:
        cursor = PlaybackCursor(lineage, lineage.attempt_at(step), step, measured=step)
        if PlaybackKind.CENSUS in self._kinds:
            time = read_time(history.steps, step)
            census = read_census(history.steps, lineage, step, self._run.created if time is None else time)
            played.append(PlaybackItem(step, PlaybackKind.CENSUS, cursor.attempt, encode(census)))
        pending.reset()
        pending.collect(history.steps, lineage, cursor, step)
        pending.skip_to(cursor)
        cursor = pending.release_due(cursor, played)
        if PlaybackKind.ROWS in self._kinds:
            matrix = history.snapshot(step, nearest=True)
            played.append(whole_matrix(step, matrix))
            cursor = replace(cursor, exact=matrix.step == step)
        return cursor
