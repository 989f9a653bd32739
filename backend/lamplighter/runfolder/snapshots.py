"""The whole embedding at a step, rebuilt from the last keyframe and the rows that moved since."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lamplighter.runfolder.steps import StepsReader
from lamplighter.wire.frames import Census, Pulse, Rows, UInts, decode


class NoSnapshotError(LookupError):
    """That step cannot be rebuilt; `nearest` is one before it that can."""

    def __init__(self, step: int, nearest: int | None) -> None:
        """Say which step was asked for and which can be had."""
        hint = "none before it can" if nearest is None else f"the nearest before it that can is {nearest}"
        super().__init__(f"the embedding at step {step} was not kept exactly; {hint}")
        self.step = step
        self.nearest = nearest


@dataclass(frozen=True)
class Snapshot:
    """The embedding after a step, bit for bit."""

    attempt: int
    step: int
    time: float
    vectors: NDArray[np.float32]
    """Shape (V, D)."""


@dataclass(frozen=True)
class Touches:
    """How often, and when last, each row had been in a batch by a step."""

    step: int
    touches: UInts
    last_lit: UInts


def snapshot(reader: StepsReader, step: int, *, nearest: bool = False) -> Snapshot:
    """The embedding after `step`.

    Args:
        reader: of the run's steps.
        step: 0 is before the first update.
        nearest: where `step` is not kept exactly, take the newest before it that is.

    Raises:
        NoSnapshotError: the step was not kept exactly, or has not happened.
    """
    found = reader.keyframe(step)
    if found is None:
        raise NoSnapshotError(step, None)
    at, record, _ = found
    start = decode(record)
    assert isinstance(start, Rows)
    last = min(step, reader.last()[1])
    moved = reader.rows(at + 1, last, limit=max(1, last - at)) if last > at else []
    complete = at + next((i for i, (s, _) in enumerate(moved) if s != at + 1 + i), len(moved))
    if complete < step and not nearest:
        raise NoSnapshotError(step, complete)
    vectors = start.vectors.copy()
    attempt, time = start.attempt, start.time
    for _, data in moved[: complete - at]:
        rows = decode(data)
        assert isinstance(rows, Rows)
        vectors[rows.token_ids] = rows.vectors
        attempt, time = rows.attempt, rows.time
    return Snapshot(attempt, complete, time, vectors)


def touches(reader: StepsReader, step: int) -> Touches:
    """The census at `step` (or at the newest step before it), from the last keyframe and the pulses since.

    Raises:
        NoSnapshotError: nothing was kept yet.
    """
    found = reader.keyframe(step)
    if found is None:
        raise NoSnapshotError(step, None)
    at, _, census = found
    start = decode(census)
    assert isinstance(start, Census)
    counts, last_lit = start.touches.copy(), start.last_lit.copy()
    for when, data in reader.pulses(at + 1, step, limit=max(1, step - at)) if step > at else []:
        pulse = decode(data)
        assert isinstance(pulse, Pulse)
        counts[pulse.batch_ids] += 1
        last_lit[pulse.batch_ids] = when
        at = when
    return Touches(at, counts, last_lit)
