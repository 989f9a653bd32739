from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lamplighter.projection.methods.linear_view import LinearView, principal_view


@given(seed=st.integers(0, 2**32 - 1), size=st.integers(2, 60), moved=st.integers(0, 60))
@settings(max_examples=60, deadline=None)
def test_an_unchanged_row_does_not_move(seed: int, size: int, moved: int) -> None:
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(size, 7)).astype(np.float32)
    view = principal_view(vectors, 1, 0)
    before = view.project(vectors)
    touched = rng.choice(size, min(moved, size), replace=False)
    vectors[touched] += rng.normal(size=(len(touched), 7)).astype(np.float32)
    after = view.project(vectors)
    rests = np.setdiff1d(np.arange(size), touched)
    np.testing.assert_array_equal(after[rests], before[rests])


def test_shows_the_directions_of_most_variance() -> None:
    rng = np.random.default_rng(0)
    vectors = (rng.normal(size=(400, 5)) * [1, 9, 1, 4, 1] + 3).astype(np.float32)
    view = principal_view(vectors, 1, 40)
    np.testing.assert_allclose(np.abs(view.basis[[1, 3], [0, 1]]), 1, atol=0.02)
    np.testing.assert_allclose(view.basis.T @ view.basis, np.eye(2), atol=1e-6)
    places = view.project(vectors)
    np.testing.assert_allclose(places.mean(axis=0), 0, atol=1e-4)
    np.testing.assert_allclose(places.std(axis=0), [9, 4], rtol=0.15)


def test_new_directions_match_the_previous_layout() -> None:
    rng = np.random.default_rng(1)
    vectors = (rng.normal(size=(300, 6)) * [5, 4, 1, 1, 1, 1]).astype(np.float32)
    mirrored = vectors[:, :2] * np.float32([-1, 1])
    places = principal_view(vectors, 1, 400, like=mirrored[:, ::-1]).project(vectors)
    assert np.corrcoef(places[:, 0], mirrored[:, 1])[0, 1] > 0.9
    assert np.corrcoef(places[:, 1], mirrored[:, 0])[0, 1] > 0.9


def test_round_trips_through_facts() -> None:
    vectors = np.random.default_rng(2).normal(size=(9, 4)).astype(np.float32)
    view = principal_view(vectors, 2, 17)
    again = LinearView.from_facts(json.loads(json.dumps(view.to_facts())))
    assert (again.attempt, again.step) == (2, 17)
    np.testing.assert_array_equal(again.project(vectors), view.project(vectors))
    with pytest.raises(ValueError, match="do not fit"):
        LinearView.from_facts({"centre": [0, 0], "basis": [[1, 0]], "attempt": 1, "step": 0})


def test_handles_identical_rows() -> None:
    places = principal_view(np.ones((5, 3), dtype=np.float32), 1, 0).project(
        np.ones((5, 3), dtype=np.float32)
    )
    np.testing.assert_array_equal(places, np.zeros((5, 2)))
