from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lamplighter.geometry import displacements as module
from lamplighter.geometry.displacements import displacements, farthest_rows


@given(st.integers(0, 40), st.integers(1, 9), st.integers(0, 10_000))
def test_is_the_length_of_the_difference_and_zero_for_unchanged_rows(rows: int, dim: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    before = (rng.standard_normal((rows, dim)) * 10.0 ** rng.integers(-6, 6, (rows, 1))).astype(np.float32)
    after = before.copy()
    moved = rng.random(rows) < 0.5
    after[moved] += rng.standard_normal((int(moved.sum()), dim)).astype(np.float32)
    found = displacements(before, after)
    expected = np.linalg.norm(after.astype(np.float64) - before.astype(np.float64), axis=1)
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    assert ((found == 0) == (after == before).all(axis=1)).all()


def test_blocks_do_not_change_the_result(monkeypatch: pytest.MonkeyPatch) -> None:
    before, after = np.random.default_rng(2).standard_normal((2, 500, 7)).astype(np.float32)
    whole = displacements(before, after)
    monkeypatch.setattr(module, "_BLOCK", 20)
    np.testing.assert_array_equal(displacements(before, after), whole)


def test_lists_moved_rows_farthest_first() -> None:
    found = farthest_rows(np.array([0, 2, np.nan, 5, 2, 0, 1], dtype=np.float32), 4)
    assert found.tolist() == [3, 1, 4, 6]
    assert farthest_rows(np.array([0, np.nan], dtype=np.float32), 4).tolist() == []
    with pytest.raises(ValueError, match="shapes differ"):
        displacements(np.zeros((2, 3), np.float32), np.zeros((2, 4), np.float32))
