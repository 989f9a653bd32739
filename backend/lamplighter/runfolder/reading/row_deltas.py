"""Row deltas: the moved rows of each step, first in `steps.sqlite`, later in tiles; and the vectors and gradients of one
token over the steps, read from them without rebuilding a matrix.

Rows are dropped from `steps.sqlite` only once they are in tiles, so look them up in that order.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lamplighter.runfolder.errors import FormatError, NoSnapshotError
from lamplighter.runfolder.lineage import LAST_STEP, Lineage
from lamplighter.runfolder.loop_facts import KEPT_ROWS_FACT
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.runfolder.tables.tiles import Stretch, TilesReader, clip_to_lineage
from lamplighter.wire.binary import Floats, FrameError, UInts
from lamplighter.wire.frames import decode_as
from lamplighter.wire.pulse_frames import Pulse
from lamplighter.wire.row_frames import Rows
from lamplighter.wire.tile_frames import Tile

Steps = NDArray[np.int64]
"""Step numbers, shape (N,)."""


@dataclass(frozen=True, eq=False)
class StepSet:
    """A set of steps, as ascending ranges that neither overlap nor adjoin."""

    firsts: Steps
    """The first step of each range, shape (R,)."""
    lasts: Steps
    """The last step of each range, inclusive, shape (R,)."""

    @staticmethod
    def of_steps(steps: Steps) -> StepSet:
        """Return the set of the given steps, which must be strictly ascending."""
        breaks = np.flatnonzero(np.diff(steps) != 1)
        return StepSet(
            steps[np.concatenate(([0], breaks + 1))] if len(steps) else steps,
            steps[np.append(breaks, len(steps) - 1)] if len(steps) else steps,
        )

    @staticmethod
    def of_ranges(firsts: Steps, lasts: Steps) -> StepSet:
        """Return the union of ranges, which may overlap and be in any order."""
        order = np.argsort(firsts, kind="stable")
        firsts, reached = firsts[order], np.maximum.accumulate(lasts[order])
        begins = np.flatnonzero(np.append(True, firsts[1:] > reached[:-1] + 1)[: len(firsts)])
        ends = np.append(begins[1:], len(firsts))[: len(begins)] - 1
        return StepSet(firsts[begins], reached[ends])

    def __or__(self, other: StepSet) -> StepSet:
        return StepSet.of_ranges(
            np.concatenate((self.firsts, other.firsts)), np.concatenate((self.lasts, other.lasts))
        )

    def clip(self, first: int, last: int) -> StepSet:
        low, high = np.searchsorted(self.lasts, first), np.searchsorted(self.firsts, last, side="right")
        return StepSet(np.maximum(self.firsts[low:high], first), np.minimum(self.lasts[low:high], last))

    def first_at_or_after(self, step: int) -> int | None:
        index = int(np.searchsorted(self.lasts, step))
        return max(step, int(self.firsts[index])) if index < len(self.firsts) else None

    def end_of_range(self, step: int) -> int:
        """Return the last step of the range that contains `step`; `step - 1` if no range does."""
        index = int(np.searchsorted(self.lasts, step))
        found = index < len(self.firsts) and self.firsts[index] <= step
        return int(self.lasts[index]) if found else step - 1

    def to_array(self) -> Steps:
        """Return the steps, ascending, shape (N,)."""
        counts = self.lasts - self.firsts + 1
        steps = np.arange(int(counts.sum()), dtype=np.int64)
        steps += np.repeat(self.firsts - (np.cumsum(counts) - counts), counts)
        return steps


BATCH = 64
"""Steps read at a time: bounds memory, and lets the WAL be checkpointed in between."""


class StepCoverage(NamedTuple):
    """The steps of a run with a keyframe, with moved rows, and with tiles."""

    keyframes: Steps
    """Ascending, shape (K,)."""
    rows: StepSet
    tiled: StepSet

    @property
    def exact(self) -> StepSet:
        """Return the steps whose matrix can be rebuilt: those without a gap since the last keyframe."""
        known = StepSet.of_steps(self.keyframes) | self.rows | self.tiled
        # Within a range without gaps, matrices are known from its first keyframe on.
        index = np.searchsorted(self.keyframes, known.firsts)
        first_keyframe = np.append(self.keyframes, LAST_STEP + 1)[index]
        rebuilt = first_keyframe <= known.lasts
        return StepSet(first_keyframe[rebuilt], known.lasts[rebuilt])


class RowDeltas:
    """A reader of a run's moved rows, in either file. Not thread-safe."""

    def __init__(self, run: RunFolder, steps: StepsReader) -> None:
        self.steps = steps
        self._run = run
        self._tiles: TilesReader | None = None
        self._stretches: tuple[int, list[Stretch]] = (-1, [])

    def close(self) -> None:
        """Close the tiles; the caller closes the reader of the steps."""
        if self._tiles is not None:
            self._tiles.close()

    def coverage(self, lineage: Lineage) -> StepCoverage:
        """Return which steps have a keyframe, moved rows, or tiles."""
        last = self.steps.newest_step()[1]
        keyframes = np.array([step for _, step in self.steps.keyframe_steps() if step <= last], np.int64)
        rows = StepSet.of_steps(self.steps.numbers_in("rows", 1, last))
        # Read the tiles last: they hold any rows dropped from `steps.sqlite` during the read.
        stretches = self.stretches_on(lineage)
        ends = (np.array([getattr(one, name) for one in stretches], np.int64) for name in ("first", "last"))
        return StepCoverage(keyframes, rows, StepSet.of_ranges(*ends).clip(0, last))

    def apply_rows(self, vectors: Floats, from_step: int, to_step: int) -> int:
        """Advance a matrix from `from_step` towards `to_step`, in place, with rows still in `steps.sqlite`.

        Applies at most one batch of steps. Return the step reached.
        """
        if not self.steps.steps_with_rows(from_step + 1, from_step + 1):
            return from_step
        for step, data in self.steps.rows(from_step + 1, to_step, limit=BATCH):
            if step != from_step + 1:
                break
            rows = decode_as(data, Rows)
            vectors[rows.token_ids] = rows.vectors
            from_step = step
        return from_step

    def tiles_of(self, stretch: Stretch, vectors: Floats) -> Iterator[Tile]:
        """Yield the tiles of a stretch, checking that they cover every row once. A missing tile would
        silently leave wrong vectors. Raises FormatError if a tile is missing, or does not belong to the
        stretch.
        """
        covered = 0
        for tile in self._tiles_reader().tiles(stretch.id):
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

    def tile_with(self, stretch: Stretch, token_id: int, dim: int) -> Tile:
        """Return the tile of a stretch that contains a token. Raises FormatError if there is no such tile, or
        its width differs.
        """
        tile = self._tiles_reader().tile(stretch.id, token_id)
        if tile is None or not 0 <= token_id - tile.first_token < tile.tokens or tile.dim != dim:
            raise FormatError(
                f"tiles.sqlite: the tiles of steps {stretch.first} to {stretch.last} are not complete"
            )
        return tile

    def stretch_at(self, lineage: Lineage, step: int) -> Stretch | None:
        """Return the tiled stretch that contains a step; None if the step is not tiled."""
        return next((s for s in self.stretches_on(lineage) if s.first <= step <= s.last), None)

    def stretches_on(self, lineage: Lineage) -> list[Stretch]:
        """Return the tiled stretches on the lineage, cut where an attempt was superseded, ascending."""
        try:
            tiles = self._tiles_reader()
        except FileNotFoundError:
            return []
        version = tiles.version()
        if version != self._stretches[0]:
            self._stretches = version, tiles.stretches()
        return clip_to_lineage(self._stretches[1], lineage)

    def _tiles_reader(self) -> TilesReader:
        if self._tiles is None:
            self._tiles = TilesReader(self._run.tiles_path)
        return self._tiles


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
