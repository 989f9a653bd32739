"""The vectors of one token over the steps, read without rebuilding a matrix."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lamplighter.runfolder.lineage import Line
from lamplighter.runfolder.reading.row_deltas import BATCH, Kept, MovedRows
from lamplighter.runfolder.reading.snapshot import NoSnapshotError
from lamplighter.runfolder.tables.steps import StepsReader
from lamplighter.wire.frames import Floats, FrameError, Pulse, Rows, decode_as


class TokenPath(NamedTuple):
    """The vectors of one token at the steps whose embedding is known exactly."""

    steps: NDArray[np.int64]
    """Shape (N,), ascending; with gaps where steps were not kept."""
    vectors: Floats
    """Shape (N, D): the token's row after each step."""


def token_path(moved: MovedRows, line: Line, token_id: int, first: int, last: int) -> TokenPath:
    """Read one row after every exact step from `first` to `last`, inclusive.

    Reads one tile per stretch; outside tiles, the moved rows of the steps that moved the token.

    Raises:
        NoSnapshotError: no step was kept exactly in that range.
        LookupError: rows were moved into tiles meanwhile: read again.
    """
    kept = moved.kept(line)
    exact = np.flatnonzero(kept.exact)
    exact = exact[(exact >= first) & (exact <= last)]
    if not len(exact):
        raise NoSnapshotError(first, None)
    at = int(np.flatnonzero(kept.key[: exact[0] + 1])[-1])
    to = int(exact[-1])
    steps: list[NDArray[np.integer]] = [np.array([at])]
    vectors: list[Floats] = [moved.steps.keyframe_row(at, token_id)[None]]
    while at < to:
        reached, (when, where) = _moves(moved, line, token_id, vectors[-1][-1], at, to, kept)
        if reached == at:
            at = int(np.flatnonzero(kept.key[at + 1 :])[0]) + at + 1
            when, where = np.array([at]), moved.steps.keyframe_row(at, token_id)[None]
            reached = at
        if len(when):
            steps.append(when)
            vectors.append(where)
        at = reached
    anchors, rows = np.concatenate(steps), np.concatenate(vectors)
    return TokenPath(exact, rows[np.searchsorted(anchors, exact, side="right") - 1])


def _moves(
    moved: MovedRows, line: Line, token_id: int, vector: Floats, at: int, to: int, kept: Kept
) -> tuple[int, tuple[NDArray[np.integer], Floats]]:
    """Read one row's moves after step `at` from the next stretch or run of steps.

    Returns:
        The step up to which the moves are complete, and the moves: steps, shape (N,), and vectors, shape (N, D).
    """
    stretch = moved.stretch(line, at + 1)
    if stretch is not None:
        tile = moved.tile(stretch, token_id, len(vector))
        when, where = tile.path(token_id, vector, at)
        counted = int(np.searchsorted(when, min(to, stretch.last), side="right"))
        return min(to, stretch.last), (when[:counted], where[:counted])
    alone = kept.rows[at + 1 : to + 1] & ~kept.tiled[at + 1 : to + 1]
    end = at + (int(np.argmin(alone)) if not alone.all() else len(alone))
    times = list(_pulses_with(moved.steps, token_id, at + 1, end)) if end > at else []
    found: list[tuple[int, Floats]] = []
    for start in range(0, len(times), BATCH):
        for step, data in moved.steps.rows_of(times[start : start + BATCH]):
            rows = decode_as(data, Rows)
            index = int(np.searchsorted(rows.token_ids, token_id))
            if index == len(rows.token_ids) or rows.token_ids[index] != token_id:
                raise FrameError(f"step {step} moved row {token_id} and did not keep it")
            found.append((step, rows.vectors[index].copy()))
    if len(found) < len(times):
        raise LookupError(f"rows of steps {at + 1} to {end} are not there any more")
    when = np.array([step for step, _ in found], dtype=np.int64)
    return end, (when, np.stack([row for _, row in found]) if found else vector[None][:0])


def _pulses_with(steps: StepsReader, token_id: int, first: int, last: int) -> Iterator[int]:
    """Yield the steps in which a token's row moved."""
    while batch := steps.pulses(first, last, limit=BATCH):
        first = batch[-1][0] + 1
        for step, data in batch:
            moved = decode_as(data, Pulse).moved_ids
            index = int(np.searchsorted(moved, token_id))
            if index < len(moved) and moved[index] == token_id:
                yield step
