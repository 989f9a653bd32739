"""What viewers of a run's steps were told: a census to begin with, then a pulse a step, and the rows of who wants them.

The tail (`tail.py`) asks when the file has changed; this says what is new in it. Where the trainer opened a new
attempt and superseded what was told already, viewers are given a beginning again.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from lamplighter.runfolder.folder import RunFolder
from lamplighter.runfolder.line import Line, attempt_at, counts, shared
from lamplighter.runfolder.playback import Place
from lamplighter.runfolder.snapshots import NoSnapshotError, touches
from lamplighter.runfolder.steps import StepsReader
from lamplighter.serving.slot import Message, What
from lamplighter.serving.told_rows import ToldRows, matrix_message
from lamplighter.wire.frames import Census, encode, step_of

_BATCH = 32
"""Steps told at once: fewer than a slot merges."""
_NEAR = 1_000
"""Steps that one who was played the past may be behind when it joins."""


class ToldSteps:
    """Of one run. The tail's thread only."""

    def __init__(self, run: RunFolder, begun: Callable[[int], None]) -> None:
        """Nothing was told. `begun` hears of the step of every beginning that viewers are given."""
        self._run = run
        self._begun = begun
        self._rows = ToldRows(run)
        self._attempt = 0
        self.line: Line = []
        """The steps that count, of which viewers were told."""
        self.step = -1
        """The newest that was told."""

    def look(self, reader: StepsReader, messages: list[Message]) -> bool:
        """Add what is new, each as it is taken for told. Returns whether there is more at once."""
        line = reader.line()
        more = self._take_line(reader, line, messages) and self._pulse(reader, line, messages)
        self._rows.look(reader, self.step, messages, behind=more)
        return more

    def first(self, reader: StepsReader, *, rows: bool) -> list[Message]:
        """What one is told who comes now: the census, and the matrix where it wants rows."""
        return self._beginning(reader, self.line, self.step, rows=rows) or []

    def since(self, reader: StepsReader, place: Place, *, rows: bool) -> list[Message] | None:
        """What one lacks who was played the run up to a place; None while it has to be played on first."""
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
        """Somebody wants rows from now on; the matrix to begin with is among what it was told."""
        if not self._rows.wanted:
            self._rows.wanted = True
            self._rows.begin(messages, self.step)

    def _pulse(self, reader: StepsReader, line: Line, messages: list[Message]) -> bool:
        pulses = reader.pulses(self.step + 1, 0xFFFF_FFFF, limit=_BATCH)
        for step, data in pulses:
            attempt = step_of(data)[0]
            if step != self.step + 1 or not counts(line, attempt, step):
                # The line changed between two reads: the next look begins with the new one.
                return True
            messages.append(Message(What.PULSE, data, attempt))
            self._attempt, self.step = attempt, step
        return len(pulses) == _BATCH

    def _take_line(self, reader: StepsReader, line: Line, messages: list[Message]) -> bool:
        """Another line: begin again where it leaves what was told. Returns whether there is one."""
        if self.step >= 0 and counts(line, self._attempt, self.step):
            self.line = line
            return True
        attempt, last = reader.last()
        if attempt == 0:
            return False
        # Back to the last step that was told and still counts; the first time, to where the run is.
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
        """The census at a step, and the matrix where somebody wants it; None while nothing is kept yet."""
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
