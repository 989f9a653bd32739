"""The nearest neighbours of words, and the threads that BLAS may take for them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from threadpoolctl import threadpool_info, threadpool_limits

from lamplighter.geometry import neighbours
from lamplighter.geometry.blas_threads import one_blas_thread
from lamplighter.geometry.neighbours import all_nearest, nearest_rows
from living_map.rows import differing_rows, unit_rows


def brute_force(vectors: np.ndarray, query: int, k: int) -> list[tuple[float, int]]:
    units = unit_rows(vectors)
    ranked = sorted((-float(units[query] @ units[j]), j) for j in range(len(vectors)) if j != query)
    return [(-c, j) for c, j in ranked[:k]]


@given(
    seed=st.integers(0, 2**32 - 1),
    size=st.integers(1, 60),
    dim=st.integers(1, 8),
    k=st.integers(0, 70),
    block=st.sampled_from([1, 400, 1 << 20]),
)
@settings(max_examples=80, deadline=None)
def test_equals_brute_force(seed: int, size: int, dim: int, k: int, block: int) -> None:
    vectors = np.random.default_rng(seed).normal(size=(size, dim)).astype(np.float32)
    old, neighbours.BLOCK_BYTES = neighbours.BLOCK_BYTES, block
    try:
        ids, cosines = all_nearest(vectors, k)
    finally:
        neighbours.BLOCK_BYTES = old
    assert ids.shape == cosines.shape == (size, min(k, size - 1))
    assert (ids.dtype, cosines.dtype) == (np.int32, np.float32)
    for query in range(size):
        expected = brute_force(vectors, query, k)
        np.testing.assert_allclose(cosines[query], [c for c, _ in expected], atol=2e-6)
        assert query not in ids[query]
        assert len(set(ids[query].tolist())) == len(ids[query])


@pytest.mark.parametrize("size", [700, 1_001, 2_305])
@pytest.mark.parametrize("tied", [False, True], ids=["distinct", "ties"])
def test_of_many_rows_the_nearest_are_those_of_a_full_sort(size: int, tied: bool) -> None:
    vectors = np.random.default_rng(size).standard_normal((size, 3)).astype(np.float32)
    if tied:
        # Few directions, and rows of zeros.
        vectors = np.rint(vectors)
    queries = np.arange(0, size, 20)
    similar = unit_rows(vectors)[queries] @ unit_rows(vectors).T
    similar[np.arange(len(queries)), queries] = -np.inf
    expected = np.argsort(-similar, axis=1, kind="stable")[:, :10]
    np.testing.assert_array_equal(nearest_rows(vectors, queries, 10)[0], expected)


@given(
    seed=st.integers(0, 2**32 - 1),
    size=st.integers(2, 40),
    k=st.integers(1, 10),
    block=st.sampled_from([1, 1_000, 1 << 20]),
)
@settings(max_examples=60, deadline=None)
def test_equal_cosines_are_ordered_by_id(seed: int, size: int, k: int, block: int) -> None:
    # Axis vectors have cosines of exactly 0, 1 and -1, so almost every comparison is a tie.
    rng = np.random.default_rng(seed)
    vectors = np.zeros((size, 3), dtype=np.float32)
    vectors[np.arange(size), rng.integers(0, 3, size)] = rng.choice([-2.0, 1.0, 4.0], size)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(neighbours, "BLOCK_BYTES", block)
        ids, _ = all_nearest(vectors, k)
    for query in range(size):
        assert ids[query].tolist() == [j for _, j in brute_force(vectors, query, k)]


def test_rows_without_a_direction_have_cosine_zero() -> None:
    vectors = np.array([[1, 0], [0, 0], [np.nan, 1], [np.inf, 0], [1, 1], [-1, 0]], dtype=np.float32)
    ids, cosines = nearest_rows(vectors, np.array([0, 1, 2]), 3)
    assert ids[0].tolist() == [4, 1, 2]
    assert ids[1].tolist() == [0, 2, 3]
    assert ids[2].tolist() == [0, 1, 3]
    assert np.isfinite(cosines).all()
    assert not cosines[1:].any()


def test_lengths_do_not_matter() -> None:
    vectors = np.array([[1, 1], [1e30, 1.1e30], [1e-30, -1e-30], [3, 0]], dtype=np.float32)
    ids, cosines = nearest_rows(vectors, np.array([0]), 3)
    assert ids.tolist() == [[1, 3, 2]]
    np.testing.assert_allclose(cosines[0], [0.99887, 0.70711, 0], atol=1e-4)


def test_queries_may_repeat_but_must_be_valid() -> None:
    vectors = np.eye(4, dtype=np.float32)
    ids, _ = nearest_rows(vectors, np.array([2, 2, 0]), 2)
    assert ids.tolist() == [[0, 1], [0, 1], [1, 2]]
    assert nearest_rows(vectors, np.array([], dtype=np.int64), 2)[0].shape == (0, 2)
    with pytest.raises(IndexError, match="between 0 and 3"):
        nearest_rows(vectors, np.array([4]), 2)
    with pytest.raises(IndexError):
        nearest_rows(vectors, np.array([-1]), 2)


def test_a_lone_row_has_no_neighbours() -> None:
    assert all_nearest(np.ones((1, 3), dtype=np.float32), 5)[0].shape == (1, 0)


def test_rows_are_compared_bit_by_bit() -> None:
    last = np.zeros((5, 3), dtype=np.float32)
    last[4] = np.nan
    now = last.copy()
    now[1, 2] = 1e-40
    now[2, 0] = np.nan
    assert differing_rows(now, last).tolist() == [1, 2]


def blas_threads() -> set[int]:
    return {one["num_threads"] for one in threadpool_info() if one["user_api"] == "blas"}


def test_blas_stays_limited_until_the_last_job_has_left() -> None:
    with threadpool_limits(2, user_api="blas"):
        one, other = one_blas_thread(), one_blas_thread()
        with one:
            other.__enter__()
        assert blas_threads() == {1}
        other.__exit__(None, None, None)
        assert blas_threads() == {2}
