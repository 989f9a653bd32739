"""The embedding through all of a run: any step as a matrix, one token through the steps.

What moved in a step lies in `steps.sqlite`, as the trainer wrote it, or, some time later, in a tile
(`tiles.py`). It is dropped from the one only once it is in the other, so it is looked for in that order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import TracebackType
from typing import NamedTuple, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from lamplighter.runfolder.database import FormatError
from lamplighter.runfolder.folder import RunFolder
from lamplighter.runfolder.line import Line, attempt_at
from lamplighter.runfolder.snapshots import NoSnapshotError, Snapshot
from lamplighter.runfolder.steps import StepsReader
from lamplighter.runfolder.tiles import Stretch, TilesReader, on_line
from lamplighter.wire.frames import Floats, FrameError, Pulse, Rows, UInts, decode_as
from lamplighter.wire.tiles import Tile

_BATCH = 64
"""Steps read at once: bounds memory, and lets the WAL be checkpointed in between."""
_END = 0xFFFF_FFFF

T = TypeVar("T")


class TokenPath(NamedTuple):
    """One token through the steps whose embedding is known exactly."""

    steps: NDArray[np.int64]
    """Shape (N,), ascending; with gaps where steps were not kept."""
    vectors: Floats
    """Shape (N, D): the token's row after each of them."""


class History:
    """Reads the embedding of a run, live or finished. Not for several threads."""

    def __init__(self, run: RunFolder) -> None:
        """Open the run's record.

        Raises:
            FileNotFoundError: the run has not begun.
            FormatError: this version cannot read it.
        """
        self._run = run
        self.steps = StepsReader(run.steps_path)
        self._tiles: TilesReader | None = None
        self._stretches: tuple[int, list[Stretch]] = (-1, [])

    def close(self) -> None:
        """Close the files: a finished one can be sealed only when nobody is connected."""
        self.steps.close()
        if self._tiles is not None:
            self._tiles.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def exact_steps(self) -> NDArray[np.int64]:
        """The steps whose matrix rebuilds bit for bit, ascending, shape (N,)."""
        return self._on_one_line(lambda line: np.flatnonzero(self._kept(line).exact))

    def exact(self, step: int) -> bool:
        """Whether the matrix of a step rebuilds bit for bit."""
        return self._on_one_line(lambda line: bool(self._kept(line).exact[step : step + 1].any()))

    def tiled(self, step: int) -> bool:
        """Whether what moved in a step is in tiles."""
        return self._stretch(self.steps.line(), step) is not None

    def stretches(self) -> list[Stretch]:
        """The stretches in tiles that count, cut where an attempt was superseded, ascending."""
        return self._counting(self.steps.line())

    def snapshot(self, step: int, *, nearest: bool = False) -> Snapshot:
        """The embedding after `step`, bit for bit.

        Costs a keyframe and what moved since it.

        Args:
            step: 0 is before the first update.
            nearest: where `step` is not kept exactly, take the newest before it that is.

        Raises:
            NoSnapshotError: the step was not kept exactly, or has not happened.
        """
        return self._on_one_line(lambda line: self._snapshot(line, step, nearest))

    def snapshots(self, first: int, last: int, every: int = 1) -> Iterator[Snapshot]:
        """The embedding after steps `first`, `first + every`, ... up to `last`, each the caller's own.

        Each costs what moved since the one before, not a whole rebuild. Reads as it goes: memory is one matrix
        and the moves of one stretch.

        Raises:
            NoSnapshotError: a step was not kept exactly, or has not happened; those before it were given.
        """
        walk: _Walk | None = None
        for step in range(first, last + 1, every):
            line = self.steps.line()
            if walk is None or walk.line != line or not self._walk(walk, step):
                walk = _Walk(line, self.snapshot(step))
            yield Snapshot(attempt_at(line, step), step, self._time(step), walk.vectors.copy())

    def path(self, token_id: int, first: int = 0, last: int | None = None) -> TokenPath:
        """One row after every exact step from `first` to `last` (None: the newest), inclusive.

        No matrix is rebuilt: of each stretch one tile is read; where there are none yet, the moved rows of the
        steps that moved the token. Memory is the result's, N x D numbers.

        Raises:
            NoSnapshotError: nothing was kept in that range.
        """
        return self._on_one_line(
            lambda line: self._path(line, token_id, first, _END if last is None else last)
        )

    def _on_one_line(self, read: Callable[[Line], T]) -> T:
        """Read; again where a new attempt began meanwhile, since that could mix two lines, and where something
        was not found any more because it had just gone from the one file to the other."""
        while True:
            line, tiled = self.steps.line(), self._counting(self.steps.line())
            try:
                found = read(line)
            except (LookupError, ValueError) as error:
                if self.steps.line() == line and self._counting(line) == tiled:
                    if isinstance(error, NoSnapshotError | ValueError):
                        raise
                    raise FormatError(f"the steps and their tiles do not fit together: {error}") from error
                continue
            if self.steps.line() == line:
                return found

    # A matrix

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
            stretch = self._stretch(line, at)
            if stretch is None:
                return step
            at = stretch.first - 1
        return after

    def _retreat(self, line: Line, vectors: Floats, at: int, to: int) -> int:
        """Move a matrix back from step `at` to `to` through tiles, in place. Returns `to`."""
        while at > to:
            stretch = self._stretch(line, at)
            if stretch is None or self._tiles is None:
                raise LookupError(f"step {at} is not in tiles any more")
            reached = max(to, stretch.first - 1)
            for tile in self._tiles.tiles(stretch.id):
                tile.advance(vectors, at, reached)
            at = reached
        return to

    def _advance(self, line: Line, vectors: Floats, at: int, to: int) -> int:
        """Move a matrix on from step `at` towards `to`, in place. Returns the step reached."""
        while at < to:
            reached = self._apply_rows(vectors, at, to)
            if reached == at:
                stretch = self._stretch(line, at + 1)
                if stretch is None or self._tiles is None:
                    return at
                reached = min(to, stretch.last)
                for tile in self._whole(self._tiles, stretch, vectors):
                    tile.advance(vectors, at, reached)
            at = reached
        return at

    def _apply_rows(self, vectors: Floats, at: int, to: int) -> int:
        """The same by the rows that `steps.sqlite` still has, a batch at most."""
        if not self.steps.rows_steps(at + 1, at + 1):
            return at
        for step, data in self.steps.rows(at + 1, to, limit=_BATCH):
            if step != at + 1:
                break
            rows = decode_as(data, Rows)
            vectors[rows.token_ids] = rows.vectors
            at = step
        return at

    def _walk(self, walk: _Walk, to: int) -> bool:
        """Move a walk on to a later step. False where the way there is not kept."""
        while walk.at < to:
            if walk.has(walk.at + 1):
                walk.go(to)
                continue
            reached = self._apply_rows(walk.vectors, walk.at, to)
            if reached == walk.at:
                stretch = self._stretch(walk.line, walk.at + 1)
                if stretch is None or self._tiles is None:
                    return False
                before = walk.vectors
                if stretch.first <= walk.at:
                    before = self._snapshot(walk.line, stretch.first - 1, nearest=False).vectors
                walk.unpack(
                    stretch, [tile.moves(before) for tile in self._whole(self._tiles, stretch, before)]
                )
                continue
            walk.at = reached
        return True

    def _time(self, step: int) -> float:
        pulses = self.steps.pulses_of([step])
        if pulses:
            return decode_as(pulses[0][1], Pulse).time
        found = self.steps.keyframe(step)
        return decode_as(found[1], Rows).time if found else 0.0

    # A row

    def _path(self, line: Line, token_id: int, first: int, last: int) -> TokenPath:
        kept = self._kept(line)
        exact = np.flatnonzero(kept.exact)
        exact = exact[(exact >= first) & (exact <= last)]
        if not len(exact):
            raise NoSnapshotError(first, None)
        at = int(np.flatnonzero(kept.key[: exact[0] + 1])[-1])
        to = int(exact[-1])
        steps: list[NDArray[np.integer]] = [np.array([at])]
        vectors: list[Floats] = [self.steps.keyframe_row(at, token_id)[None]]
        while at < to:
            reached, (when, where) = self._moves(line, token_id, vectors[-1][-1], at, to, kept)
            if reached == at:
                at = int(np.flatnonzero(kept.key[at + 1 :])[0]) + at + 1
                when, where = np.array([at]), self.steps.keyframe_row(at, token_id)[None]
                reached = at
            if len(when):
                steps.append(when)
                vectors.append(where)
            at = reached
        anchors, rows = np.concatenate(steps), np.concatenate(vectors)
        return TokenPath(exact, rows[np.searchsorted(anchors, exact, side="right") - 1])

    def _moves(
        self, line: Line, token_id: int, vector: Floats, at: int, to: int, kept: _Kept
    ) -> tuple[int, tuple[NDArray[np.integer], Floats]]:
        """One row's moves after step `at`: how far they are known at one go, when and where to."""
        stretch = self._stretch(line, at + 1)
        if stretch is not None and self._tiles is not None:
            tile = self._tiles.tile(stretch.id, token_id)
            if tile is None or not 0 <= token_id - tile.first_token < tile.tokens or tile.dim != len(vector):
                raise FormatError(
                    f"tiles.sqlite: the tiles of steps {stretch.first} to {stretch.last} are not complete"
                )
            when, where = tile.path(token_id, vector, at)
            counted = int(np.searchsorted(when, min(to, stretch.last), side="right"))
            return min(to, stretch.last), (when[:counted], where[:counted])
        alone = kept.rows[at + 1 : to + 1] & ~kept.tiled[at + 1 : to + 1]
        end = at + (int(np.argmin(alone)) if not alone.all() else len(alone))
        moved = list(self._pulses_with(token_id, at + 1, end)) if end > at else []
        found: list[tuple[int, Floats]] = []
        for start in range(0, len(moved), _BATCH):
            for step, data in self.steps.rows_of(moved[start : start + _BATCH]):
                rows = decode_as(data, Rows)
                index = int(np.searchsorted(rows.token_ids, token_id))
                if index == len(rows.token_ids) or rows.token_ids[index] != token_id:
                    raise FrameError(f"step {step} moved row {token_id} and did not keep it")
                found.append((step, rows.vectors[index].copy()))
        if len(found) < len(moved):
            raise LookupError(f"rows of steps {at + 1} to {end} are not there any more")
        when = np.array([step for step, _ in found], dtype=np.int64)
        return end, (when, np.stack([row for _, row in found]) if found else vector[None][:0])

    def _pulses_with(self, token_id: int, first: int, last: int) -> Iterator[int]:
        """The steps in which a token's row moved."""
        while batch := self.steps.pulses(first, last, limit=_BATCH):
            first = batch[-1][0] + 1
            for step, data in batch:
                moved = decode_as(data, Pulse).moved_ids
                index = int(np.searchsorted(moved, token_id))
                if index < len(moved) and moved[index] == token_id:
                    yield step

    # What is kept where

    def _kept(self, line: Line) -> _Kept:
        last = self.steps.last()[1]
        kept = _Kept(*(np.zeros(last + 1, dtype=bool) for _ in range(3)))
        kept.key[[step for _, step in self.steps.keyframe_steps() if step <= last]] = True
        kept.rows[self.steps.rows_steps(1, last)] = True
        # Afterwards: what was dropped from the one by now is in the other.
        for stretch in self._counting(line):
            kept.tiled[stretch.first : stretch.last + 1] = True
        return kept

    def _whole(self, reader: TilesReader, stretch: Stretch, vectors: Floats) -> Iterator[Tile]:
        """The tiles of a stretch, seen to cover every row once: without one of them other vectors would come out."""
        covered = 0
        for tile in reader.tiles(stretch.id):
            fits = (tile.attempt, tile.first_step, tile.first_token) == (
                stretch.attempt,
                stretch.first,
                covered,
            )
            covered += tile.tokens
            if not fits or tile.last_step < stretch.last or tile.dim != vectors.shape[1]:
                raise FormatError(
                    f"tiles.sqlite: a tile of steps {stretch.first} to {stretch.last} is of others"
                )
            if covered > len(vectors):
                break
            yield tile
        if covered != len(vectors):
            raise FormatError(
                f"tiles.sqlite: the tiles of steps {stretch.first} to {stretch.last} are not complete"
            )

    def _stretch(self, line: Line, step: int) -> Stretch | None:
        """The stretch that holds what moved in a step."""
        return next((s for s in self._counting(line) if s.first <= step <= s.last), None)

    def _counting(self, line: Line) -> list[Stretch]:
        if self._tiles is None:
            try:
                self._tiles = TilesReader(self._run.tiles_path)
            except FileNotFoundError:
                return []
        version = self._tiles.version()
        if version != self._stretches[0]:
            self._stretches = version, self._tiles.stretches()
        return on_line(self._stretches[1], line)


class _Kept(NamedTuple):
    """By step, shape (S + 1,): whether there is a keyframe, moved rows, a tile."""

    key: NDArray[np.bool_]
    rows: NDArray[np.bool_]
    tiled: NDArray[np.bool_]

    @property
    def exact(self) -> NDArray[np.bool_]:
        """Whether a step rebuilds: no hole since the last keyframe."""
        number = np.arange(len(self.key))
        last_key = np.maximum.accumulate(np.where(self.key, number, -1))
        hole = ~(self.key | self.rows | self.tiled)
        last_hole = np.maximum.accumulate(np.where(hole, number, -1))
        return last_key > last_hole


class _Walk:
    """A matrix on its way through the steps, and the unpacked moves of the stretch it is in."""

    def __init__(self, line: Line, start: Snapshot) -> None:
        self.line, self.at, self.vectors = line, start.step, start.vectors
        self._first, self._last = 1, 0
        self._ids: UInts = np.empty(0, dtype=np.uint32)
        self._steps: UInts = self._ids
        self._rows: Floats = np.empty((0, 0), dtype=np.float32)

    def has(self, step: int) -> bool:
        """Whether a step is in the stretch that is unpacked."""
        return self._first <= step <= self._last

    def unpack(self, stretch: Stretch, tiles: list[tuple[UInts, UInts, Floats]]) -> None:
        """Take up the moves of another stretch: ids, steps and vectors, tile by tile."""
        ids, steps, rows = (np.concatenate(parts) for parts in zip(*tiles, strict=True))
        order = np.argsort(steps, kind="stable")
        self._ids, self._steps, self._rows = ids[order], steps[order], rows[order]
        self._first, self._last = stretch.first, stretch.last

    def go(self, to: int) -> None:
        """Move on within the stretch, to `to` or its end."""
        to = min(to, self._last)
        first, last = np.searchsorted(self._steps, [self.at, to], side="right")
        # Sorted by step: where a row moved several times, the last one stays.
        self.vectors[self._ids[first:last]] = self._rows[first:last]
        self.at = to
