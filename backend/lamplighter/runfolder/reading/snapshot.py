"""Snapshots of one step: the embedding, and the number of batches each row has been in."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lamplighter.runfolder.errors import FormatError, NoSnapshotError
from lamplighter.runfolder.lineage import Lineage
from lamplighter.runfolder.matrices.stored_matrix import StoredMatrix
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.wire.binary import UInts
from lamplighter.wire.frames import decode_as, encode
from lamplighter.wire.pulse_frames import Pulse
from lamplighter.wire.row_frames import Census, Rows

_BATCH = 64
"""Pulses read at a time."""


@dataclass(frozen=True)
class Snapshot:
    """The embedding after a step, bit for bit."""

    attempt: int
    step: int
    time: float
    vectors: NDArray[np.float32]
    """Shape (V, D)."""

    def encode_frame(self) -> bytes:
        return encode(Rows.of_matrix(self.attempt, self.step, self.time, self.vectors))


@dataclass(frozen=True)
class OpenSnapshot:
    """The embedding after a step, in a file of its own, of which rows are read when they are asked for."""

    attempt: int
    step: int
    time: float
    vectors: StoredMatrix
    """Shape (V, D)."""


def require_fit(run: RunFolder, matrix: Snapshot | OpenSnapshot) -> None:
    """Raise FormatError if a matrix does not fit its run's vocabulary and recipe."""
    if matrix.vectors.shape != (len(run.vocabulary), run.recipe.model.dim):
        raise FormatError("its matrix does not match its vocabulary and its recipe")


def nearest_kept(exact: NDArray[np.int64], step: int) -> int | None:
    """Return the newest of some ascending steps at or before a step; None if there is none."""
    index = int(np.searchsorted(exact, step, side="right")) - 1
    return int(exact[index]) if index >= 0 else None


@dataclass(frozen=True)
class Touches:
    """The number of batches each row had been in by a step, and the last such step; shape (V,) each."""

    step: int
    touches: UInts
    last_lit: UInts

    @property
    def recorded(self) -> UInts | None:
        """Return the touches; None if the batches were not recorded, so that all counts are 0."""
        return self.touches if self.step == 0 or self.touches.any() else None


def read_touches(reader: StepsReader, step: int) -> Touches:
    """Compute the census at `step` (or the newest step before it) from the last keyframe and the pulses
    since. Raises NoSnapshotError if there is no keyframe at or before `step`.
    """
    found = reader.census(step)
    if found is None:
        raise NoSnapshotError(step, None)
    step_reached, census = found
    start = decode_as(census, Census)
    counts, last_lit = start.touches.copy(), start.last_lit.copy()
    while step > step_reached and (batch := reader.pulses(step_reached + 1, step, limit=_BATCH)):
        for when, data in batch:
            pulse = decode_as(data, Pulse)
            counts[pulse.batch_ids] += 1
            last_lit[pulse.batch_ids] = when
        step_reached = batch[-1][0]
    return Touches(step_reached, counts, last_lit)


def read_census(reader: StepsReader, lineage: Lineage, step: int, time: float) -> Census:
    """Return the census at `step` of a lineage, as a frame with the given time. Raises NoSnapshotError if
    there is no keyframe at or before `step`.
    """
    so_far = read_touches(reader, step)
    return Census(lineage.attempt_at(step), step, time, so_far.touches, so_far.last_lit)


def read_time(reader: StepsReader, step: int) -> float | None:
    """Return the time at which a step ended, Unix seconds; None for a step without a pulse, such as step 0."""
    pulses = reader.pulses_at([step])
    return decode_as(pulses[0][1], Pulse).time if pulses else None
