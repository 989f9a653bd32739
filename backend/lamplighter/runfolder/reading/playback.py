"""Playback of a run from any step: the state at that step, then the frames of every later step, in order.

Reads a few steps at a time and closes the files in between: a file can be sealed only while no connection is
open, and an open reader keeps the WAL growing. All that is remembered between two reads is a `Place`, so a
program can hold its place itself and come back with it, to this server or to another. Follows the lineage;
when a new attempt supersedes steps already played, playback restarts at the last step that still counts.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import accumulate, islice
from typing import NamedTuple

from lamplighter.runfolder.errors import READ_ERRORS, NoSnapshotError
from lamplighter.runfolder.lineage import Lineage
from lamplighter.runfolder.reading.current_map import districts_on_lineage, layouts_on_lineage
from lamplighter.runfolder.reading.matrix_history import MatrixHistory
from lamplighter.runfolder.reading.snapshot import Snapshot, read_census, read_time
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.layouts import LayoutsReader
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.wire.frames import decode_as, encode
from lamplighter.wire.layout_frames import Method
from lamplighter.wire.pulse_frames import Pulse
from lamplighter.wire.row_frames import Rows

CHANNELS = ("pulse", "layout", "rows")
"""What can be played: the census and the pulses; the layouts and the districts; the matrix and the rows that moved."""
_VIEWS = (Method.UMAP, Method.LINEAR)
_NONE = (0, 0)
_MAX_ENTRIES = 100_000
"""Maximum layouts or districts read at once: bounds memory for any file."""
_BATCH_BYTES = 4 << 20
"""Approximate bytes read at a time."""


class NoSuchStepError(LookupError):
    """An error for playback from a step that has not happened yet."""

    def __init__(self, step: int, newest: int) -> None:
        super().__init__(f"step {step} has not happened yet: play from a step between 0 and {newest}")


@dataclass(frozen=True)
class Place:
    """A position in the playback of a run."""

    attempt: int = 0
    """The attempt of the last step played; 0 before the first."""
    step: int = 0
    """The last step played."""
    exact: bool = False
    """True while the rows played so far add up to the exact matrix at this step."""
    layouts: dict[Method, tuple[int, int]] = field(default_factory=dict[Method, tuple[int, int]])
    """Step and id of the newest layout played, by view."""
    districts: tuple[int, int] = _NONE
    """Step and id of the newest districts played."""

    def __str__(self) -> str:
        newest = [number for view in _VIEWS for number in self.layouts.get(view, _NONE)]
        return "-".join(map(str, (self.attempt, self.step, int(self.exact), *newest, *self.districts)))

    @staticmethod
    def parse(text: str) -> Place:
        """Read a place from the text that `str` makes of it. Raises ValueError if it is none."""
        if not re.fullmatch(PLACE_PATTERN, text):
            raise ValueError(f"{text[:100]!r} is no place")
        attempt, step, exact, *newest = map(int, text.split("-"))
        umap, linear, districts = zip(newest[::2], newest[1::2], strict=True)
        return Place(attempt, step, bool(exact), dict(zip(_VIEWS, (umap, linear), strict=True)), districts)


PLACE_PATTERN = r"[0-9]{1,10}(-[0-9]{1,10}){8}"


class _Drawn(NamedTuple):
    """A layout or districts that are due."""

    step: int
    id: int
    attempt: int
    view: Method | None
    """None for districts."""


class RowChanges:
    """The moved rows of each step in a batch, or its keyframe where they are not known exactly."""

    def __init__(self, history: MatrixHistory, place: Place, last: int) -> None:
        self.exact = place.exact
        self._history, self._last = history, last
        self._matrices: Iterator[Snapshot] = iter(())
        if self.exact:
            self._matrices = history.snapshots(place.step + 1, last)
        self._keyframe_steps = {
            step for _, step in history.steps.keyframe_steps() if place.step < step <= last
        }

    def frames_of(self, step: int, data: bytes) -> list[bytes]:
        """Return the row frames of `step`, which must be the next one; `data` is its pulse."""
        matrix = self._next_matrix()
        if matrix is not None:
            pulse = decode_as(data, Pulse)
            ids = pulse.moved_ids
            return [
                encode(Rows(matrix.attempt, step, pulse.time, pulse.vocabulary, ids, matrix.vectors[ids]))
            ]
        if step not in self._keyframe_steps:
            return []
        try:
            matrix = self._history.snapshot(step)
        except NoSnapshotError:
            # The keyframe was thinned out.
            return []
        self.exact = True
        self._matrices = self._history.snapshots(step + 1, self._last)
        return [matrix.encode_frame()]

    def _next_matrix(self) -> Snapshot | None:
        if self.exact:
            try:
                return next(self._matrices)
            except NoSnapshotError:
                self.exact = False
        return None


class Playback:
    """The playback of one run for one viewer. Not thread-safe."""

    def __init__(
        self,
        run: RunFolder,
        first: int | None = None,
        last: int | None = None,
        channels: Collection[str] = CHANNELS,
        *,
        place: Place | None = None,
        newest_only: bool = False,
    ) -> None:
        """Play `run` from step `first` (None: the newest) to `last` (None: to the end), inclusive.

        With `place`, go on from there. With `newest_only`, leave out the steps before the newest.
        """
        self._run = run
        self._first, self._last = first, last
        self.channels = frozenset(channels)
        self._newest_only = newest_only
        self.place = place or Place()
        self.newest = -1
        """The newest step of the run at the last read."""
        self.run_ended = False
        """True if the run had ended at the last read."""

    @property
    def begun(self) -> bool:
        return self.place.attempt > 0

    @property
    def done(self) -> bool:
        return self.begun and self._last is not None and self.place.step >= self._last

    def read_next(self, steps: int = 256) -> list[bytes]:
        """Read the frames of the next steps: at most `steps`, fewer if they are large.

        The first call also returns the state: the census, the newest layout of each view, the newest districts and
        the matrix. Empty while the run has no further steps. Raises FileNotFoundError if the run has not started,
        NoSuchStepError if the first step has not happened yet, FormatError, OSError, apsw.Error if the steps cannot
        be read now; no frame is lost.
        """
        with MatrixHistory(self._run) as history:
            self.place, played = Lineage.stable(
                history.steps, lambda lineage: self._read(history, lineage, steps)
            )
        return played

    def _read(self, history: MatrixHistory, lineage: Lineage, steps: int) -> tuple[Place, list[bytes]]:
        reader = history.steps
        # Read the phase first: once the run is over, no step follows.
        self.run_ended = reader.phase().has_ended
        attempt, newest = reader.newest_step()
        self.newest = newest
        first = newest if self._first is None else self._first
        if not self.begun and first > newest:
            raise NoSuchStepError(first, newest)
        if not attempt or reader.keyframe_step(newest) is None:
            # The run has not started, or only just: its first keyframe is not written yet.
            return self.place, []
        place, played = self.place, list[bytes]()
        if not self.begun or place.step > newest or not lineage.counts(place.attempt, place.step):
            back = self._last_that_counts(reader, lineage, newest) if self.begun else first
            place = self._start_at(history, lineage, min(back, newest), played)
        last = newest if self._last is None else min(self._last, newest)
        if self._newest_only and last - place.step > 1:
            place = self._skip_to(history, lineage, last - 1, place, played)
        sizes = reader.pulse_sizes(range(place.step + 1, last + 1), limit=steps) if last > place.step else []
        limit = min(len(sizes), 1 + sum(size < _BATCH_BYTES for size in accumulate(sizes)))
        pulses = reader.pulses(place.step + 1, last, limit=limit) if limit else []
        drawn = self._find_drawn(lineage, place, pulses[-1][0] if pulses else place.step)
        place = self._show_drawn(drawn, place, played)
        if not pulses:
            return place, played
        changes = RowChanges(history, place, pulses[-1][0]) if "rows" in self.channels else None
        size = 0
        for step, data in pulses:
            before = len(played)
            place = replace(place, attempt=lineage.attempt_at(step), step=step)
            if "pulse" in self.channels:
                played.append(data)
            if changes is not None:
                played += changes.frames_of(step, data)
                place = replace(place, exact=changes.exact)
            place = self._show_drawn(drawn, place, played)
            size += len(data) + sum(map(len, played[before:]))
            if size > _BATCH_BYTES:
                break
        return place, played

    def _last_that_counts(self, reader: StepsReader, lineage: Lineage, newest: int) -> int:
        """Return the last step played that still counts; the newest step if the place is of another record."""
        attempts = [(attempt, first) for attempt, first, _ in reader.attempts()]
        known = Lineage.of_attempts([one for one in reversed(attempts) if one[0] <= self.place.attempt])
        if known.newest_attempt != self.place.attempt:
            return newest
        return known.last_shared_step(lineage, self.place.step)

    def _start_at(self, history: MatrixHistory, lineage: Lineage, step: int, played: list[bytes]) -> Place:
        place = Place(lineage.attempt_at(step), step)
        if "pulse" in self.channels:
            time = read_time(history.steps, step)
            census = read_census(history.steps, lineage, step, self._run.created if time is None else time)
            played.append(encode(census))
        newest = {one.view: one for one in self._find_drawn(lineage, place, step)}
        place = self._show_drawn(sorted(newest.values(), key=_by_step), place, played)
        return self._show_matrix(history, place, played)

    def _skip_to(
        self, history: MatrixHistory, lineage: Lineage, step: int, place: Place, played: list[bytes]
    ) -> Place:
        """Leave out the steps up to `step`, inclusive. Of the layouts show only the newest of each view."""
        place = replace(place, attempt=lineage.attempt_at(step), step=step)
        newest = {one.view: one for one in self._find_drawn(lineage, place, step)}
        place = self._show_drawn(sorted(newest.values(), key=_by_step), place, played)
        return self._show_matrix(history, place, played)

    def _show_matrix(self, history: MatrixHistory, place: Place, played: list[bytes]) -> Place:
        if "rows" not in self.channels:
            return place
        matrix = history.snapshot(place.step, nearest=True)
        played.append(matrix.encode_frame())
        return replace(place, exact=matrix.step == place.step)

    def _find_drawn(self, lineage: Lineage, place: Place, last: int) -> list[_Drawn]:
        """Return the layouts and districts up to step `last` that were not played, in the order of steps. A late one is
        left out if a newer one was played.
        """
        found: list[_Drawn] = []
        # A run can be played without its map, so ignore read errors and retry next time.
        with suppress(*READ_ERRORS):
            if "layout" in self.channels:
                with LayoutsReader(self._run.layouts_path) as reader:
                    since = min(place.layouts.get(view, _NONE)[0] for view in _VIEWS)
                    layouts = layouts_on_lineage(reader, lineage, since=since)
                    found += [
                        _Drawn(e.step, e.id, e.attempt, e.method.view) for e in islice(layouts, _MAX_ENTRIES)
                    ]
                    districts = districts_on_lineage(reader, lineage, since=place.districts[0])
                    found += [_Drawn(e.step, e.id, e.attempt, None) for e in islice(districts, _MAX_ENTRIES)]
        return sorted((one for one in found if one.step <= last and _is_newer(one, place)), key=_by_step)

    def _show_drawn(self, drawn: list[_Drawn], place: Place, played: list[bytes]) -> Place:
        """Play those of `drawn` whose step has been reached."""
        due = [one for one in drawn if one.step <= place.step and _is_newer(one, place)]
        if not due:
            return place
        # Skip what was thinned out since, or cannot be read.
        with suppress(*READ_ERRORS), LayoutsReader(self._run.layouts_path) as reader:
            for one in due:
                with suppress(IndexError):
                    at = one.step, one.id
                    if one.view is None:
                        played.append(reader.districts_record(one.id))
                        place = replace(place, districts=at)
                    else:
                        played.append(reader.layout_record(one.id))
                        place = replace(place, layouts=place.layouts | {one.view: at})
        return place


def _by_step(one: _Drawn) -> tuple[int, int]:
    return one.step, one.id


def _is_newer(one: _Drawn, place: Place) -> bool:
    shown = place.districts if one.view is None else place.layouts.get(one.view, _NONE)
    return (one.step, one.id) > shown
