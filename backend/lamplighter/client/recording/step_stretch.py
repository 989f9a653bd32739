"""The steps of a loop since the last recorded one, merged into one: sets are united, counts are summed."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from lamplighter.client.recording.step_arguments import BatchRows, GradientRows
from lamplighter.wire.binary import UInts


class StretchedStep(NamedTuple):
    """One recorded step, which may merge several of the loop."""

    steps: int
    """Number of steps of the loop."""
    batch: BatchRows
    gradient: GradientRows | None
    """The largest norm of each row's gradient; None unless every step had a gradient."""
    seconds: float
    """The training time of all of them, in seconds."""


class StepStretch:
    """The steps of a loop since the last recorded one."""

    def __init__(self) -> None:
        self._steps: StretchedStep | None = None

    def add_step(self, batch: BatchRows, gradient: GradientRows | None, seconds: float) -> None:
        before = self._steps
        if before is None:
            self._steps = StretchedStep(1, batch, gradient, seconds)
            return
        ids, counts = _unite(
            (before.batch.token_ids, before.batch.counts), (batch.token_ids, batch.counts), np.add
        )
        both = None
        if before.gradient is not None and gradient is not None:
            both = GradientRows(*_unite(before.gradient, gradient, np.maximum))
        self._steps = StretchedStep(
            before.steps + 1,
            BatchRows(ids, counts),
            both,
            before.seconds + seconds,
        )

    def take_stretch(self) -> StretchedStep:
        """Return the steps added since the last call, at least one, and start the next stretch."""
        steps, self._steps = self._steps, None
        if steps is None:
            raise RuntimeError("no step was added")
        return steps


def _unite(first: tuple[UInts, Any], second: tuple[UInts, Any], combine: np.ufunc) -> tuple[UInts, Any]:
    """Return the union of two sorted sets of ids, and their combined values."""
    if np.array_equal(first[0], second[0]):
        return first[0], combine(first[1], second[1])
    ids = np.union1d(first[0], second[0])
    values = np.zeros(len(ids), dtype=first[1].dtype)
    values[np.searchsorted(ids, first[0])] = first[1]
    at = np.searchsorted(ids, second[0])
    values[at] = combine(values[at], second[1])
    return ids, values
