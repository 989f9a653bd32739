"""Rows that stayed where they began: training has never turned them further than rounding does.

The direction decides, because weight decay shrinks a row that is never read and does not turn it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lamplighter.wire.row_source import RowSource, row_blocks
from living_map.rows import BLOCK_BYTES

_FLOAT32_ROUNDING = 2.0**-24
_DRIFT = 2.0
"""Rounding errors of one step that count per square root of steps: over four standard deviations of their sum."""
_SMALLEST_NORMAL = 2.0**-14
"""The number below which float16 has absolute steps."""


class StayedRows(NamedTuple):
    """How far rows have turned, each array of shape (V,)."""

    turned: NDArray[np.float64]
    """Degrees between the row and its start; NaN if it is not finite, or zero at one of the two only."""
    limit: NDArray[np.float64]
    """Degrees that rounding alone may turn it."""
    scale: NDArray[np.float64]
    """Its length, in multiples of that of its start; NaN for a start of zero or a row that is not finite."""

    @property
    def ids(self) -> NDArray[np.int64]:
        return np.flatnonzero(self.turned <= self.limit)

    @property
    def nearest_other(self) -> float:
        """Return the degrees of that row that turned least of those that did not stay; NaN if there is none."""
        return float(self._others.min()) if len(self._others) else float("nan")

    @property
    def median_other(self) -> float:
        """Return the median degrees of those that did not stay; NaN if there is none."""
        return _finite_median(self._others)

    @property
    def median_scale(self) -> float:
        """Return the median length of those that stayed, in multiples of their starts'; NaN if there is none."""
        return _finite_median(self.scale[self.ids])

    @property
    def _others(self) -> NDArray[np.float64]:
        return self.turned[self.turned > self.limit]


def measure_stayed(start: RowSource, vectors: RowSource, steps: int) -> StayedRows:
    """Measure how far each row, (V, D), has turned since its start, beside what rounding gives.

    A row that is written in the format of its table (float32, float16 or bfloat16, which its bits tell) is
    off by half a unit of the last place at most. A row that training shrinks `steps` times is rounded each
    time, in float32.
    """
    if start.shape != vectors.shape:
        raise ValueError(f"shapes differ: {start.shape} and {vectors.shape}")
    rounding = [2.0 ** -(_stored_bits(table) + 1) for table in (start, vectors)]
    drift = _DRIFT * max(0, steps) ** 0.5 * _FLOAT32_ROUNDING
    found = StayedRows(*(np.empty(len(start)) for _ in StayedRows._fields))
    block = max(1, BLOCK_BYTES // (32 * start.shape[1]))
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        for first in range(0, len(start), block):
            some = slice(first, first + block)
            before, after = (table[some].astype(np.float64) for table in (start, vectors))
            lengths = [np.linalg.norm(rows, axis=1) for rows in (before, after)]
            units = [rows / length[:, None] for rows, length in zip((before, after), lengths, strict=True)]
            apart, together = (
                np.linalg.norm(rows, axis=1) for rows in (units[0] - units[1], units[0] + units[1])
            )
            at_zero = (lengths[0] == 0) & (lengths[1] == 0)
            # Kahan's formula: an arc cosine of small angles is mostly rounding error.
            found.turned[some] = np.where(at_zero, 0, np.degrees(2 * np.arctan2(apart, together)))
            errors = [
                part * np.linalg.norm(np.maximum(np.abs(rows), _SMALLEST_NORMAL), axis=1) / length
                for part, rows, length in zip(rounding, (before, after), lengths, strict=True)
            ]
            found.limit[some] = np.where(at_zero, 0, np.degrees(errors[0] + errors[1] + drift))
            found.scale[some] = np.where(np.isfinite(lengths[1]), lengths[1] / lengths[0], np.nan)
    return found


def _stored_bits(table: RowSource) -> int:
    """Return how many bits after the first the numbers of a table have: 23 in float32, 10 in float16, 7 in bfloat16."""
    used = 0
    for _, rows in row_blocks(table):
        used |= int(np.bitwise_or.reduce(rows.view(np.uint32), axis=None) & 0x7F_FFFF)
    unused = (used & -used).bit_length() - 1 if used else 0
    return 23 - unused


def _finite_median(values: NDArray[np.float64]) -> float:
    finite = values[np.isfinite(values)]
    return float(np.median(finite)) if len(finite) else float("nan")
