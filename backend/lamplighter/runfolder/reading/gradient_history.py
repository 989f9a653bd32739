"""The gradient history of one token, read from the pulses."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.wire.binary import UInts
from lamplighter.wire.frames import decode_as
from lamplighter.wire.pulse_frames import Pulse

_BATCH = 200


class GradientHistory(NamedTuple):
    """The N steps, ascending, in which a token was in the batch or its row had a gradient; shape (N,) each."""

    steps: NDArray[np.int64]
    occurrences: NDArray[np.int64]
    """Occurrences in the batch; 0 where the row had a gradient without being in it (tied weights)."""
    gradient: NDArray[np.float64]
    """Euclidean norm of the row's gradient, as in a pulse; NaN where the step's gradients were not recorded."""


def read_gradient_history(reader: StepsReader, token_id: int, first: int, last: int) -> GradientHistory:
    """Read a token's gradients in the steps `first` to `last` of the lineage, inclusive. Reads every pulse in
    the range, in small batches. Raises FrameError if a pulse is damaged.
    """
    found: list[tuple[int, int, float]] = []
    next_step = first
    while next_step <= last and (batch := reader.pulses(next_step, last, limit=_BATCH)):
        for step, record in batch:
            pulse = decode_as(record, Pulse)
            in_batch = _index_of(pulse.batch_ids, token_id)
            with_gradient = _index_of(pulse.gradient_ids, token_id)
            if in_batch is None and with_gradient is None:
                continue
            norm = 0.0 if pulse.gradient_known else np.nan
            if with_gradient is not None:
                norm = float(pulse.gradient_norms[with_gradient])
            found.append((step, 0 if in_batch is None else int(pulse.batch_counts[in_batch]), norm))
        next_step = batch[-1][0] + 1
    steps, occurrences, norms = zip(*found, strict=True) if found else ((), (), ())
    return GradientHistory(
        np.array(steps, dtype=np.int64),
        np.array(occurrences, dtype=np.int64),
        np.array(norms, dtype=np.float64),
    )


def _index_of(ids: UInts, token_id: int) -> int | None:
    """Return the index of a token in sorted ids; None if it is absent."""
    index = int(np.searchsorted(ids, token_id))
    return index if index < len(ids) and ids[index] == token_id else None
