"""Where the moved rows of a step lie: in `steps.sqlite`, as the trainer wrote them, or, some time later, in tiles.

They are dropped from the one only once they are in the other, so they are looked for in that order.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lamplighter.runfolder.database import FormatError
from lamplighter.runfolder.folder import RunFolder
from lamplighter.runfolder.line import Line
from lamplighter.runfolder.steps import StepsReader
from lamplighter.runfolder.tiles import Stretch, TilesReader, on_line
from lamplighter.wire.frames import Floats, Rows, decode_as
from lamplighter.wire.tiles import Tile

BATCH = 64
"""Steps read at once: bounds memory, and lets the WAL be checkpointed in between."""


class Kept(NamedTuple):
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


class MovedRows:
    """Finds and reads the moved rows of one run. Not for several threads."""

    def __init__(self, run: RunFolder, steps: StepsReader) -> None:
        """Read those of `run`, whose steps are open."""
        self.steps = steps
        self._run = run
        self._tiles: TilesReader | None = None
        self._stretches: tuple[int, list[Stretch]] = (-1, [])

    def close(self) -> None:
        """Close the tiles; the steps are the caller's."""
        if self._tiles is not None:
            self._tiles.close()

    def kept(self, line: Line) -> Kept:
        """What there is of each step."""
        last = self.steps.last()[1]
        kept = Kept(*(np.zeros(last + 1, dtype=bool) for _ in range(3)))
        kept.key[[step for _, step in self.steps.keyframe_steps() if step <= last]] = True
        kept.rows[self.steps.rows_steps(1, last)] = True
        # Afterwards: what was dropped from the one by now is in the other.
        for stretch in self.stretches(line):
            kept.tiled[stretch.first : stretch.last + 1] = True
        return kept

    def apply(self, vectors: Floats, at: int, to: int) -> int:
        """Move a matrix on from step `at` towards `to`, in place, by the rows that `steps.sqlite` still has, a
        batch at most. Returns the step reached."""
        if not self.steps.rows_steps(at + 1, at + 1):
            return at
        for step, data in self.steps.rows(at + 1, to, limit=BATCH):
            if step != at + 1:
                break
            rows = decode_as(data, Rows)
            vectors[rows.token_ids] = rows.vectors
            at = step
        return at

    def tiles(self, stretch: Stretch, vectors: Floats) -> Iterator[Tile]:
        """The tiles of a stretch, seen to cover every row once: without one of them other vectors would come out."""
        covered = 0
        for tile in self._open().tiles(stretch.id):
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

    def tile(self, stretch: Stretch, token_id: int, dim: int) -> Tile:
        """The tile of a stretch that has a token.

        Raises:
            FormatError: there is none, or one of another width.
        """
        tile = self._open().tile(stretch.id, token_id)
        if tile is None or not 0 <= token_id - tile.first_token < tile.tokens or tile.dim != dim:
            raise FormatError(
                f"tiles.sqlite: the tiles of steps {stretch.first} to {stretch.last} are not complete"
            )
        return tile

    def stretch(self, line: Line, step: int) -> Stretch | None:
        """The stretch that holds what moved in a step."""
        return next((s for s in self.stretches(line) if s.first <= step <= s.last), None)

    def stretches(self, line: Line) -> list[Stretch]:
        """The stretches in tiles that count, cut where an attempt was superseded, ascending."""
        try:
            tiles = self._open()
        except FileNotFoundError:
            return []
        version = tiles.version()
        if version != self._stretches[0]:
            self._stretches = version, tiles.stretches()
        return on_line(self._stretches[1], line)

    def _open(self) -> TilesReader:
        if self._tiles is None:
            self._tiles = TilesReader(self._run.tiles_path)
        return self._tiles
