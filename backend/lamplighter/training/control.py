"""Control of a run by requests, which the trainer applies between two steps and records with the number of the
first step under them."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import Any

from lamplighter.runfolder.phase import Phase
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.requests import PROJECTOR_KINDS, AppliedRequest, Request, RequestsReader
from lamplighter.runfolder.tables.steps import StepsReader, StepsWriter, phase_in

_POLL_EVERY = 0.03


@dataclass
class StopFlag:
    """A stop flag set by the signal handler: `interrupt` ends the run at its step, `terminate` only the process."""

    reason: str | None = None


class RunControl:
    """The state of a run that requests can change: phase, pace, learning rate and last step."""

    def __init__(self, run: RunFolder, writer: StepsWriter, reader: StepsReader) -> None:
        """Load the state from the run's record."""
        self._writer = writer
        self._requests = RequestsReader(run.path)
        self._requests.skip_applied(reader.last_applied())
        facts = reader.facts()
        self.phase = phase_in(facts)
        self.end: int = facts.get("steps", run.recipe.steps)
        self.learning_rate: float = run.recipe.optimiser.learning_rate
        self.pace: str = facts.get("pace", "full")
        self.steps_per_second: float | None = facts.get("pace_steps_per_second")
        self.restart_rate: float | None = None
        """Learning rate with which a failed run restarts from an earlier checkpoint; None if no restart is due."""
        self._stop: Request | None = None
        self._single_steps = 0
        self._next_poll = 0.0
        self._next_step_due = 0.0

    @property
    def stop_requested(self) -> bool:
        """Return whether a stop request is waiting to be carried out."""
        return self._stop is not None

    @property
    def has_ended(self) -> bool:
        """Return whether the run has ended."""
        return self.phase.has_ended

    def set_phase(self, phase: Phase, step: int, message: str = "", *, event: str | None = None) -> None:
        """Enter a phase, and add an event for it to the timeline.

        Raises:
            ValueError: there is no such phase.
        """
        self.phase = Phase(phase)
        facts = {"phase": self.phase, "message": message, "changed": time.time(), "steps": self.end}
        self._writer.add_event(step, event or phase, message, facts)

    def interrupt(self, step: int) -> None:
        """End the run at `step`; it can be continued. Acknowledge the stop request now, if there was one."""
        with self._writer.transaction():
            self.set_phase(Phase.INTERRUPTED, step, f"stopped at step {step}; it can be continued")
            if self._stop is not None:
                self._acknowledge(self._stop, step)
        self._stop = None

    def poll(self, step: int, *, now: bool = False) -> None:
        """Apply new requests; `step` is the last finished one. Polls at most every 30 ms unless `now`."""
        if not now and time.monotonic() < self._next_poll:
            return
        for request in self._requests.read_new():
            if request.kind in PROJECTOR_KINDS:
                continue
            # One transaction for effect and acknowledgement: a request is neither lost nor applied twice.
            with self._writer.transaction():
                self._apply(request, step)
        self._next_poll = time.monotonic() + _POLL_EVERY

    def may_step(self) -> bool:
        """Return whether the next step is due; sleep a little if it is not."""
        if self.phase == Phase.PAUSED and not self._single_steps:
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

    def _apply(self, request: Request, step: int) -> None:
        match request.kind:
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
                self._set_pace(_positive_number(request.body.get("steps_per_second")))
            case "learning_rate" if (rate := _positive_number(request.body.get("value"))) is not None:
                self.learning_rate = rate
                self._writer.add_event(step, "learning_rate", f"learning rate {rate:g} from step {step + 1}")
            case "stop" if not self.has_ended:
                self._stop = request
                return
            case "continue" if self.has_ended:
                more = request.body.get("steps")
                self.end = max(self.end + (more if isinstance(more, int) and more > 0 else 0), step)
                rate = _positive_number(request.body.get("learning_rate"))
                if self.phase == Phase.FAILED:
                    self.restart_rate = rate
                else:
                    self.learning_rate = rate or self.learning_rate
                self._set_pace(self.steps_per_second)
                self.set_phase(Phase.RUNNING, step, event="continued", message="")
            case _:
                # The request makes no sense in this phase; acknowledge it anyway, so that it is not retried.
                pass
        self._acknowledge(request, step)

    def _acknowledge(self, request: Request, step: int) -> None:
        self._writer.add_applied(request, self._writer.attempt, step + 1)

    def _set_pace(self, steps_per_second: float | None) -> None:
        self.steps_per_second = steps_per_second
        self.pace = "limited" if steps_per_second else "full"
        self._writer.set_facts({"pace": self.pace, "pace_steps_per_second": steps_per_second})


def requested_learning_rate(applied: AppliedRequest) -> float | None:
    """Return the learning rate set by an applied request; None if it set none."""
    name = {"learning_rate": "value", "continue": "learning_rate"}.get(applied.kind)
    return _positive_number(applied.body.get(name)) if name else None


def _positive_number(value: Any) -> float | None:
    if isinstance(value, int | float) and math.isfinite(value) and value > 0:
        return float(value)
    return None
