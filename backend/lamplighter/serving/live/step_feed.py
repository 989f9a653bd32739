"""The step feed of a run: first a census, then a pulse per step.

The run follower reads it when the file has changed; the feed finds what is new. If the trainer opened a new
attempt and superseded steps already sent, viewers are given a new start.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from lamplighter.runfolder.errors import NoSnapshotError
from lamplighter.runfolder.lineage import LAST_STEP, Lineage
from lamplighter.runfolder.reading.snapshot import read_census
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.serving.live.feeds import MessageKind, ViewerMessage
from lamplighter.wire.frames import encode, read_step

_BATCH = 32
"""Steps sent at once."""


class StepFeed:
    """The step feed of one run. For the run follower's thread only."""

    def __init__(self, on_restart: Callable[[int], None]) -> None:
        """Start before any step has been sent. `on_restart` receives the step of every new start given to viewers."""
        self._on_restart = on_restart
        self._attempt = 0
        self.lineage = Lineage()
        """The lineage of the steps sent to viewers."""
        self.step = -1
        """The newest step sent."""

    def read_new(self, reader: StepsReader, messages: list[ViewerMessage]) -> bool:
        """Append new messages and advance the cursor past each. Returns whether more are available at once."""
        lineage = reader.lineage()
        return self._adopt_lineage(reader, lineage, messages) and self._read_pulses(reader, lineage, messages)

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
        census = _census_message(reader, lineage, step)
        if census is None:
            return False
        self.lineage, self.step = lineage, step
        self._attempt = lineage.attempt_at(step)
        self._on_restart(step)
        messages.append(census)
        return True


def _census_message(reader: StepsReader, lineage: Lineage, step: int) -> ViewerMessage | None:
    """Return the census at a step; None while nothing is kept."""
    try:
        census = read_census(reader, lineage, step, time.time())
    except NoSnapshotError:
        return None
    return ViewerMessage(MessageKind.CENSUS, encode(census), census.attempt)
