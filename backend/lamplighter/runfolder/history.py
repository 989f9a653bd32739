"""The embedding through all of a run: any step as a matrix, one token through the steps."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from lamplighter.runfolder.database import FormatError
from lamplighter.runfolder.folder import RunFolder
from lamplighter.runfolder.line import Line, attempt_at
from lamplighter.runfolder.movedrows import MovedRows
from lamplighter.runfolder.paths import TokenPath, token_path
from lamplighter.runfolder.snapshots import NoSnapshotError, Snapshot
from lamplighter.runfolder.steps import StepsReader
from lamplighter.runfolder.tiles import Stretch
from lamplighter.runfolder.walk import Walk
from lamplighter.wire.frames import Floats, Pulse, Rows, decode_as

_END = 0xFFFF_FFFF

T = TypeVar("T")


class History:
    """Reads the embedding of a run, live or finished. Not for several threads."""

    def __init__(self, run: RunFolder) -> None:
        """Open the run's record.

        Raises:
            FileNotFoundError: the run has not begun.
            FormatError: this version cannot read it.
        """
        self.steps = StepsReader(run.steps_path)
        self._moved = MovedRows(run, self.steps)

    def close(self) -> None:
        """Close the files: a finished one can be sealed only when nobody is connected."""
        self.steps.close()
        self._moved.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def exact_steps(self) -> NDArray[np.int64]:
        """The steps whose matrix rebuilds bit for bit, ascending, shape (N,)."""
        return self._on_one_line(lambda line: np.flatnonzero(self._moved.kept(line).exact))

    def exact(self, step: int) -> bool:
        """Whether the matrix of a step rebuilds bit for bit."""
        return self._on_one_line(lambda line: bool(self._moved.kept(line).exact[step : step + 1].any()))

    def tiled(self, step: int) -> bool:
        """Whether what moved in a step is in tiles."""
        return self._moved.stretch(self.steps.line(), step) is not None

    def stretches(self) -> list[Stretch]:
        """The stretches in tiles that count, cut where an attempt was superseded, ascending."""
        return self._moved.stretches(self.steps.line())

    def snapshot(self, step: int, *, nearest: bool = False) -> Snapshot:
        """The embedding after `step`, bit for bit.

        Costs a keyframe and what moved since it.

        Args:
            step: 0 is before the first update.
            nearest: where `step` is not kept exactly, take the newest before it that is.

        Raises:
            NoSnapshotError: the step was not kept exactly, or has not happened.
        """
        # numpy's integers have a width of their own: differences of them would wrap.
        at = operator.index(step)
        return self._on_one_line(lambda line: self._snapshot(line, at, nearest))

    def snapshots(self, first: int, last: int, every: int = 1) -> Iterator[Snapshot]:
        """The embedding after steps `first`, `first + every`, ... up to `last`, each the caller's own.

        Each costs what moved since the one before, not a whole rebuild. Reads as it goes: memory is one matrix
        and the moves of one stretch.

        Raises:
            NoSnapshotError: a step was not kept exactly, or has not happened; those before it were given.
        """
        walk: Walk | None = None
        for step in range(first, last + 1, every):
            line = self.steps.line()
            if walk is None or walk.line != line or not self._walk(walk, step):
                walk = Walk(line, self.snapshot(step))
            yield Snapshot(attempt_at(line, step), step, self._time(step), walk.vectors.copy())

    def path(self, token_id: int, first: int = 0, last: int | None = None) -> TokenPath:
        """One row after every exact step from `first` to `last` (None: the newest), inclusive.

        No matrix is rebuilt: of each stretch one tile is read; where there are none yet, the moved rows of the
        steps that moved the token. Memory is the result's, N x D numbers.

        Raises:
            NoSnapshotError: nothing was kept in that range.
        """
        row, start, end = (operator.index(n) for n in (token_id, first, _END if last is None else last))
        return self._on_one_line(lambda line: token_path(self._moved, line, row, start, end))

    def _on_one_line(self, read: Callable[[Line], T]) -> T:
        """Read; again where a new attempt began meanwhile, since that could mix two lines, and where something
        was not found any more because it had just gone from the one file to the other."""
        while True:
            line, tiled = self.steps.line(), self._moved.stretches(self.steps.line())
            try:
                found = read(line)
            except (LookupError, ValueError) as error:
                if self.steps.line() == line and self._moved.stretches(line) == tiled:
                    if isinstance(error, NoSnapshotError | ValueError):
                        raise
                    raise FormatError(f"the steps and their tiles do not fit together: {error}") from error
                continue
            if self.steps.line() == line:
                return found

    def _snapshot(self, line: Line, step: int, nearest: bool) -> Snapshot:
        found = self.steps.keyframe(self._nearer_keyframe(line, step))
        if found is None:
            raise NoSnapshotError(step, None)
        at, record, _ = found
        start = decode_as(record, Rows)
        vectors = start.vectors.copy()
        if at > step:
            reached = self._retreat(line, vectors, at, step)
        else:
            reached = self._advance(line, vectors, at, min(step, self.steps.last()[1]))
        if reached < step and not nearest:
            raise NoSnapshotError(step, reached)
        time = start.time if reached == at else self._time(reached)
        return Snapshot(attempt_at(line, reached), reached, time, vectors)

    def _nearer_keyframe(self, line: Line, step: int) -> int:
        """A step whose newest keyframe is the best to begin from: `step`, or a later one that is nearer."""
        before, after = self.steps.keyframe_step(step), self.steps.keyframe_after(step)
        if before is None or after is None or after - step >= step - before:
            return step
        # Back is only a way through tiles: each knows how its rows were before it.
        at = after
        while at > step:
            stretch = self._moved.stretch(line, at)
            if stretch is None:
                return step
            at = stretch.first - 1
        return after

    def _retreat(self, line: Line, vectors: Floats, at: int, to: int) -> int:
        """Move a matrix back from step `at` to `to` through tiles, in place. Returns `to`."""
        while at > to:
            stretch = self._moved.stretch(line, at)
            if stretch is None:
                raise LookupError(f"step {at} is not in tiles any more")
            reached = max(to, stretch.first - 1)
            for tile in self._moved.tiles(stretch, vectors):
                tile.advance(vectors, at, reached)
            at = reached
        return to

    def _advance(self, line: Line, vectors: Floats, at: int, to: int) -> int:
        """Move a matrix on from step `at` towards `to`, in place. Returns the step reached."""
        while at < to:
            reached = self._moved.apply(vectors, at, to)
            if reached == at:
                stretch = self._moved.stretch(line, at + 1)
                if stretch is None:
                    return at
                reached = min(to, stretch.last)
                for tile in self._moved.tiles(stretch, vectors):
                    tile.advance(vectors, at, reached)
            at = reached
        return at

    def _walk(self, walk: Walk, to: int) -> bool:
        """Move a walk on to a later step. False where the way there is not kept."""
        while walk.at < to:
            if walk.has(walk.at + 1):
                walk.go(to)
                continue
            reached = self._moved.apply(walk.vectors, walk.at, to)
            if reached == walk.at:
                stretch = self._moved.stretch(walk.line, walk.at + 1)
                if stretch is None:
                    return False
                before = walk.vectors
                if stretch.first <= walk.at:
                    before = self._snapshot(walk.line, stretch.first - 1, nearest=False).vectors
                walk.unpack(stretch, [tile.moves(before) for tile in self._moved.tiles(stretch, before)])
                continue
            walk.at = reached
        return True

    def _time(self, step: int) -> float:
        pulses = self.steps.pulses_of([step])
        if pulses:
            return decode_as(pulses[0][1], Pulse).time
        found = self.steps.keyframe(step)
        return decode_as(found[1], Rows).time if found else 0.0
