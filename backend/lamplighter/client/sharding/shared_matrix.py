"""A table whose parts lie in several processes, as the first of them records it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from lamplighter.client.sharding.owned_part import OwnedPart
from lamplighter.client.sharding.step_part import Bytes
from lamplighter.wire.binary import Floats, UInts


class OwnRows:
    """The rows of this process, and which of them moved since the first process last got them: at first, all.

    `read` returns rows after the last comparison in host memory, shape (rows, own columns), by their places
    in the part.
    """

    def __init__(self, part: OwnedPart, read: Callable[[NDArray[np.intp]], Floats]) -> None:
        self.part, self._read = part, read
        self._stale = np.ones(part.rows, bool)

    def note_moved(self, ids: UInts) -> None:
        self._stale[ids - np.uint32(self.part.offset)] = True

    def note_all(self) -> None:
        self._stale[:] = True

    def own_vectors(self, ids: UInts) -> Floats:
        """Return rows after the last comparison, by their ids in the table, shape (ids, own columns)."""
        return self._read((ids - np.uint32(self.part.offset)).astype(np.intp))

    def take_stale(self) -> Bytes:
        """Return the stale rows as bytes, their ids before their numbers; they are stale no more."""
        rows = np.flatnonzero(self._stale)
        self._stale[:] = False
        ids = (rows + self.part.offset).astype(np.uint32)
        return np.concatenate([ids.view(np.uint8), _as_bytes(self._read(rows))])


class SharedMatrix:
    """The whole table, shape (V, D), in the host memory of the first process, as of the last recorded step.

    Of each step only those rows come at once that the record keeps. The others are collected when a snapshot
    needs them: `collect` returns the stale rows of each process, as bytes.
    """

    def __init__(
        self, shape: tuple[int, int], parts: Sequence[OwnedPart], collect: Callable[[], list[Bytes]]
    ) -> None:
        self.shape, self._parts, self._collect = shape, parts, collect
        self._matrix: Floats = np.zeros(shape, np.float32)
        self.is_stale = True
        """True if rows moved that have not come."""

    @property
    def matrix(self) -> Floats:
        """Return the table, shape (V, D), not a copy. Raises MissingProcessError if another process has gone."""
        if self.is_stale:
            for part, content in zip(self._parts, self._collect(), strict=True):
                count = len(content) // (4 * (1 + part.columns))
                ids = np.frombuffer(content[: 4 * count].tobytes(), np.uint32)
                vectors = np.frombuffer(content[4 * count :].tobytes(), np.float32)
                self.replace_rows(part, ids, vectors.reshape(count, part.columns))
            self.is_stale = False
        return self._matrix

    def replace_rows(self, part: OwnedPart, ids: UInts, vectors: Floats) -> None:
        self._matrix[ids, part.first_column : part.first_column + part.columns] = vectors

    def vectors(self, ids: UInts | NDArray[np.intp]) -> Floats:
        """Return rows that are up to date, shape (ids, D)."""
        return self._matrix[ids]


def _as_bytes(values: Floats) -> Bytes:
    return np.ascontiguousarray(values).reshape(-1).view(np.uint8)
