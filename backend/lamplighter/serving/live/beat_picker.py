"""The choice of the steps that become beats, and the tally of the rows that were touched between them.

A beat is one real step, never a merge of several. When a beat is due, the next step to arrive is shown, so
that it is fresh, and the steps between are counted. When no more steps come, the last one still gets its
beat.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lamplighter.wire.beat_frames import Beat, StepsBetween
from lamplighter.wire.binary import Floats, UInts
from lamplighter.wire.pulse_frames import Pulse
from lamplighter.wire.row_frames import NEVER, Census


class TouchTally:
    """The counts that a viewer has who got every beat."""

    def __init__(self, census: Census, max_norms: int | None = None) -> None:
        """Start from a census, which viewers get. `max_norms`: maximum rows between two beats whose gradient norms
        are sent; None for no limit.
        """
        self._max_norms = max_norms
        self._attempt = census.attempt
        self._touches = census.touches.astype(np.uint32)
        self._last_lit = census.last_lit.astype(np.uint32)
        self._between = np.zeros(len(census.touches), dtype=np.uint32)
        """By row, the steps since the last beat with the row in their batch."""
        self._norms = np.zeros(len(census.touches), dtype=np.float32)
        self._elsewhere = False
        self._first_step = census.step + 1
        self.ever = int(np.count_nonzero(self._last_lit != NEVER))
        """Rows that were in a batch at least once."""

    @property
    def vocabulary(self) -> int:
        return len(self._touches)

    def count_between(self, pulse: Pulse) -> None:
        self._count(pulse)
        self._between[pulse.batch_ids] += np.uint32(1)
        self._norms[pulse.gradient_ids] = pulse.gradient_norms
        self._elsewhere |= _has_others(pulse.gradient_ids, pulse.batch_ids)

    def census_before(self, pulse: Pulse) -> Census:
        """Return the counts just before a step that is not yet counted."""
        return Census(pulse.attempt, pulse.step - 1, pulse.time, self._touches.copy(), self._last_lit.copy())

    def show(self, pulse: Pulse) -> Beat:
        """Count a step, and return it as a beat."""
        ids = np.flatnonzero(self._between).astype(np.uint32)
        elsewhere = self._elsewhere or _has_others(pulse.gradient_ids, pulse.batch_ids)
        between = StepsBetween(
            ids,
            self._between[ids],
            self._last_lit[ids],
            None if elsewhere or self._has_too_many(ids) else self._norms[ids],
        )
        beat = Beat(
            attempt=pulse.attempt,
            step=pulse.step,
            time=pulse.time,
            first_step=self._first_step,
            vocabulary=pulse.vocabulary,
            loss=pulse.loss,
            learning_rate=pulse.learning_rate,
            tokens_per_second=pulse.tokens_per_second,
            step_seconds=pulse.step_seconds,
            observe_seconds=pulse.observe_seconds,
            batch_ids=pulse.batch_ids,
            batch_counts=pulse.batch_counts,
            gradient_norms=_norms_of(pulse.batch_ids, pulse.gradient_ids, pulse.gradient_norms),
            layer_norms=pulse.layer_norms,
            gradient_rows=len(pulse.gradient_ids),
            moved_rows=len(pulse.moved_ids),
            drifting_rows=_count_others(pulse.moved_ids, pulse.batch_ids) if pulse.verified else None,
            between=between,
            elsewhere=elsewhere,
        )
        self._count(pulse)
        self._between[ids] = 0
        # Rows outside the batch may have norms too.
        self._norms[:] = 0
        self._elsewhere = False
        self._first_step = pulse.step + 1
        return beat

    def _has_too_many(self, ids: UInts) -> bool:
        return self._max_norms is not None and len(ids) > self._max_norms

    def _count(self, pulse: Pulse) -> None:
        self.ever += int(np.count_nonzero(self._last_lit[pulse.batch_ids] == NEVER))
        self._touches[pulse.batch_ids] += np.uint32(1)
        self._last_lit[pulse.batch_ids] = pulse.step


def _has_others(ids: UInts, among: UInts) -> bool:
    return not np.array_equal(ids, among) and _count_others(ids, among) > 0


def _count_others(ids: UInts, among: UInts) -> int:
    return len(ids) - int(np.isin(ids, among, assume_unique=True).sum())


def _norms_of(rows: UInts, ids: UInts, norms: Floats) -> Floats:
    """Return the norm of each of `rows`, 0 for rows without one; both are sorted."""
    if np.array_equal(rows, ids) or not len(ids):
        return norms if len(ids) else np.zeros(len(rows), dtype=np.float32)
    at = np.minimum(np.searchsorted(ids, rows), len(ids) - 1)
    return np.where(ids[at] == rows, norms[at], np.float32(0)).astype(np.float32)


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
