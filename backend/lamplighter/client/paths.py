"""Which steps of a run are known exactly, and one token through all of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from lamplighter.runfolder.snapshots import NoSnapshotError
from lamplighter.runfolder.steps import StepsReader
from lamplighter.wire.frames import Frame, FrameError, Pulse, Rows, decode

_BATCH = 64
"""Steps read at once: bounds memory."""

F = TypeVar("F", bound=Frame)


class TokenPath(NamedTuple):
    """One token through all steps whose embedding is known exactly."""

    steps: NDArray[np.int64]
    """Shape (N,), ascending; with gaps where steps were not kept."""
    vectors: NDArray[np.float32]
    """Shape (N, D): the token's row after each of them."""


def exact_steps(reader: StepsReader) -> list[int]:
    """The steps whose matrix rebuilds bit for bit, ascending."""
    keys = {step for _, step in reader.keyframe_steps()}
    moved = set(reader.rows_steps(1, reader.last()[1]))
    exact: list[int] = []
    for step in sorted(keys | moved):
        if step in keys or (exact and exact[-1] == step - 1):
            exact.append(step)
    return exact


def token_path(reader: StepsReader, token_id: int) -> TokenPath:
    """One row after every exact step, read off the steps in which it moved.

    Raises:
        NoSnapshotError: nothing was kept at all.
    """
    exact = exact_steps(reader)
    if not exact:
        raise NoSnapshotError(0, None)
    rows_there = set(reader.rows_steps(1, exact[-1]))
    moves = [step for step in _moves(reader, token_id, exact[-1]) if step in rows_there]
    where: dict[int, NDArray[np.float32]] = {}
    for start in range(0, len(moves), _BATCH):
        for step, data in reader.rows_of(moves[start : start + _BATCH]):
            rows = frame_of(data, Rows)
            at = int(np.searchsorted(rows.token_ids, token_id))
            if at < len(rows.token_ids) and rows.token_ids[at] == token_id:
                where[step] = rows.vectors[at].copy()
    out: NDArray[np.float32] | None = None
    for index, step in enumerate(exact):
        if index == 0 or exact[index - 1] != step - 1 or step not in rows_there:
            found = reader.keyframe(step)
            assert found is not None
            vector = frame_of(found[1], Rows).vectors[token_id]
        else:
            vector = where.get(step)
        if out is None:
            assert vector is not None
            out = np.empty((len(exact), len(vector)), dtype=np.float32)
        out[index] = out[index - 1] if vector is None else vector
    assert out is not None
    return TokenPath(np.array(exact, dtype=np.int64), out)


def _moves(reader: StepsReader, token_id: int, last: int) -> Iterator[int]:
    """The steps in which a token's row moved."""
    at = 1
    while batch := reader.pulses(at, last, limit=_BATCH):
        at = batch[-1][0] + 1
        for step, data in batch:
            moved = frame_of(data, Pulse).moved_ids
            index = int(np.searchsorted(moved, token_id))
            if index < len(moved) and moved[index] == token_id:
                yield step


def frame_of(data: bytes, kind: type[F]) -> F:
    """A record, decoded, which must be of that kind.

    Raises:
        FrameError: it is not.
    """
    frame = decode(data)
    if not isinstance(frame, kind):
        raise FrameError(f"a record is not a {kind.__name__.lower()}")
    return frame
