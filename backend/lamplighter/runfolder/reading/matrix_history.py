"""The embedding throughout a run: the matrix at any step, one token over all steps, and the newest matrix of a live run."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Iterator
from typing import Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from lamplighter.runfolder.errors import FormatError, NoSnapshotError
from lamplighter.runfolder.lineage import LAST_STEP, Lineage
from lamplighter.runfolder.matrices.stored_matrix import StoredMatrix
from lamplighter.runfolder.reading.row_deltas import RowDeltas, TokenHistory, kept_steps, read_token_history
from lamplighter.runfolder.reading.snapshot import OpenSnapshot, Snapshot, read_time
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.step_numbers import read_step_numbers
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.runfolder.tables.tiles import Stretch
from lamplighter.wire.binary import Floats, UInts
from lamplighter.wire.frames import decode_as
from lamplighter.wire.row_frames import Rows

T = TypeVar("T")


class MatrixHistory:
    """A reader of a run's embedding, live or finished. Not thread-safe."""

    def __init__(self, run: RunFolder) -> None:
        """Open the run's record. Raises FileNotFoundError if the run has not started, FormatError if this
        version cannot read the record.
        """
        self.steps = StepsReader(run.steps_path)
        self._deltas = RowDeltas(run, self.steps)

    def close(self) -> None:
        """Close the files: a finished file can be sealed only while no connection is open."""
        self.steps.close()
        self._deltas.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def exact_steps(self) -> NDArray[np.int64]:
        """Return the steps whose matrix can be rebuilt bit for bit, ascending, shape (N,)."""
        return self._on_stable_lineage(lambda lineage: self._deltas.coverage(lineage).exact.to_array())

    def steps_of_rows(
        self, exact: NDArray[np.int64], token_ids: Iterable[int], last: int
    ) -> NDArray[np.int64]:
        """Return the steps up to `last` after which the rows of these tokens are known exactly: those of `exact`, and those for
        which the rows themselves are kept. Ascending, shape (N,)."""
        return np.union1d(exact, kept_steps(self.steps, token_ids, 0, last))

    def is_exact(self, step: int) -> bool:
        return self._on_stable_lineage(
            lambda lineage: self._deltas.coverage(lineage).exact.end_of_range(step) >= step
        )

    def is_tiled(self, step: int) -> bool:
        return self._deltas.stretch_at(self.steps.lineage(), step) is not None

    def stretches(self) -> list[Stretch]:
        """Return the tiled stretches on the lineage, cut where an attempt was superseded, ascending."""
        return self._deltas.stretches_on(self.steps.lineage())

    def snapshot(self, step: int, *, nearest: bool = False) -> Snapshot:
        """Rebuild the embedding after `step`, bit for bit; step 0 is the state before the first update. With
        `nearest`, use the newest exact step before it if `step` was not kept exactly.

        Reads one keyframe and the moves between it and `step`. Raises NoSnapshotError if the step was not
        kept exactly, or has not happened, MatrixTooLargeError if it lies in a file of its own and is too
        large to be read whole: see `open_snapshot`.
        """
        # Differences of numpy integers would wrap.
        asked_step = operator.index(step)
        return self._on_stable_lineage(lambda lineage: self._snapshot(lineage, asked_step, nearest))

    def open_snapshot(self, step: int, *, nearest: bool = False) -> Snapshot | OpenSnapshot:
        """Return what `snapshot` does; but if the matrix lies in a file of its own, without reading it."""
        asked_step = operator.index(step)
        found = self._on_stable_lineage(
            lambda _: self.steps.keyframe(min(asked_step, self.steps.newest_step()[1]))
        )
        if found is None or not isinstance(found.vectors, StoredMatrix):
            return self.snapshot(step, nearest=nearest)
        # Every state of such a run is a keyframe.
        if found.step < asked_step and not nearest:
            raise NoSnapshotError(asked_step, found.step)
        return OpenSnapshot(found.attempt, found.step, found.time, found.vectors)

    def snapshots(self, first: int, last: int, every: int = 1) -> Iterator[Snapshot]:
        """Yield the embedding after steps `first`, `first + every`, ... up to `last`; each is a copy. Each
        reads only the moves since the previous one. Memory is one matrix and the moves of one stretch.
        Raises NoSnapshotError if a step was not kept exactly, or has not happened; the earlier ones were
        yielded.
        """
        cursor: MatrixCursor | None = None
        for step in range(first, last + 1, every):
            lineage = self.steps.lineage()
            if cursor is None or cursor.lineage != lineage or not self._advance_cursor(cursor, step):
                cursor = MatrixCursor(lineage, self.snapshot(step))
            yield Snapshot(lineage.attempt_at(step), step, self._time_of(step), cursor.vectors.copy())

    def token_history(self, token_id: int, first: int = 0, last: int | None = None) -> TokenHistory:
        """Read one row after every step from `first` to `last` (None: the newest), inclusive, after which it
        is known exactly.

        Rebuilds no matrix: reads one tile per stretch and, for steps without tiles, the moved rows of the
        token. Memory is that of the result, N x D numbers. Raises NoSnapshotError if no step was kept
        exactly in that range.
        """
        row, start, end = (operator.index(n) for n in (token_id, first, LAST_STEP if last is None else last))
        return self._on_stable_lineage(
            lambda lineage: read_token_history(self._deltas, lineage, row, start, end)
        )

    def _on_stable_lineage(self, read: Callable[[Lineage], T]) -> T:
        """Call `read` with the lineage; retry if a new attempt or new tiles interfered."""
        return Lineage.stable(self.steps, lambda lineage: self._on_stable_tiles(lineage, read))

    def _on_stable_tiles(self, lineage: Lineage, read: Callable[[Lineage], T]) -> T:
        """Call `read`; retry if a lookup failed because rows moved to the other file, or a keyframe was dropped."""
        while True:
            before = self._deltas.stretches_on(lineage), self.steps.keyframe_steps()
            try:
                return read(lineage)
            except (LookupError, ValueError) as error:
                if (self._deltas.stretches_on(lineage), self.steps.keyframe_steps()) != before:
                    continue
                if isinstance(error, NoSnapshotError | ValueError):
                    raise
                raise FormatError(f"the steps and their tiles do not fit together: {error}") from error

    def _snapshot(self, lineage: Lineage, step: int, nearest: bool) -> Snapshot:
        found = self.steps.keyframe(self._nearest_keyframe_step(lineage, step))
        if found is None:
            raise NoSnapshotError(step, None)
        keyframe_step = found.step
        vectors = (
            found.vectors.read_whole(keyframe_step)
            if isinstance(found.vectors, StoredMatrix)
            else found.vectors.copy()
        )
        if keyframe_step > step:
            reached = self._retreat(lineage, vectors, keyframe_step, step)
        else:
            reached = self._advance(lineage, vectors, keyframe_step, min(step, self.steps.newest_step()[1]))
        if reached < step and not nearest:
            raise NoSnapshotError(step, reached)
        time = found.time if reached == keyframe_step else self._time_of(reached)
        return Snapshot(lineage.attempt_at(reached), reached, time, vectors)

    def _nearest_keyframe_step(self, lineage: Lineage, step: int) -> int:
        """Return the best step to start from: `step`, or the step of a nearer keyframe after it."""
        before, after = self.steps.keyframe_step(step), self.steps.keyframe_step_after(step)
        if before is None or after is None or after - step >= step - before:
            return step
        # Only tiles can be undone, since they hold differences, so all steps up to the keyframe must be tiled.
        reached = after
        while reached > step:
            stretch = self._deltas.stretch_at(lineage, reached)
            if stretch is None:
                return step
            reached = stretch.first - 1
        return after

    def _retreat(self, lineage: Lineage, vectors: Floats, step: int, to: int) -> int:
        """Move a matrix back from `step` to `to` through tiles, in place. Return `to`."""
        while step > to:
            stretch = self._deltas.stretch_at(lineage, step)
            if stretch is None:
                raise LookupError(f"step {step} is not in tiles any more")
            reached = max(to, stretch.first - 1)
            for tile in self._deltas.tiles_of(stretch, vectors):
                tile.move_rows(vectors, step, reached)
            step = reached
        return to

    def _advance(self, lineage: Lineage, vectors: Floats, step: int, to: int) -> int:
        """Advance a matrix from `step` towards `to`, in place. Return the step reached."""
        while step < to:
            reached = self._deltas.apply_rows(vectors, step, to)
            if reached == step:
                stretch = self._deltas.stretch_at(lineage, step + 1)
                if stretch is None:
                    return step
                reached = min(to, stretch.last)
                for tile in self._deltas.tiles_of(stretch, vectors):
                    tile.move_rows(vectors, step, reached)
            step = reached
        return step

    def _advance_cursor(self, cursor: MatrixCursor, to: int) -> bool:
        """Advance a matrix cursor to a later step. Return False if a step on the way was not kept."""
        while cursor.step < to:
            if cursor.covers(cursor.step + 1):
                cursor.advance_to(to)
                continue
            reached = self._deltas.apply_rows(cursor.vectors, cursor.step, to)
            if reached == cursor.step:
                stretch = self._deltas.stretch_at(cursor.lineage, cursor.step + 1)
                if stretch is None:
                    return False
                before = cursor.vectors
                if stretch.first <= cursor.step:
                    before = self._snapshot(cursor.lineage, stretch.first - 1, nearest=False).vectors
                cursor.load_stretch(
                    stretch, [tile.all_moves(before) for tile in self._deltas.tiles_of(stretch, before)]
                )
                continue
            cursor.step = reached
        return True

    def _time_of(self, step: int) -> float:
        if (time := read_time(self.steps, step)) is not None:
            return time
        found = self.steps.keyframe(step)
        return found.time if found else 0.0


class MatrixCursor:
    """The matrix at the current step, and the unpacked moves of the current stretch."""

    def __init__(self, lineage: Lineage, start: Snapshot) -> None:
        self.lineage, self.step, self.vectors = lineage, start.step, start.vectors
        self._first, self._last = 1, 0
        self._ids: UInts = np.empty(0, dtype=np.uint32)
        self._steps: UInts = self._ids
        self._rows: Floats = np.empty((0, 0), dtype=np.float32)

    def covers(self, step: int) -> bool:
        return self._first <= step <= self._last

    def load_stretch(self, stretch: Stretch, tiles: list[tuple[UInts, UInts, Floats]]) -> None:
        """Load the moves of another stretch: ids, steps and vectors of each tile."""
        ids, steps, rows = (np.concatenate(parts) for parts in zip(*tiles, strict=True))
        order = np.argsort(steps, kind="stable")
        self._ids, self._steps, self._rows = ids[order], steps[order], rows[order]
        self._first, self._last = stretch.first, stretch.last

    def advance_to(self, to: int) -> None:
        """Advance within the stretch, to step `to` or its end."""
        to = min(to, self._last)
        first, last = np.searchsorted(self._steps, [self.step, to], side="right")
        # Sorted by step, so that the last move of a row wins.
        self.vectors[self._ids[first:last]] = self._rows[first:last]
        self.step = to


def read_training_start(history: MatrixHistory, step: int) -> tuple[Snapshot | OpenSnapshot, int]:
    """Return the first matrix that is kept, and the number of training steps from it to `step`; of a record
    without numbers, that of recorded steps. Raises NoSnapshotError if no matrix is kept up to `step`.
    """
    exact = history.exact_steps()
    if not len(exact) or exact[0] > step:
        raise NoSnapshotError(step, None)
    first = int(exact[0])
    numbers = read_step_numbers(history.steps.facts())
    start, end = numbers.number_of(first), numbers.number_of(step)
    return history.open_snapshot(first), step - first if start is None or end is None else end - start


_BATCH = 64
"""Steps read at a time: bounds memory, and lets the WAL be checkpointed in between."""


class MatrixFollower:
    """The newest exact embedding of a run.

    Memory: the matrix and one batch of moved rows. `advance` takes the reader, since the position outlives a reader.
    """

    def __init__(self, run: RunFolder) -> None:
        self._run = run
        self.attempt = 0
        """The attempt of the current step; 0 before the first."""
        self.step = -1
        """The current step; -1 before the first."""
        self.time = 0.0
        """The end of the current step, Unix seconds."""
        self.vectors: NDArray[np.float32] | StoredMatrix = np.empty((0, 0), dtype=np.float32)
        """Shape (V, D). Changed in place: copy it to keep it past the next `advance`. A matrix in a file of its own is not
        read."""

    def advance(self, reader: StepsReader, *, to: int | None = None) -> bool:
        """Advance to the newest step that can be rebuilt exactly, not beyond step `to`.

        If moved rows are not kept (dense updates, an exhausted disk budget), that is a keyframe. If a new
        attempt supersedes the current step, restart from the last keyframe on the lineage. Returns whether
        the step or the attempt of the matrix has changed.
        """
        before = (self.attempt, self.step)
        Lineage.stable(reader, lambda lineage: self._advance_on(lineage, reader, to))
        return (self.attempt, self.step) != before and self.step >= 0

    def _advance_on(self, lineage: Lineage, reader: StepsReader, to: int | None) -> None:
        """Advance on a lineage. The matrix takes only reads during which the lineage stayed the same. Raises
        LineageChangedError if a new attempt began.
        """
        newest = reader.newest_step()[1]
        target = newest if to is None else min(to, newest)
        if not lineage.counts(self.attempt, self.step) or self.step > target:
            self.attempt, self.step = 0, -1
        key = reader.keyframe_step(target)
        if key is not None and key > self.step:
            found = reader.keyframe(key)
            lineage.require_current(reader)
            # Pruning may have dropped the keyframe between the two reads; its rows are in tiles then.
            if found is not None and found.step > self.step:
                vectors = found.vectors
                self.vectors = vectors if isinstance(vectors, StoredMatrix) else vectors.copy()
                self.attempt, self.step, self.time = found.attempt, found.step, found.time
        if isinstance(self.vectors, StoredMatrix):
            # Every state of such a run is a keyframe.
            return
        while 0 <= self.step < target:
            batch_end = self.step + _BATCH
            moved = reader.rows(self.step + 1, target, limit=_BATCH)
            lineage.require_current(reader)
            for step, data in moved:
                if step != self.step + 1:
                    break
                rows = decode_as(data, Rows)
                self.vectors[rows.token_ids] = rows.vectors
                self.attempt, self.step, self.time = rows.attempt, rows.step, rows.time
            if self.step < batch_end:
                # The target is reached, or rows are missing.
                break
        if 0 <= self.step < target and self._run.tiles_path.exists():
            self._advance_by_tiles(target, lineage)

    def _advance_by_tiles(self, target: int, lineage: Lineage) -> None:
        """Advance through tiles, for rows that `steps.sqlite` lacks. Raises LineageChangedError if a new
        attempt began.
        """
        with MatrixHistory(self._run) as history:
            if history.is_tiled(self.step + 1):
                found = history.snapshot(target, nearest=True)
                lineage.require_current(history.steps)
                self.vectors, self.attempt, self.step = found.vectors, found.attempt, found.step
                self.time = found.time
