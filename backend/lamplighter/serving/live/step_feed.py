"""The step feed of a run: a census to begin with, then a pulse per step, and rows for the viewers that want
them.

The run follower reads it when the file has changed; the feed finds what is new. Where the trainer opened a
new attempt and superseded steps already sent, viewers are given a new start.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from lamplighter.runfolder.lineage import Line, attempt_at, counts, shared
from lamplighter.runfolder.reading.playback import Place
from lamplighter.runfolder.reading.snapshot import NoSnapshotError, touches
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.steps import StepsReader
from lamplighter.serving.live.row_feed import ToldRows, matrix_message
from lamplighter.serving.live.send_queue import Message, What
from lamplighter.wire.frames import Census, encode, step_of

_BATCH = 32
"""Steps sent at once: fewer than a send queue merges."""
_NEAR = 1_000
"""Steps that a viewer may be behind when it joins after playback."""


class ToldSteps:
    """The step feed of one run. For the run follower's thread only."""

    def __init__(self, run: RunFolder, begun: Callable[[int], None]) -> None:
        """Start before any step has been sent. The callback receives the step of every new start given to
        viewers."""
        self._run = run
        self._begun = begun
        self._rows = ToldRows(run)
        self._attempt = 0
        self.line: Line = []
        """The lineage of the steps sent to viewers."""
        self.step = -1
        """The newest step sent."""

    def look(self, reader: StepsReader, messages: list[Message]) -> bool:
        """Append new messages and advance the cursor past each. Returns whether more are available at
        once."""
        line = reader.line()
        more = self._take_line(reader, line, messages) and self._pulse(reader, line, messages)
        self._rows.look(reader, self.step, messages, behind=more)
        return more

    def first(self, reader: StepsReader, *, rows: bool) -> list[Message]:
        """Return the messages for a viewer that joins now: the census, and the matrix if it wants rows."""
        return self._beginning(reader, self.line, self.step, rows=rows) or []

    def since(self, reader: StepsReader, place: Place, *, rows: bool) -> list[Message] | None:
        """Return what a viewer lacks that was played up to `place`; None if more must be played first."""
        behind = self.step - place.step
        if place.step < 0 or not 0 <= behind <= _NEAR or not counts(self.line, place.attempt, place.step):
            return None
        pulses = reader.pulses(place.step + 1, self.step, limit=_NEAR)
        moved = reader.rows(place.step + 1, self.step, limit=_NEAR) if rows else []
        if reader.line() != self.line or len(pulses) != behind:
            return None
        messages = [Message(What.PULSE, data, step_of(data)[0]) for _, data in pulses]
        if rows and place.exact and len(moved) == behind:
            messages += [Message(What.ROWS, data, step_of(data)[0]) for _, data in moved]
        elif rows:
            messages.append(matrix_message(self._run, self.step))
        return messages

    def want_rows(self, messages: list[Message]) -> None:
        """Send rows from now on, starting from the matrix among `messages`."""
        if not self._rows.wanted:
            self._rows.wanted = True
            self._rows.begin(messages, self.step)

    def _pulse(self, reader: StepsReader, line: Line, messages: list[Message]) -> bool:
        pulses = reader.pulses(self.step + 1, 0xFFFF_FFFF, limit=_BATCH)
        for step, data in pulses:
            attempt = step_of(data)[0]
            if step != self.step + 1 or not counts(line, attempt, step):
                # The lineage changed between two reads: the next poll starts with the new one.
                return True
            messages.append(Message(What.PULSE, data, attempt))
            self._attempt, self.step = attempt, step
        return len(pulses) == _BATCH

    def _take_line(self, reader: StepsReader, line: Line, messages: list[Message]) -> bool:
        """Adopt a new lineage, with a new start where it departs from what was sent. Returns whether there is
        one."""
        if self.step >= 0 and counts(line, self._attempt, self.step):
            self.line = line
            return True
        attempt, last = reader.last()
        if attempt == 0:
            return False
        # Go back to the last step sent that still counts; the first time, start at the newest step.
        at = last if self.step < 0 else min(shared(self.line, line, self.step), last)
        beginning = self._beginning(reader, line, at, rows=self._rows.wanted)
        if beginning is None:
            return False
        self.line, self.step = line, at
        self._attempt = attempt_at(line, at)
        self._rows.begin(beginning, at)
        self._begun(at)
        messages += beginning
        return True

    def _beginning(self, reader: StepsReader, line: Line, at: int, *, rows: bool) -> list[Message] | None:
        """Return the census at a step, with the matrix if `rows`; None while nothing is kept yet."""
        try:
            so_far = touches(reader, at)
            attempt = attempt_at(line, at)
            census = Census(attempt, at, time.time(), so_far.touches, so_far.last_lit)
            messages = [Message(What.CENSUS, encode(census), attempt)]
            if rows:
                messages.append(matrix_message(self._run, at))
        except NoSnapshotError:
            return None
        return messages
