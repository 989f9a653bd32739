"""Playback of a run from any step: the frames that a live viewer would have received, in the order of steps.

Reads a few steps at a time and closes the files in between: a file can be sealed only while no connection is
open, and an open reader keeps the WAL growing. Follows the lineage; when a new attempt supersedes steps
already played, playback restarts at the last step that still counts.
"""

from __future__ import annotations

from collections.abc import Iterable
from copy import copy
from dataclasses import replace

from lamplighter.runfolder.lineage import Lineage
from lamplighter.runfolder.reading.matrix_history import MatrixHistory
from lamplighter.runfolder.reading.playback.playback_map import PendingItems
from lamplighter.runfolder.reading.playback.playback_parts import PlaybackCursor, PlaybackItem, PlaybackKind
from lamplighter.runfolder.reading.playback.playback_rows import RowChanges, whole_matrix
from lamplighter.runfolder.reading.shared_timeline import SharedTimelines
from lamplighter.runfolder.reading.snapshot import read_census, read_time
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.wire.frames import encode

_FIRST_BATCH = 8
"""Steps read in the first batch, while their size is unknown."""
_BATCH_BYTES = 4 << 20
"""Approximate bytes read at a time."""


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
        """Return whether the last requested step has been played."""
        return self._last is not None and self.cursor.step >= self._last

    def read_next(self, steps: int = 256) -> list[PlaybackItem]:
        """Read the items of the next steps: at most `steps`, fewer if they are large.

        The first call also returns the initial state: the census, the newest layout of each view, the newest districts
        and the matrix. Empty while the run has no further steps.

        Raises:
            FileNotFoundError: the run has not started.
            NoSuchStepError: the first step has not happened yet.
            FormatError, OSError, apsw.Error: the steps cannot be read now; no item is lost.
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
