"""The summaries of tables: some hundred kilobytes each, made in one pass, enough to compare any two steps."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lamplighter.wire.binary import Floats
from lamplighter.wire.row_source import RowSource

Ids = NDArray[np.int64]


@dataclass(frozen=True)
class TableSummary:
    """The figures of one table, shape (V, D)."""

    step: int
    shape: tuple[int, int]
    digest: bytes
    """Equal for tables with the same numbers, in any floating-point format; zeros of both signs are the same."""
    hashed: Ids
    """The rows that `row_hashes` are of, shape (H,), ascending: blocks of neighbours, mostly the same in each size."""
    row_hashes: NDArray[np.uint64]
    sketched: Ids
    """The rows that `sketch` is of, shape (S,), ascending; they are among those of `hashed`."""
    sketch: Floats
    """These rows, projected to at most 64 dimensions: distances and angles between steps stay nearly the same.
    Values that are not finite are 0."""
    columns: Floats
    """Columns of the sketched rows, in order and evenly spread, each projected to 8 dimensions: shape (C, 8)."""
    sampled: bytes
    """A digest of the sketched rows."""
    rounded: tuple[bytes, ...]
    """Digests of the rows rounded to bfloat16, cut to bfloat16, and rounded to float16."""
    median_norm: float
    """The median length of a finite row."""
    moved: float | None
    """The share of rows in common that differ from the table before; None for the first, and after another width."""
    bad_rows: int
    """The number of rows with a value that is not finite."""
    first_bad: int | None


def keep_common_rows(tables: Sequence[TableSummary]) -> list[TableSummary]:
    """Return the tables, of one width, with those sampled rows that all have."""
    if len({table.shape for table in tables}) < 2:
        return list(tables)
    sketched = reduce(np.intersect1d, (table.sketched for table in tables))
    hashed = reduce(np.intersect1d, (table.hashed for table in tables))
    return [
        replace(
            table,
            hashed=hashed,
            row_hashes=table.row_hashes[np.searchsorted(table.hashed, hashed)],
            sketched=sketched,
            sketch=table.sketch[np.searchsorted(table.sketched, sketched)],
        )
        for table in tables
    ]


def distance(a: TableSummary, b: TableSummary) -> Floats:
    """Return how far each row of the sketch is from itself at another step, shape (S,)."""
    return np.linalg.norm(a.sketch - b.sketch, axis=1)


def row_cosines(a: TableSummary, b: TableSummary) -> Floats:
    """Return the cosine of each row of the sketch with itself at another step, shape (S,); 0 for a row of zeros."""
    lengths = np.linalg.norm(a.sketch, axis=1) * np.linalg.norm(b.sketch, axis=1)
    return np.einsum("ij,ij->i", a.sketch, b.sketch) / np.where(lengths > 0, lengths, 1)


def median_cosine(a: TableSummary, b: TableSummary) -> float:
    return float(np.median(row_cosines(a, b)))


_SAMPLED_HASHES, _SAMPLED_ROWS, _SKETCH_WIDTH = 8_192, 1_024, 64
_BLOCK_ROWS, _MAX_COLUMNS, _COLUMN_WIDTH = 8, 1_024, 8
_IN_BLOCK = np.arange(_BLOCK_ROWS)
_BLOCK_NUMBERS = 1 << 16
"""Numbers of a block: a block and its hashes fit in the processor's cache."""
_MIX = np.uint64(0x9E3779B97F4A7C15)
"""An odd number with its bits well spread: multiplying by it loses nothing."""


def split_rows(matrix: RowSource) -> Iterator[NDArray[Any]]:
    """Yield a matrix, shape (V, D), in blocks of rows."""
    rows = max(1, _BLOCK_NUMBERS // matrix.shape[1])
    for start in range(0, len(matrix), rows):
        yield matrix[start : start + rows]


class Summarizer:
    """Summarises the tables of one history, in the order of their steps. Keeps 8 bytes a row of the last one."""

    def __init__(self) -> None:
        self._shape = (0, 0)
        self._before: NDArray[np.uint64] | None = None

    def summarize(self, step: int, shape: tuple[int, int], blocks: Iterable[Floats]) -> TableSummary:
        """Return the summary of a table, shape (V, D). `blocks`: its rows in order, as contiguous float32."""
        if shape != self._shape:
            self._set_shape(shape)
        size = shape[0]
        hashes, norms = np.empty(size, np.uint64), np.empty(size, np.float32)
        sampled = np.empty((len(self._sketched), shape[1]), np.float32)
        at = 0
        with np.errstate(over="ignore", invalid="ignore"):
            for block in blocks:
                end = at + len(block)
                hashes[at:end] = self._hash_rows(block)
                norms[at:end] = np.sqrt(np.einsum("ij,ij->i", block, block))
                first, last = np.searchsorted(self._sketched, (at, end))
                sampled[first:last] = block[self._sketched[first:last] - at]
                at = end
            rounded = tuple(self._digest_rows(one) for one in _round(sampled))
        # A row that is too long for float32 counts as not finite as well.
        bad = np.flatnonzero(~np.isfinite(norms))
        before, self._before = self._before, hashes
        common = size if before is None else min(size, len(before))
        finite = np.nan_to_num(sampled, copy=False, nan=0, posinf=0, neginf=0)
        return TableSummary(
            step=step,
            shape=shape,
            digest=_digest(hashes),
            hashed=self._hashed,
            row_hashes=hashes[self._hashed],
            sketched=self._sketched,
            sketch=finite @ self._projection,
            columns=(self._column_projection @ finite)[:, self._columns].T.copy(),
            sampled=_digest(hashes[self._sketched]),
            rounded=rounded,
            median_norm=float(np.median(norms[np.isfinite(norms)])) if len(bad) < size else 0.0,
            moved=None if before is None else float(np.mean(hashes[:common] != before[:common])),
            bad_rows=len(bad),
            first_bad=int(bad[0]) if len(bad) else None,
        )

    def _set_shape(self, shape: tuple[int, int]) -> None:
        size, width = shape
        # A block of rows keeps its place in this order whatever the table's size is.
        blocks = np.argsort(np.random.default_rng(1).random(-(-size // _BLOCK_ROWS)))
        self._hashed, self._sketched = (
            rows[rows < size]
            for count in (_SAMPLED_HASHES, _SAMPLED_ROWS)
            for rows in (
                np.add.outer(np.sort(blocks[: count // _BLOCK_ROWS]) * _BLOCK_ROWS, _IN_BLOCK).ravel(),
            )
        )
        self._columns = np.linspace(0, width - 1, min(width, _MAX_COLUMNS)).astype(np.int64)
        self._column_projection = np.random.default_rng(2).standard_normal(
            (_COLUMN_WIDTH, len(self._sketched)), np.float32
        )
        if width != self._shape[1]:
            self._before, random = None, np.random.default_rng(0)
            self._weights = random.integers(0, 1 << 63, (width + 1) // 2, dtype=np.uint64) * np.uint64(
                2
            ) + np.uint64(1)
            self._projection = np.eye(width, dtype=np.float32)
            if width > _SKETCH_WIDTH:
                # Columns at right angles: independent numbers in the table are independent numbers in the sketch.
                spread = np.linalg.qr(random.standard_normal((width, _SKETCH_WIDTH)))[0]
                self._projection = (spread * np.sqrt(width / _SKETCH_WIDTH)).astype(np.float32)
        self._shape = shape

    def _digest_rows(self, rows: Floats) -> bytes:
        return _digest(self._hash_rows(rows))

    def _hash_rows(self, block: Floats) -> NDArray[np.uint64]:
        """Return 64 bits of each row. Two different rows have the same with a probability near 2^-64."""
        # Adding zero makes -0 into 0: the sign of a zero is lost in a conversion, and means nothing.
        plain = block + np.float32(0)
        if plain.shape[1] % 2:
            plain = np.pad(plain, ((0, 0), (0, 1)))
        pairs = plain.view(np.uint64)
        # The low bits of half-precision numbers are all zero, so the high bits are brought down before the sum.
        pairs *= _MIX
        pairs ^= pairs >> np.uint64(32)
        pairs *= self._weights
        return pairs.sum(axis=1, dtype=np.uint64)


def _digest(hashes: NDArray[np.uint64]) -> bytes:
    return hashlib.blake2b(hashes.tobytes(), digest_size=16).digest()


def _round(rows: Floats) -> Iterator[Floats]:
    """Yield rows as coarser formats have them: rounded to bfloat16, cut to bfloat16, rounded to float16."""
    bits = rows.view(np.uint32)
    high = np.uint32(0xFFFF0000)
    yield ((bits + 0x7FFF + ((bits >> 16) & 1)) & high).view(np.float32)
    yield (bits & high).view(np.float32)
    yield rows.astype(np.float16).astype(np.float32)
