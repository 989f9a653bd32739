"""Gives training priority over questions: the examiner pauses in proportion to the slowdown it causes.

Even at the lowest priority, work beside the trainer slows it where two threads share a core or the memory.
The record shows by how much, because each step has its duration. With cores to spare nothing slows down, and
the examiner does not pause.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import fmean

from lamplighter.runfolder.errors import READ_ERRORS
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.wire.frames import decode_as
from lamplighter.wire.pulse_frames import Pulse

_STEPS = 24
"""Steps over which a duration is averaged."""
_LOOK_SECONDS, _LOOK_STEPS = 1.0, 4
"""Minimum time between two reads of the record, in seconds and in undisturbed steps."""
_QUIET_SECONDS = 3.0
"""Seconds without work after which the last steps count as undisturbed."""
_ALLOWED = 1.05
"""Maximum duration of a step relative to an undisturbed one."""
_GAIN = 3.0
_MAX_PAUSE = 3.0
"""Maximum seconds of pause per second of work."""

ReadDurations = Callable[[], tuple[int, list[float]]]
"""A function that returns the newest step, and the durations in seconds of it and those before; 0 and none if
unknown.
"""


class CpuBackoff:
    """The pauses of one examiner. For one thread."""

    def __init__(self, read_durations: ReadDurations, clock: Callable[[], float] = time.monotonic) -> None:
        """Start without a pause."""
        self._read, self._clock = read_durations, clock
        self._usual: float | None = None
        self._share = 0.0
        """Seconds of pause per second of work."""
        self._newest = 0
        self._worked_at = float("-inf")
        self._looked_at = float("-inf")

    def begin_work(self) -> None:
        """Note that work begins. After an idle while, the last durations become the undisturbed ones."""
        now = self._clock()
        if now - self._worked_at > _QUIET_SECONDS:
            self._newest, durations = self._read()
            self._usual = fmean(durations) if durations else None
            # The machine is the same, but a single question should not wait because of earlier ones.
            self._looked_at, self._share = now, self._share / 2
        self._worked_at = now

    def pause(self) -> float:
        """Return the seconds to pause for the work since the last call, or since work began."""
        now = self._clock()
        worked = max(0.0, now - self._worked_at)
        # Allow time for a step to end even if each takes seconds; otherwise training would seem to have
        # stopped.
        if now - self._looked_at >= max(_LOOK_SECONDS, _LOOK_STEPS * (self._usual or 0)):
            self._look(now)
        seconds = self._share * worked
        self._worked_at = now + seconds
        return seconds

    def _look(self, now: float) -> None:
        self._looked_at = now
        newest, durations = self._read()
        if newest == self._newest or not durations or self._usual is None:
            # Nothing is training, so nothing is slowed.
            self._share = 0.0
        else:
            slower = fmean(durations) / self._usual
            self._share = min(_MAX_PAUSE, max(0.0, self._share + _GAIN * (slower - _ALLOWED)))
        self._newest = newest


def recorded_durations(run: RunFolder) -> ReadDurations:
    """Return a function that reads the durations of a run's newest steps."""

    def read() -> tuple[int, list[float]]:
        try:
            with StepsReader(run.steps_path) as reader:
                newest = reader.newest_step()[1]
                records = reader.pulses(max(1, newest - _STEPS + 1), newest, _STEPS)
            return newest, [decode_as(record, Pulse).step_seconds for _, record in records]
        except READ_ERRORS:
            return 0, []

    return read
