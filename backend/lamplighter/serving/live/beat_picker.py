"""The choice of the steps that become beats.

A beat is one real step, never a merge of several. When a beat is due, the next step to arrive is shown, so
that it is fresh, and the steps between are counted. When no more steps come, the last one still gets its
beat.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lamplighter.serving.live.touch_tally import TouchTally
from lamplighter.wire.beat_frames import Beat
from lamplighter.wire.pulse_frames import Pulse
from lamplighter.wire.row_frames import Census

BEAT_SECONDS = 1 / 3
"""Minimum seconds between two beats: the picture flashes at most three times a second."""
_MIN_WAIT, _MAX_WAIT = 0.12, 1.0
"""Bounds on the seconds that a due beat waits for a step newer than the last one seen."""
_MAX_PASSED = 1_000


@dataclass(frozen=True)
class PassedStep:
    """A step between two beats, as a chart shows it."""

    step: int
    loss: float
    norms: Sequence[float]
    """Gradient norms by layer."""
    ever: int
    """Rows that were in a batch at least once up to this step."""


@dataclass(frozen=True)
class PickedBeat:
    """A step that is shown."""

    beat: Beat
    before: Census | None
    """The counts just before its step, if they were wanted: with both, a new viewer has the counts of one who got
    every beat."""
    pulse: Pulse
    passed: list[PassedStep]
    """The steps since the previous beat; a sample if there were more than a thousand."""


class BeatPicker:
    """The beats after one census. For one thread only."""

    def __init__(self, census: Census, max_norms: int | None = None) -> None:
        """Start from a census, which viewers get. `max_norms`: maximum rows between two beats whose gradient norms
        are sent; None for no limit.
        """
        self._tally = TouchTally(census, max_norms)
        self._pulse: Pulse | None = None
        """The newest step, while not yet counted."""
        self._passed: list[PassedStep] = []
        self._arrived_at = float("-inf")
        self.due_at = float("inf")
        """When the newest step is shown if no newer one comes; infinite if it was shown."""

    def offer(self, pulse: Pulse, now: float, next_at: float) -> None:
        """Accept a step that arrived at `now`; the next beat may be shown from `next_at` on (seconds)."""
        if pulse.vocabulary != self._tally.vocabulary:
            return
        if self._pulse is not None:
            self._pass(self._pulse)
        gap, self._arrived_at = now - self._arrived_at, now
        self._pulse, self.due_at = pulse, now
        if now < next_at:
            # A beat is due soon, and a fresher step is likely by then.
            self.due_at = max(next_at, now + min(max(1.5 * gap, _MIN_WAIT), _MAX_WAIT))

    def pick(self, now: float, *, with_census: bool = False) -> PickedBeat | None:
        """Return the step to show at `now` (seconds), `with_census` for viewers who join later; None if none is due."""
        pulse = self._pulse
        if pulse is None or now < self.due_at:
            return None
        self._pulse, self.due_at = None, float("inf")
        passed, self._passed = self._passed, []
        before = self._tally.census_before(pulse) if with_census else None
        return PickedBeat(self._tally.show(pulse), before, pulse, passed)

    def _pass(self, pulse: Pulse) -> None:
        self._tally.count_between(pulse)
        if len(self._passed) >= _MAX_PASSED:
            del self._passed[::2]
        self._passed.append(PassedStep(pulse.step, pulse.loss, pulse.layer_norms.tolist(), self._tally.ever))
