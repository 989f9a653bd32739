"""One token's gradient through the steps, from the pulses."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lamplighter.runfolder.steps import StepsReader
from lamplighter.wire.frames import Pulse, UInts, decode_as

_BATCH = 200


class GradientPath(NamedTuple):
    """The N steps in which a token was in the batch or its row got a gradient, ascending; shape (N,) each."""

    steps: NDArray[np.int64]
    occurrences: NDArray[np.int64]
    """In the batch; 0 where the row got its gradient without being in it (tied weights)."""
    gradient: NDArray[np.float64]
    """Euclidean norm of the row's gradient, before clipping; NaN where the step's gradients are not recorded."""


def gradient_path(reader: StepsReader, token_id: int, first: int, last: int) -> GradientPath:
    """A token's gradient in the steps `first` to `last` of the line, inclusive.

    Reads every pulse of the range, a few at a time.

    Raises:
        FrameError: a pulse is damaged.
    """
    told: list[tuple[int, int, float]] = []
    at = first
    while at <= last and (batch := reader.pulses(at, last, limit=_BATCH)):
        for step, record in batch:
            pulse = decode_as(record, Pulse)
            in_batch = _place(pulse.batch_ids, token_id)
            with_gradient = _place(pulse.gradient_ids, token_id)
            if in_batch is None and with_gradient is None:
                continue
            # Where no row at all has a gradient, nobody recorded any: nothing is known, not even that it is 0.
            norm = 0.0 if len(pulse.gradient_ids) else np.nan
            if with_gradient is not None:
                norm = float(pulse.gradient_norms[with_gradient])
            told.append((step, 0 if in_batch is None else int(pulse.batch_counts[in_batch]), norm))
        at = batch[-1][0] + 1
    steps, occurrences, norms = zip(*told, strict=True) if told else ((), (), ())
    return GradientPath(
        np.array(steps, dtype=np.int64),
        np.array(occurrences, dtype=np.int64),
        np.array(norms, dtype=np.float64),
    )


def _place(ids: UInts, token_id: int) -> int | None:
    """Where a token stands in sorted ids."""
    at = int(np.searchsorted(ids, token_id))
    return at if at < len(ids) and ids[at] == token_id else None
