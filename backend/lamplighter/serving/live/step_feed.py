"""The step feed of a run: first a census, then a pulse per step, and rows for the viewers that want them.

The run follower reads it when the file has changed; the feed finds what is new. If the trainer opened a new
attempt and superseded steps already sent, viewers are given a new start.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from lamplighter.runfolder.errors import NoSnapshotError
from lamplighter.runfolder.lineage import LAST_STEP, Lineage
from lamplighter.runfolder.reading.matrix_history import MatrixHistory
from lamplighter.runfolder.reading.playback import PlaybackCursor
from lamplighter.runfolder.reading.snapshot import read_census
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.serving.live.send_queue import MessageKind, ViewerMessage
from lamplighter.wire.frames import encode, read_step

_ROWS_BATCH = 128


class RowFeed:
    """The row feed of one run, with a cursor on the matrix that its viewers have."""

    def __init__(self, run: RunFolder) -> None:
        self._run = run
        self.wanted = False
        """True once a viewer wants rows."""
        self._step = -1
        """The step of the matrix that viewers have."""
        self._incomplete = False
        """True while some rows that moved after that step are missing."""
        self._fell_behind = False
        """True if they went missing while the follower lagged."""

    def restart(self, messages: list[ViewerMessage], step: int) -> None:
        """Start from the matrix among `messages`, or else from that of `step`."""
        matrices = (m.data for m in messages if m.kind is MessageKind.MATRIX and isinstance(m.data, bytes))
        self._step, self._incomplete = next((read_step(data)[1] for data in matrices), step), False

    def read_new(
        self, reader: StepsReader, step: int, messages: list[ViewerMessage], *, behind: bool
    ) -> None:
        """Append the messages up to `step`. `behind`: later steps already exist."""
        if not self.wanted or step < 0:
            self._step, self._incomplete = step, False
            return
        if not self._incomplete:
            self._append_moved(reader, step, messages)
            self._incomplete = self._step < step
            self._fell_behind = self._incomplete and behind
        if not self._incomplete or behind:
            return
        if self._fell_behind:
            # The rows may be in the tiles by now, which give a whole matrix: send one, once the follower has
            # caught up.
            self._restart_from(matrix_message(self._run, step), messages)
            self._fell_behind = False
            return
        # If moved rows are not kept, there are only keyframes.
        keyframe = reader.keyframe_step(step)
        if keyframe is not None and keyframe > self._step:
            self._restart_from(matrix_message(self._run, keyframe), messages)

    def _append_moved(self, reader: StepsReader, step: int, messages: list[ViewerMessage]) -> None:
        while rows := reader.rows(self._step + 1, step, limit=_ROWS_BATCH):
            for row_step, data in rows:
                if row_step != self._step + 1:
                    return
                messages.append(ViewerMessage(MessageKind.ROWS, data, read_step(data)[0]))
                self._step = row_step

    def _restart_from(self, matrix: ViewerMessage, messages: list[ViewerMessage]) -> None:
        before = self._step
        self.restart([matrix], before)
        if self._step > before:
            # Rows that moved later, if they were kept, come with the next poll.
            messages.append(matrix)
        else:
            self._step, self._incomplete = before, True


def matrix_message(run: RunFolder, step: int) -> ViewerMessage:
    """Return the whole matrix at a step, or at the newest kept step before it."""
    with MatrixHistory(run) as history:
        snapshot = history.snapshot(step, nearest=True)
    return ViewerMessage(MessageKind.MATRIX, snapshot.encode_frame(), snapshot.attempt)


_BATCH = 32
"""Steps sent at once: fewer than a send queue merges."""
_MAX_JOIN_GAP = 1_000
"""Steps that a viewer may lag when it joins after playback."""


class StepFeed:
    """The step feed of one run. For the run follower's thread only."""

    def __init__(self, run: RunFolder, on_restart: Callable[[int], None]) -> None:
        """Start before any step has been sent. `on_restart` receives the step of every new start given to viewers."""
        self._run = run
        self._on_restart = on_restart
        self._rows = RowFeed(run)
        self._attempt = 0
        self.lineage = Lineage()
        """The lineage of the steps sent to viewers."""
        self.step = -1
        """The newest step sent."""

    def read_new(self, reader: StepsReader, messages: list[ViewerMessage]) -> bool:
        """Append new messages and advance the cursor past each. Returns whether more are available at once."""
        lineage = reader.lineage()
        more = self._adopt_lineage(reader, lineage, messages) and self._read_pulses(reader, lineage, messages)
        self._rows.read_new(reader, self.step, messages, behind=more)
        return more

    def first_messages(self, reader: StepsReader, *, rows: bool) -> list[ViewerMessage]:
        """Return the messages for a viewer that joins now: the census, and the matrix if it wants rows."""
        return self._start_messages(reader, self.lineage, self.step, rows=rows) or []

    def missed_messages(
        self, reader: StepsReader, cursor: PlaybackCursor, *, rows: bool
    ) -> list[ViewerMessage] | None:
        """Return the messages that a viewer played up to `cursor` lacks; None if more must be played first."""
        behind = self.step - cursor.step
        if (
            cursor.step < 0
            or not 0 <= behind <= _MAX_JOIN_GAP
            or not self.lineage.counts(cursor.attempt, cursor.step)
        ):
            return None
        pulses = reader.pulses(cursor.step + 1, self.step, limit=_MAX_JOIN_GAP)
        moved = reader.rows(cursor.step + 1, self.step, limit=_MAX_JOIN_GAP) if rows else []
        if reader.lineage() != self.lineage or len(pulses) != behind:
            return None
        messages = [ViewerMessage(MessageKind.PULSE, data, read_step(data)[0]) for _, data in pulses]
        if rows and cursor.exact and len(moved) == behind:
            messages += [ViewerMessage(MessageKind.ROWS, data, read_step(data)[0]) for _, data in moved]
        elif rows:
            messages.append(matrix_message(self._run, self.step))
        return messages

    def start_rows(self, messages: list[ViewerMessage]) -> None:
        """Send rows from now on, starting from the matrix among `messages`."""
        if not self._rows.wanted:
            self._rows.wanted = True
            self._rows.restart(messages, self.step)

    def _read_pulses(self, reader: StepsReader, lineage: Lineage, messages: list[ViewerMessage]) -> bool:
        pulses = reader.pulses(self.step + 1, LAST_STEP, limit=_BATCH)
        for step, data in pulses:
            attempt = read_step(data)[0]
            if step != self.step + 1 or not lineage.counts(attempt, step):
                # The lineage changed between two reads: the next poll starts with the new one.
                return True
            messages.append(ViewerMessage(MessageKind.PULSE, data, attempt))
            self._attempt, self.step = attempt, step
        return len(pulses) == _BATCH

    def _adopt_lineage(self, reader: StepsReader, lineage: Lineage, messages: list[ViewerMessage]) -> bool:
        """Adopt a new lineage, with a new start where it departs from what was sent. Returns whether there is one."""
        if self.step >= 0 and lineage.counts(self._attempt, self.step):
            self.lineage = lineage
            return True
        attempt, last = reader.newest_step()
        if attempt == 0:
            return False
        # Go back to the last step sent that still counts; the first time, start at the newest step.
        step = last if self.step < 0 else min(self.lineage.last_shared_step(lineage, self.step), last)
        beginning = self._start_messages(reader, lineage, step, rows=self._rows.wanted)
        if beginning is None:
            return False
        self.lineage, self.step = lineage, step
        self._attempt = lineage.attempt_at(step)
        self._rows.restart(beginning, step)
        self._on_restart(step)
        messages += beginning
        return True

    def _start_messages(
        self, reader: StepsReader, lineage: Lineage, step: int, *, rows: bool
    ) -> list[ViewerMessage] | None:
        """Return the census at a step, with the matrix if `rows`; None while nothing is kept."""
        try:
            census = read_census(reader, lineage, step, time.time())
            messages = [ViewerMessage(MessageKind.CENSUS, encode(census), census.attempt)]
            if rows:
                messages.append(matrix_message(self._run, step))
        except NoSnapshotError:
            return None
        return messages
