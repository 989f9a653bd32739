"""Row deltas: the moved rows of each step, first in `steps.sqlite`, later in tiles.

Rows are dropped from `steps.sqlite` only once they are in tiles, so look them up in that order.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lamplighter.runfolder.errors import FormatError
from lamplighter.runfolder.lineage import LAST_STEP, Lineage
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.runfolder.tables.tiles import Stretch, TilesReader, clip_to_lineage
from lamplighter.wire.binary import Floats
from lamplighter.wire.frames import decode_as
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
