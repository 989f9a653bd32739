"""Merging of frames for a viewer that fell behind. A merged pulse must never be shown as a step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from lamplighter.wire.binary import Floats, UInts
from lamplighter.wire.pulse_frames import Pulse
from lamplighter.wire.row_frames import Rows


def merge_pulses(pulses: Sequence[Pulse]) -> Pulse:
    """Merge consecutive pulses of one attempt. Sets are united, counts and distances are summed, and gradient
    norms are maxima. `verified` is true if it is true for all; all other fields are those of the last
    pulse. Raises ValueError if there are no pulses, or they differ in attempt or vocabulary.
    """
    if not pulses:
        raise ValueError("nothing to merge")
    last = pulses[-1]
    if any((p.attempt, p.vocabulary) != (last.attempt, last.vocabulary) for p in pulses):
        raise ValueError("only pulses of one attempt and one vocabulary can be merged")
    if len(pulses) == 1:
        return last
    size = last.vocabulary
    batch_ids, counts = _merge_sets(
        size, [(p.batch_ids, p.batch_counts.astype(np.float32)) for p in pulses], np.add
    )
    gradient_ids, norms = _merge_sets(size, [(p.gradient_ids, p.gradient_norms) for p in pulses], np.maximum)
    moved_ids, distances = _merge_sets(size, [(p.moved_ids, p.moved_distances) for p in pulses], np.add)
    return replace(
        last,
        batch_ids=batch_ids,
        batch_counts=counts.astype(np.uint32),
        gradient_ids=gradient_ids,
        gradient_norms=norms,
        moved_ids=moved_ids,
        moved_distances=distances,
        verified=all(p.verified for p in pulses),
        first_step=pulses[0].first_step,
    )


def merge_rows(frames: Sequence[Rows]) -> Rows:
    """Merge consecutive row frames of one attempt, keeping the newest vector of every row. Raises ValueError
    if there are no frames, or they differ in attempt or matrix shape.
    """
    if not frames:
        raise ValueError("nothing to merge")
    last = frames[-1]
    width = last.vectors.shape[1]
    if any(
        (f.attempt, f.vocabulary, f.vectors.shape[1]) != (last.attempt, last.vocabulary, width)
        for f in frames
    ):
        raise ValueError("only rows of one attempt and one matrix can be merged")
    if len(frames) == 1 or last.whole:
        return last
    matrix = np.empty((last.vocabulary, width), dtype=np.float32)
    present = np.zeros(last.vocabulary, dtype=bool)
    for frame in frames:
        matrix[frame.token_ids] = frame.vectors
        present[frame.token_ids] = True
    ids = np.flatnonzero(present).astype(np.uint32)
    return Rows(last.attempt, last.step, last.time, last.vocabulary, ids, matrix[ids])


def _merge_sets(size: int, sets: list[tuple[UInts, Floats]], combine: np.ufunc) -> tuple[UInts, Floats]:
    values = np.zeros(size, dtype=np.float32)
    present = np.zeros(size, dtype=bool)
    for ids, of in sets:
        values[ids] = combine(values[ids], of)
        present[ids] = True
    ids = np.flatnonzero(present).astype(np.uint32)
    return ids, values[ids]
