"""Control of a run by requests, which the trainer applies between steps and records with the first affected step.

A server that starts a run requests it (`runfolder.tables.requests.ask_to_hold`); a run trained without a server never
waits.

The trainer ends it: once the map has a layout, on a request, or at a time limit, even if server and projector have
died. The hold does not change the record of the steps.

During the wait for space on a full disk, too, a run can be paused and stopped.
"""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from lamplighter.contract.sentences import say
from lamplighter.model.checkpoint import CheckpointError
from lamplighter.runfolder.errors import READ_ERRORS
from lamplighter.runfolder.phase import Phase
from lamplighter.runfolder.reading.learning_rates import positive_number
from lamplighter.runfolder.role_lock import DiskFullFlag
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.layouts import LayoutsReader
from lamplighter.runfolder.tables.requests import (
    EXAMINER_KINDS,
    MAX_HOLD_SECONDS,
    PROJECTOR_KINDS,
    Request,
    RequestsReader,
)
from lamplighter.runfolder.tables.steps import StepsWriter, phase_in
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.runfolder.writing.free_space import DISK_FULL_ERRORS, SpaceReserve, retry_while_full


@dataclass(frozen=True)
class StartHold:
    """A started hold, with its time limit."""

    until: float
    """Unix seconds, for readers and for the next trainer if this one ends."""
    deadline: float
    """Seconds on the monotonic clock of this process."""

    @staticmethod
    def begin(seconds: Any) -> StartHold | None:
        """Begin a hold of at most `seconds`; None if it is 0 or not a number."""
        if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not seconds > 0:
            return None
        bounded = min(float(seconds), MAX_HOLD_SECONDS)
        return StartHold(time.time() + bounded, time.monotonic() + bounded)

    @staticmethod
    def continue_from(facts: dict[str, Any]) -> StartHold | None:
        """Continue the hold in the facts of a run for its remaining time; None if there is none.

        A clock that was set back prolongs it by at most `MAX_HOLD_SECONDS`.
        """
        until = facts.get("hold_until")
        if not isinstance(until, int | float) or not math.isfinite(until):
            return None
        remaining = min(until - time.time(), MAX_HOLD_SECONDS)
        return StartHold(until, time.monotonic() + remaining)

    def is_over(self, layouts: Path) -> bool:
        """Return whether the time is up, or the map in the file `layouts` has its first layout."""
        return time.monotonic() >= self.deadline or _has_map(layouts)


def _has_map(layouts: Path) -> bool:
    with suppress(*READ_ERRORS), LayoutsReader(layouts) as reader:
        return reader.has_map()
    return False


_POLL_EVERY = 0.03
_RETRY_SECONDS = 1.0
_GO_ON_KINDS = frozenset({"begin", "resume", "step", "stop", "continue"})
"""Kinds of requests that end the hold before the first step."""
_OTHERS_KINDS = PROJECTOR_KINDS | EXAMINER_KINDS
"""Kinds of requests that other processes apply."""
_RESERVED_BYTES = 2 << 20
"""Space reserved for requests on a full disk. One takes about 100 KB, permanently if the WAL cannot be checkpointed."""


@dataclass
class StopFlag:
    """A stop flag set by the signal handler: `interrupt` ends the run, `terminate` only the process."""

    reason: str | None = None


class RunControl:
    """The state of a run that requests can change: hold, phase, pace, learning rate and last step."""

    def __init__(self, run: RunFolder, writer: StepsWriter, reader: StepsReader) -> None:
        """Load the state from the run's record."""
        self._writer = writer
        self._layouts = run.layouts_path
        self._reserve = SpaceReserve(run.path, _RESERVED_BYTES)
        self._requests = RequestsReader(run.path)
        self._requests.skip_applied(reader.last_applied())
        facts = reader.facts()
        self.phase = phase_in(facts)
        self.end: int = facts.get("steps", run.recipe.steps)
        self.learning_rate: float = run.recipe.optimiser.learning_rate
        self.pace: str = facts.get("pace", "full")
        self.steps_per_second: float | None = facts.get("pace_steps_per_second")
        self.restart_rate: float | None = None
        """Learning rate for restarting a failed run from an earlier checkpoint; None if no restart is due."""
        self._hold = StartHold.continue_from(facts) if reader.newest_step()[1] == 0 else None
        self._unapplied: list[Request] = []
        """Requests that were read and wait until no computed step is pending."""
        self._stop: Request | None = None
        self._single_steps = 0
        self._next_poll = 0.0
        self._next_step_due = 0.0

    @property
    def stop_requested(self) -> bool:
        return self._stop is not None or any(request.kind == "stop" for request in self._unapplied)

    @property
    def has_ended(self) -> bool:
        return self.phase.has_ended

    def reserve_space(self) -> None:
        """Reserve disk space, so that requests are applied even when the disk is full."""
        self._reserve.fill()

    def close(self) -> None:
        self._reserve.close()

    @property
    def holding(self) -> bool:
        """Return whether the first step waits for the map."""
        return self._hold is not None

    def set_phase(self, phase: Phase, step: int, message: str = "", *, event: str | None = None) -> None:
        """Enter a phase, and add an event for it to the timeline. Raises ValueError if there is no such
        phase.
        """
        self.phase = Phase(phase)
        facts = {"phase": self.phase, "message": message, "changed": time.time(), "steps": self.end}
        self._writer.add_event(step, event or phase, message, facts)

    def interrupt(self, step: int) -> None:
        """End the run at `step`; it can be continued. Acknowledge the stop request, if there was one. Raises
        one of `DISK_FULL_ERRORS` if the disk is full, and the reserved space is too small.
        """
        # The pending computed step is dropped.
        self._apply_until(None, step)

        def end() -> None:
            self._lift_hold()
            self.set_phase(Phase.INTERRUPTED, step, say("stopped", step=step))
            if self._stop is not None:
                self._acknowledge(self._stop, step)
            self._stop = None

        self._record(end)

    def poll(self, step: int, *, now: bool = False) -> None:
        """Apply new requests; `step` is the last finished step. Polls at most every 30 ms unless `now`.
        Raises as `interrupt`.
        """
        if self._read_new(now=now):
            self._apply_until(None, step)
            if self._hold is not None and self._hold.is_over(self._layouts):
                self._record(self._lift_hold)

    def poll_while_held(self, step: int) -> None:
        """Apply new requests while the step after `step` is computed but cannot be committed yet.

        Requests that change its numbers wait, and so do all later ones: requests are applied in order.
        """
        if self._read_new():
            try:
                self._apply_until("learning_rate", step)
            except DISK_FULL_ERRORS:
                self._next_poll = time.monotonic() + _RETRY_SECONDS

    def _read_new(self, *, now: bool = False) -> bool:
        if not now and time.monotonic() < self._next_poll:
            return False
        self._unapplied += [new for new in self._requests.read_new() if new.kind not in _OTHERS_KINDS]
        self._next_poll = time.monotonic() + _POLL_EVERY
        return True

    def _apply_until(self, kind: str | None, step: int) -> None:
        while self._unapplied and self._unapplied[0].kind != kind:
            self._record(partial(self._apply, self._unapplied[0], step))
            del self._unapplied[0]

    def _record(self, change: Callable[[], None]) -> None:
        """Make and acknowledge a change in one transaction: no request is lost or applied twice.

        If it cannot be recorded, this object stays unchanged too.
        """
        before = vars(self).copy()

        def transact() -> None:
            try:
                with self._writer.transaction():
                    change()
            except BaseException:
                vars(self).update(before)
                raise

        self._reserve.spend_on(transact)

    def may_step(self) -> bool:
        """Return whether the next step is due; sleep briefly if it is not."""
        if self._hold is not None or (self.phase == Phase.PAUSED and not self._single_steps):
            time.sleep(_POLL_EVERY / 2)
            return False
        if self.phase == Phase.RUNNING and self.steps_per_second:
            wait = self._next_step_due - time.monotonic()
            if wait > 0:
                time.sleep(min(wait, _POLL_EVERY))
                if wait > _POLL_EVERY:
                    return False
            self._next_step_due = (
                max(self._next_step_due, time.monotonic() - 1 / self.steps_per_second)
                + 1 / self.steps_per_second
            )
        self._single_steps = max(0, self._single_steps - 1)
        return True

    def _lift_hold(self) -> None:
        if self._hold is not None:
            self._hold = None
            self._writer.set_facts({"hold_until": None})

    def _apply(self, request: Request, step: int) -> None:
        if request.kind in _GO_ON_KINDS:
            self._lift_hold()
        match request.kind:
            # Only before the first step of the first attempt.
            case "hold" if step == 0 and self._writer.attempt <= 1 and not self.has_ended:
                self._hold = StartHold.begin(request.body.get("seconds"))
                self._writer.set_facts({"hold_until": self._hold and self._hold.until})
            case "begin" if self.phase == Phase.PAUSED and step == 0:
                self.set_phase(Phase.RUNNING, step, event="resumed")
            case "pause" if not self.has_ended and self.phase != Phase.PAUSED:
                self.set_phase(Phase.PAUSED, step)
            case "resume" if self.phase == Phase.PAUSED:
                self._set_pace(self.steps_per_second)
                self.set_phase(Phase.RUNNING, step, event="resumed")
            case "step" if self.phase in (Phase.RUNNING, Phase.PAUSED):
                if self.phase == Phase.RUNNING:
                    self.set_phase(Phase.PAUSED, step)
                self._writer.set_facts({"pace": "single"})
                self._single_steps += 1
            case "pace":
                self._set_pace(positive_number(request.body.get("steps_per_second")))
            case "learning_rate" if (rate := positive_number(request.body.get("value"))) is not None:
                self.learning_rate = rate
                self._writer.add_event(step, "learning_rate", say("rate_changed", rate=rate, step=step + 1))
            case "stop" if not self.has_ended:
                self._stop = request
                return
            # A run stopped while preparing prepares again before it sees the request.
            case "continue" if self.has_ended or self.phase == Phase.PREPARING:
                if self._stop is not None:
                    self._acknowledge(self._stop, step)
                    self._stop = None
                more = request.body.get("steps")
                self.end = max(self.end + (more if isinstance(more, int) and more > 0 else 0), step)
                rate = positive_number(request.body.get("learning_rate"))
                if self.phase == Phase.FAILED:
                    self.restart_rate = rate
                else:
                    self.learning_rate = rate or self.learning_rate
                self._set_pace(self.steps_per_second)
                self.set_phase(Phase.RUNNING, step, event="continued", message="")
            case _:
                # The request does not apply in this phase; acknowledge it anyway, so that it is not retried.
                pass
        self._acknowledge(request, step)

    def _acknowledge(self, request: Request, step: int) -> None:
        self._writer.add_applied(request, self._writer.attempt, step + 1)

    def _set_pace(self, steps_per_second: float | None) -> None:
        self.steps_per_second = steps_per_second
        self.pace = "limited" if steps_per_second else "full"
        self._writer.set_facts({"pace": self.pace, "pace_steps_per_second": steps_per_second})


class DiskWait:
    """The disk-full handling of one trainer."""

    def __init__(
        self, folder: Path, writer: StepsWriter, reader: StepsReader, control: RunControl, stop: StopFlag
    ) -> None:
        self._flag = DiskFullFlag(folder)
        self._writer, self._reader, self._control, self._stop = writer, reader, control, stop

    def retry(
        self,
        write: Callable[[], None],
        on_wait: Callable[[], None] | None = None,
        *,
        held_after: int | None = None,
    ) -> bool:
        """Call `write`, which must be safe to repeat and must succeed before training continues; wait and
        retry while the disk is full. Return False if a stop came during the wait. `held_after`: the last
        committed step, if `write` commits the next one; requests are then applied during the wait. A pause
        delays the step until the run resumes, a stop drops it.
        """
        start, waited = time.monotonic(), False
        held = None if held_after is None else _HeldStep(self._control, held_after)

        def is_over() -> bool:
            if held is not None:
                held.poll()
            return self._stop.reason is not None or (held is not None and self._control.stop_requested)

        def work() -> bool:
            if held is not None and held.paused:
                self._flag.clear()
                while held.paused and not self._control.may_step():
                    if is_over():
                        return False
            write()
            return True

        def note_wait() -> None:
            nonlocal waited
            waited = True
            self._flag.set()
            if on_wait is not None:
                on_wait()

        try:
            done = retry_while_full(
                work, is_over, "training", also_full=(CheckpointError,), on_wait=note_wait
            )
        finally:
            self._flag.clear()
        if done and waited:
            message = say("disk_waited", seconds=time.monotonic() - start)
            with contextlib.suppress(*DISK_FULL_ERRORS):
                self._writer.add_event(self._reader.newest_step()[1], "room", message)
        return bool(done)


class _HeldStep:
    """A computed step that waits to be committed."""

    def __init__(self, control: RunControl, after: int) -> None:
        self._control, self._after = control, after
        self.paused = False
        """True if the run was paused since the step was computed."""

    def poll(self) -> None:
        before = self._control.phase
        self._control.poll_while_held(self._after)
        if self._control.phase != before:
            self.paused = self._control.phase == Phase.PAUSED
