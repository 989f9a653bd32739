"""The differences between the three sets of rows of a step: read, with a gradient, moved."""

from __future__ import annotations

import numpy as np

from lamplighter.serving.schemas.steps import RowDifference, RowDifferences
from lamplighter.wire.binary import Floats, UInts
from lamplighter.wire.pulse_frames import Pulse

MAX_NAMED = 100


def compare_row_sets(pulse: Pulse) -> RowDifferences:
    read, gradient, moved = pulse.batch_ids, pulse.gradient_ids, pulse.moved_ids
    gradients_told = pulse.batch_known and pulse.gradient_known
    return RowDifferences(
        read_without_gradient=_difference(read, None, gradient) if gradients_told else None,
        gradient_without_read=_difference(gradient, pulse.gradient_norms, read) if gradients_told else None,
        gradient_without_move=_difference(gradient, pulse.gradient_norms, moved)
        if pulse.gradient_known and pulse.moved_known
        else None,
        # If only rows with a gradient were checked, others may have moved.
        moved_without_read=_difference(moved, pulse.moved_distances, read)
        if pulse.batch_known and pulse.verified
        else None,
    )


def _difference(ids: UInts, sizes: Floats | None, others: UInts) -> RowDifference:
    outside = ~np.isin(ids, others, assume_unique=True)
    found = ids[outside]
    if sizes is not None:
        found = found[np.argsort(-sizes[outside], kind="stable")]
    return RowDifference(rows=len(found), token_ids=found[:MAX_NAMED].tolist())
