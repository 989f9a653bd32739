from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lamplighter.geometry.neighbours import count_shared, nearest_rows
from lamplighter.projection.landmarks import WIDTH, PrincipalRows

V, D, CLUSTERS = 700, 600, 20
MARKS = np.arange(0, V, 2)


def clustered(seed: int = 0) -> NDArray[np.float32]:
    """Return rows of a hundred strong directions and noise in all others."""
    random = np.random.default_rng(seed)
    strong = random.normal(size=(100, D)).astype(np.float32)
    rows = random.normal(size=(V, 100)).astype(np.float32) @ strong / np.sqrt(D)
    return rows + 0.05 * random.normal(size=(V, D)).astype(np.float32)


def test_neighbours_in_the_strongest_directions_are_those_of_the_table() -> None:
    vectors, queries = clustered(), np.arange(0, V, 10)
    reduced = PrincipalRows(MARKS).reduce(vectors)
    assert reduced.shape == (V, WIDTH)
    shared = count_shared(nearest_rows(reduced, queries, 10)[0], nearest_rows(vectors, queries, 10)[0])
    assert shared.mean() > 9.5


def test_rows_that_stayed_keep_theirs_until_most_have_moved() -> None:
    vectors, reducer = clustered(), PrincipalRows(MARKS)
    first = reducer.reduce(vectors).copy()
    vectors[[5, 6]] *= -1
    second = reducer.reduce(vectors).copy()
    np.testing.assert_array_equal(np.flatnonzero((first != second).any(axis=1)), [5, 6])
    np.testing.assert_allclose(second[5], -first[5], atol=1e-6)
    third = reducer.reduce(clustered(1))
    fresh = PrincipalRows(MARKS).reduce(clustered(1))
    np.testing.assert_array_equal(third, fresh)


def test_a_narrow_table_is_taken_as_it_is() -> None:
    vectors = clustered()[:, :WIDTH]
    np.testing.assert_array_equal(PrincipalRows(MARKS).reduce(vectors), vectors)
