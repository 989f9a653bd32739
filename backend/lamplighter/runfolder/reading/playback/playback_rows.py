"""Moved rows of a playback: deltas, or whole matrices where rows are missing."""

from __future__ import annotations

from collections.abc import Iterator

from lamplighter.runfolder.errors import NoSnapshotError
from lamplighter.runfolder.reading.matrix_history import MatrixHistory
from lamplighter.runfolder.reading.playback.playback_parts import PlaybackCursor, PlaybackItem, PlaybackKind
from lamplighter.runfolder.reading.snapshot import Snapshot
from lamplighter.wire.frames import decode_as, encode
from lamplighter.wire.pulse_frames import Pulse
from lamplighter.wire.row_frames import Rows


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
    """Return a whole matrix as an item of `step`."""
    return PlaybackItem(step, PlaybackKind.MATRIX, matrix.attempt, matrix.encode_frame())
