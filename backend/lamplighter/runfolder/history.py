"""The embedding through all of a run: any step as a matrix, one token through the steps."""

from __future__ import annotations

from collections.abc import Iterator
from types import TracebackType
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from lamplighter.runfolder.folder import RunFolder
from lamplighter.runfolder.snapshots import NoSnapshotError, Snapshot
from lamplighter.runfolder.steps import StepsReader
from lamplighter.wire.frames import Floats, Pulse, Rows, decode_as

_BATCH = 64
"""Steps read at once: bounds memory, and lets the WAL be checkpointed in between."""


class TokenPath(NamedTuple):
    """One token through the steps whose embedding is known exactly."""

    steps: NDArray[np.int64]
    """Shape (N,), ascending; with gaps where steps were not kept."""
    vectors: Floats
    """Shape (N, D): the token's row after each of them."""


class History:
    """Reads the embedding of a run, live or finished. Not for several threads; nothing is kept but open files."""

    def __init__(self, run: RunFolder) -> None:
        """Open the run's record.

        Raises:
            FileNotFoundError: the run has not begun.
            FormatError: this version cannot read it.
        """
        self.steps = StepsReader(run.steps_path)

    def close(self) -> None:
        """Close the files: a finished one can be sealed only when nobody is connected."""
        self.steps.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def exact_steps(self) -> NDArray[np.int64]:
        """The steps whose matrix rebuilds bit for bit, ascending, shape (N,)."""
        keys = {step for _, step in self.steps.keyframe_steps()}
        moved = set(self.steps.rows_steps(1, self.steps.last()[1]))
        exact: list[int] = []
        for step in sorted(keys | moved):
            if step in keys or (exact and exact[-1] == step - 1):
                exact.append(step)
        return np.array(exact, dtype=np.int64)

    def snapshot(self, step: int, *, nearest: bool = False) -> Snapshot:
        """The embedding after `step`, bit for bit.

        Args:
            step: 0 is before the first update.
            nearest: where `step` is not kept exactly, take the newest before it that is.

        Raises:
            NoSnapshotError: the step was not kept exactly, or has not happened.
        """
        found = self.steps.keyframe(step)
        if found is None:
            raise NoSnapshotError(step, None)
        at, record, _ = found
        start = decode_as(record, Rows)
        last = min(step, self.steps.last()[1])
        moved = self.steps.rows(at + 1, last, limit=max(1, last - at)) if last > at else []
        complete = at + next((i for i, (s, _) in enumerate(moved) if s != at + 1 + i), len(moved))
        if complete < step and not nearest:
            raise NoSnapshotError(step, complete)
        vectors = start.vectors.copy()
        attempt, time = start.attempt, start.time
        for _, data in moved[: complete - at]:
            rows = decode_as(data, Rows)
            vectors[rows.token_ids] = rows.vectors
            attempt, time = rows.attempt, rows.time
        return Snapshot(attempt, complete, time, vectors)

    def snapshots(self, first: int, last: int, every: int = 1) -> Iterator[Snapshot]:
        """The embedding after steps `first`, `first + every`, ... up to `last`, each the caller's own.

        Each costs what moved since the one before, not a whole rebuild. Reads as it goes: memory is one matrix.

        Raises:
            NoSnapshotError: a step was not kept exactly, or has not happened; those before it were given.
        """
        for step in range(first, last + 1, every):
            yield self.snapshot(step)

    def path(self, token_id: int, first: int = 0, last: int | None = None) -> TokenPath:
        """One row after every exact step from `first` to `last` (None: the newest), inclusive.

        No matrix is rebuilt. Memory is the result's, N x D numbers.

        Raises:
            NoSnapshotError: nothing was kept in that range.
        """
        found = self._path(token_id)
        kept = (found.steps >= first) & (found.steps <= (0xFFFF_FFFF if last is None else last))
        if not kept.any():
            raise NoSnapshotError(first, None)
        return TokenPath(found.steps[kept], found.vectors[kept])

    def _path(self, token_id: int) -> TokenPath:
        exact = self.exact_steps().tolist()
        if not exact:
            raise NoSnapshotError(0, None)
        rows_there = set(self.steps.rows_steps(1, exact[-1]))
        moves = [step for step in self._moves(token_id, exact[-1]) if step in rows_there]
        where: dict[int, Floats] = {}
        for start in range(0, len(moves), _BATCH):
            for step, data in self.steps.rows_of(moves[start : start + _BATCH]):
                rows = decode_as(data, Rows)
                at = int(np.searchsorted(rows.token_ids, token_id))
                if at < len(rows.token_ids) and rows.token_ids[at] == token_id:
                    where[step] = rows.vectors[at].copy()
        out: Floats | None = None
        for index, step in enumerate(exact):
            if index == 0 or exact[index - 1] != step - 1 or step not in rows_there:
                found = self.steps.keyframe(step)
                assert found is not None
                vector = decode_as(found[1], Rows).vectors[token_id]
            else:
                vector = where.get(step)
            if out is None:
                assert vector is not None
                out = np.empty((len(exact), len(vector)), dtype=np.float32)
            out[index] = out[index - 1] if vector is None else vector
        assert out is not None
        return TokenPath(np.array(exact, dtype=np.int64), out)

    def _moves(self, token_id: int, last: int) -> Iterator[int]:
        """The steps in which a token's row moved."""
        at = 1
        while batch := self.steps.pulses(at, last, limit=_BATCH):
            at = batch[-1][0] + 1
            for step, data in batch:
                moved = decode_as(data, Pulse).moved_ids
                index = int(np.searchsorted(moved, token_id))
                if index < len(moved) and moved[index] == token_id:
                    yield step
