"""Rows that stayed where they began, beside rows that training moved, in three formats."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from lamplighter.geometry.stayed_rows import measure_stayed
from tests.support.synthetic_runs.histories import Matrix, as_bfloat16, as_float16

_SIZE, _DIM, _STEPS = 400, 32, 2_000
_UNREAD = np.arange(17, _SIZE, 20)


def _train(store: Callable[[Matrix], Matrix], scale: float = 0.1) -> tuple[Matrix, Matrix]:
    """Return the first and the last table of a training in float32 that shrinks all rows and never reads some."""
    random = np.random.default_rng(5)
    first = (scale * random.normal(size=(_SIZE, _DIM))).astype(np.float32)
    table = first.copy()
    read = np.ones(_SIZE, bool)
    read[_UNREAD] = False
    for _ in range(_STEPS):
        table *= np.float32(1 - 3e-4)
    table[read] += (0.02 * scale * random.normal(size=(read.sum(), _DIM))).astype(np.float32)
    return store(first), store(table)


@pytest.mark.parametrize(
    ("store", "scale"),
    [(np.copy, 0.1), (np.copy, 1e-4), (as_bfloat16, 0.1), (as_bfloat16, 1e-4), (as_float16, 0.1)],
)
def test_unread_rows_shrink_and_stay_and_no_other_does(store: Callable[[Matrix], Matrix], scale: float):
    first, last = _train(store, scale)
    found = measure_stayed(first, last, _STEPS)
    assert found.ids.tolist() == _UNREAD.tolist()
    assert found.median_scale == pytest.approx((1 - 3e-4) ** _STEPS, rel=0.01)
    assert found.median_other > found.nearest_other > 1.5 * found.limit.max()


def test_before_any_step_every_row_has_stayed():
    first, _ = _train(np.copy)
    found = measure_stayed(first, first, 0)
    assert len(found.ids) == _SIZE
    assert np.isnan([found.nearest_other, found.median_other]).all()


def test_a_row_of_zeros_stays_while_it_is_zero_and_nan_never_does():
    first = np.ones((4, 3), np.float32)
    last = first.copy()
    first[0] = last[0] = first[1] = last[2] = 0
    last[3, 0] = np.nan
    assert measure_stayed(first, last, 9).ids.tolist() == [0]


def test_tables_of_two_shapes_are_refused():
    with pytest.raises(ValueError, match="shapes differ"):
        measure_stayed(np.ones((2, 3), np.float32), np.ones((3, 2), np.float32), 1)
