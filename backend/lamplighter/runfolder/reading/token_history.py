"""The vectors and gradients of one token over the steps, read without rebuilding a matrix."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lamplighter.runfolder.errors import NoSnapshotError
from lamplighter.runfolder.lineage import Lineage
from lamplighter.runfolder.loop_facts import KEPT_ROWS_FACT
from lamplighter.runfolder.reading.row_deltas import BATCH, RowDeltas, StepCoverage
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.wire.binary import Floats, FrameError, UInts
from lamplighter.wire.frames import decode_as
from lamplighter.wire.pulse_frames import Pulse
from lamplighter.wire.row_frames import Rows


class TokenHistory(NamedTuple):
    """The vectors of one token at the steps after which its row is known exactly."""

    steps: NDArray[np.int64]
    """Shape (N,), ascending; with gaps where steps were not kept."""
    vectors: Floats
    """Shape (N, D): the token's row after each step."""


def read_token_history(
    deltas: RowDeltas, lineage: Lineage, token_id: int, first: int, last: int
) -> TokenHistory:
    """Read one row after every step from `first` to `last`, inclusive, that is exact or for which the row
    itself is kept.

    Reads one tile per stretch; outside tiles, the moved rows of the steps that moved the token. Raises
    NoSnapshotError if no step was kept exactly in that range, LookupError if rows moved into tiles during
    the read: read again.
    """
    coverage = deltas.coverage(lineage)
    exact = coverage.exact.clip(first, last).to_array()
    kept = _read_kept_rows(deltas.steps, token_id, first, last)
    if not len(exact) and not len(kept.steps):
        raise NoSnapshotError(first, None)
    if not len(exact):
        return kept
    rebuilt = _rebuild(deltas, lineage, token_id, exact, coverage)
    if not len(kept.steps):
        return rebuilt
    steps, index = np.unique(np.concatenate([rebuilt.steps, kept.steps]), return_index=True)
    return TokenHistory(steps, np.concatenate([rebuilt.vectors, kept.vectors])[index])


def _rebuild(
    deltas: RowDeltas, lineage: Lineage, token_id: int, exact: NDArray[np.int64], coverage: StepCoverage
) -> TokenHistory:
    """Rebuild one row after each of some exact steps, at least one."""
    keyframes = coverage.keyframes
    from_step = int(keyframes[np.searchsorted(keyframes, exact[0], side="right") - 1])
    last_exact = int(exact[-1])
    steps: list[NDArray[np.integer]] = [np.array([from_step])]
    vectors: list[Floats] = [deltas.steps.keyframe_row(from_step, token_id)[None]]
    while from_step < last_exact:
        reached, (when, where) = _read_moves(
            deltas, lineage, token_id, vectors[-1][-1], from_step, last_exact, coverage
        )
        if reached == from_step:
            from_step = int(keyframes[np.searchsorted(keyframes, from_step, side="right")])
            when, where = np.array([from_step]), deltas.steps.keyframe_row(from_step, token_id)[None]
            reached = from_step
        if len(when):
            steps.append(when)
            vectors.append(where)
        from_step = reached
    anchors, rows = np.concatenate(steps), np.concatenate(vectors)
    return TokenHistory(exact, rows[np.searchsorted(anchors, exact, side="right") - 1])


def _read_kept_rows(steps: StepsReader, token_id: int, first: int, last: int) -> TokenHistory:
    """Read one row after the steps for which it is kept by itself."""
    found, wanted = [], len(kept_steps(steps, [token_id], first, last)) > 0
    while wanted and (batch := steps.kept_rows(first, last, limit=BATCH)):
        for step, data in batch:
            rows = decode_as(data, Rows)
            found.append((step, rows.vectors[np.searchsorted(rows.token_ids, token_id)].copy()))
        first = batch[-1][0] + 1
    vectors = np.stack([row for _, row in found]) if found else np.empty((0, 0), np.float32)
    return TokenHistory(np.array([step for step, _ in found], np.int64), vectors)


def kept_steps(steps: StepsReader, token_ids: Iterable[int], first: int, last: int) -> NDArray[np.int64]:
    """Return the steps from `first` to `last`, inclusive, for which the rows of all these tokens are kept by themselves,
    ascending, shape (N,)."""
    kept = set(steps.facts().get(KEPT_ROWS_FACT, ()))
    if not kept.issuperset(token_ids):
        return np.empty(0, np.int64)
    return steps.numbers_in("kept_rows", first, last)


def _read_moves(
    deltas: RowDeltas,
    lineage: Lineage,
    token_id: int,
    vector: Floats,
    from_step: int,
    to: int,
    coverage: StepCoverage,
) -> tuple[int, tuple[NDArray[np.integer], Floats]]:
    """Read one row's moves after `from_step` from the next stretch or batch of steps. Returns the step up to
    which the moves are complete, and the moves: steps, shape (N,), and vectors, shape (N, D).
    """
    stretch = deltas.stretch_at(lineage, from_step + 1)
    if stretch is not None:
        tile = deltas.tile_with(stretch, token_id, len(vector))
        when, where = tile.moves_of(token_id, vector, from_step)
        counted = int(np.searchsorted(when, min(to, stretch.last), side="right"))
        return min(to, stretch.last), (when[:counted], where[:counted])
    next_tiled = coverage.tiled.first_at_or_after(from_step + 1)
    alone = to if next_tiled is None else min(to, next_tiled - 1)
    end = min(alone, coverage.rows.end_of_range(from_step + 1))
    times = list(_steps_moving(deltas.steps, token_id, from_step + 1, end)) if end > from_step else []
    found: list[tuple[int, Floats]] = []
    for start in range(0, len(times), BATCH):
        for step, data in deltas.steps.rows_at(times[start : start + BATCH]):
            rows = decode_as(data, Rows)
            index = int(np.searchsorted(rows.token_ids, token_id))
            if index == len(rows.token_ids) or rows.token_ids[index] != token_id:
                raise FrameError(f"step {step} moved row {token_id} and did not keep it")
            found.append((step, rows.vectors[index].copy()))
    if len(found) < len(times):
        raise LookupError(f"rows of steps {from_step + 1} to {end} are not there any more")
    when = np.array([step for step, _ in found], dtype=np.int64)
    return end, (when, np.stack([row for _, row in found]) if found else vector[None][:0])


def _steps_moving(steps: StepsReader, token_id: int, first: int, last: int) -> Iterator[int]:
    while batch := steps.pulses(first, last, limit=BATCH):
        first = batch[-1][0] + 1
        for step, data in batch:
            moved = decode_as(data, Pulse).moved_ids
            index = int(np.searchsorted(moved, token_id))
            if index < len(moved) and moved[index] == token_id:
                yield step


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
