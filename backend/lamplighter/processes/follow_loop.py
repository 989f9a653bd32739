"""The parts of a worker's loop that follows a run: polling, working, resting and ending."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from lamplighter.runfolder.role_lock import RoleState, role_state
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.runfolder.writing.free_space import retry_while_full

PATIENCE = 60.0
"""Seconds without a trainer after which a worker ends; it restarts together with the trainer."""
_CHECK_SECONDS = 1.0
"""Seconds between two checks of the trainer's lock."""


@dataclass(frozen=True)
class WorkStart:
    """The start time of a piece of work."""

    at: float
    """Seconds of the monotonic clock."""
    used: float
    """Seconds of the clock that measures the cost."""


class CpuShare:
    """A share of one core: after each piece of work, a rest in proportion to its cost."""

    def __init__(
        self,
        share: float,
        *,
        clock: Callable[[], float] = time.monotonic,
        rest_seconds: tuple[float, float] | None = None,
    ) -> None:
        """Start rested. `share`: above 0, at most 1. `clock`: measures the cost, in seconds. With processor
        time (`time.thread_time`), a busy machine makes the work slower; with wall-clock time, rarer too.
        `rest_seconds`: bounds for the length of a rest: shortest and longest.
        """
        self.share = share
        self._clock = clock
        self._rest_seconds = rest_seconds
        self._due = 0.0

    @property
    def resting(self) -> bool:
        return time.monotonic() < self._due

    def start_work(self) -> WorkStart:
        return WorkStart(time.monotonic(), self._clock())

    def rest_since(self, start: WorkStart, share: float | None = None) -> None:
        """Start to rest after work, for as long as `share` (None: the default) requires."""
        due = start.at + (self._clock() - start.used) / (share or self.share)
        if self._rest_seconds is not None:
            now = time.monotonic()
            due = min(max(due, now + self._rest_seconds[0]), now + self._rest_seconds[1])
        self._due = due

    def rest_for(self, seconds: float) -> None:
        self._due = time.monotonic() + seconds

    def wake(self) -> None:
        self._due = 0.0


class FollowLoop:
    """The loop of a worker on one run, which ends when it is stopped or the run is abandoned."""

    def __init__(self, run: RunFolder, activity: str, poll_seconds: float) -> None:
        self._run = run
        self._activity = activity
        self._poll_seconds = poll_seconds
        self._checked_at = 0.0
        self._last_trained = time.monotonic()
        self.stopped = False
        """True once the loop was stopped."""
        self.trained = False
        """True if the run had a trainer at the last check of `abandoned`."""

    def stop(self) -> None:
        """Stop after the current piece of work."""
        self.stopped = True

    def run_to_end(self, work: Callable[[], object]) -> None:
        """Call `work`; while the disk is full, call it again, as after a crash."""
        retry_while_full(work, lambda: self.stopped, self._activity)

    def wait(self) -> None:
        time.sleep(self._poll_seconds)

    def abandoned(self) -> bool:
        """Return whether the run has had no trainer for `PATIENCE` seconds. Checks once a second."""
        now = time.monotonic()
        if now - self._checked_at > _CHECK_SECONDS:
            self._checked_at = now
            # If the lock cannot be read, assume a trainer.
            self.trained = role_state(self._run.path, "trainer") is not RoleState.FREE
            if self.trained:
                self._last_trained = now
        return now - self._last_trained > PATIENCE

    def open_steps(self) -> StepsReader | None:
        """Open the run's steps; None while there are none. The caller closes the reader between reads, because the
        trainer can finalise its file only while it has no readers."""
        try:
            return StepsReader(self._run.steps_path)
        except FileNotFoundError:
            return None
