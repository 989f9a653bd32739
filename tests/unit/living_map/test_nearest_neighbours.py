from __future__ import annotations

from collections.abc import Iterator
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lamplighter.geometry.neighbours import all_nearest
from living_map import nearest_neighbours, two_threads
from living_map.gpu_neighbours import GpuProducts
from living_map.nearest_neighbours import NeighbourIndex


def lattice(rng: np.random.Generator, count: int) -> np.ndarray:
    """Return rows whose cosines are exact in any order of summation.

    Many cosines tie; some rows are zero, some equal.
    """
    rows = np.zeros((count, 16), dtype=np.float32)
    for row in rows:
        where = rng.choice(16, rng.choice([0, 1, 4, 16], p=[0.1, 0.2, 0.4, 0.3]), replace=False)
        row[where] = rng.choice([-2.0, 2.0], len(where))
    return rows


def moving(rng: np.random.Generator, size: int, frames: int) -> Iterator[np.ndarray]:
    vectors = lattice(rng, size)
    yield vectors
    for _ in range(frames):
        some = rng.choice(
            size, rng.integers(0, size + 1) if rng.random() < 0.3 else rng.integers(0, 1 + size // 5)
        )
        vectors[some] = lattice(rng, len(some))
        if len(some) > 1 and rng.random() < 0.5:
            vectors[some[0]] = vectors[some[-1]]
        yield vectors


def assert_exact(index: NeighbourIndex, vectors: np.ndarray, k: int) -> None:
    ids, cosines = all_nearest(vectors, k)
    np.testing.assert_array_equal(index.cosines, cosines)
    np.testing.assert_array_equal(index.ids, ids)


@given(seed=st.integers(0, 2**32 - 1), size=st.integers(1, 120), k=st.integers(1, 25))
@settings(max_examples=40, deadline=None)
def test_is_exact_after_rows_arrive_and_leave(seed: int, size: int, k: int) -> None:
    rng = np.random.default_rng(seed)
    vectors, index = lattice(rng, size), NeighbourIndex(k)
    index.update(vectors)
    for _ in range(6):
        before, old = np.concatenate((index.ids, index.cosines), axis=1), vectors
        stay = np.flatnonzero(rng.random(len(vectors)) > rng.choice([0, 0.1, 0.6]))
        arrived = lattice(rng, rng.integers(1, 12))
        vectors = np.concatenate((vectors[stay], arrived))
        if len(stay):
            vectors[rng.integers(len(stay))] = lattice(rng, 1)[0]
        found = index.exchange_rows(stay, vectors)
        assert_exact(index, vectors, k)
        assert found.changed[len(stay) :].all()
        # Whoever kept its list kept its neighbours.
        same = np.flatnonzero(~found.changed)
        if len(same):
            assert np.array_equal(stay[index.ids[same]], before[stay[same], : index.ids.shape[1]])
        assert np.array_equal(vectors[same], old[stay[same]])


def test_distances_by_euclid_are_exact_while_rows_move() -> None:
    rng = np.random.default_rng(0)
    vectors, index = rng.normal(size=(150, 5)).astype(np.float32) + 3, NeighbourIndex(8, "euclidean")
    for _ in range(4):
        index.update(vectors)
        apart = np.linalg.norm(vectors[:, None].astype(np.float64) - vectors, axis=2)
        np.fill_diagonal(apart, np.inf)
        np.testing.assert_array_equal(index.ids, np.argsort(apart, axis=1)[:, :8])
        np.testing.assert_allclose(index.distances, np.sort(apart, axis=1)[:, :8], rtol=1e-4)
        vectors[rng.integers(150, size=20)] += rng.normal(size=(20, 5)).astype(np.float32)


@given(seed=st.integers(0, 2**32 - 1), size=st.integers(1, 120), k=st.integers(1, 25), halves=st.booleans())
@settings(max_examples=60, deadline=None)
def test_is_exact_after_any_moves_including_ties(seed: int, size: int, k: int, halves: bool) -> None:
    with patch.object(two_threads, "MIN_ROWS", 2 if halves else 1_000):
        follow_moves(np.random.default_rng(seed), size, k)


def follow_moves(rng: np.random.Generator, size: int, k: int) -> None:
    index = NeighbourIndex(k)
    before: np.ndarray | None = None
    for vectors in moving(rng, size, 12):
        found = index.update(vectors)
        assert_exact(index, vectors, k)
        now = np.concatenate((index.ids, index.cosines), axis=1)
        if before is not None:
            assert found.changed[(now != before).any(axis=1)].all()
        before = now


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=15, deadline=None)
def test_is_exact_to_rounding_in_a_space_without_ties(seed: int) -> None:
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(150, 24)).astype(np.float32)
    index = NeighbourIndex(12)
    index.update(vectors)
    for _ in range(20):
        some = rng.choice(150, 12, replace=False)
        vectors[some] += 0.3 * rng.normal(size=(12, 24)).astype(np.float32)
        index.update(vectors)
        ids, cosines = all_nearest(vectors, 12)
        np.testing.assert_allclose(index.cosines, cosines, atol=1e-6)
        other = index.ids != ids
        # Only neighbours that rounding cannot tell apart may swap.
        gaps = np.abs(np.diff(cosines, axis=1)) < 1e-6
        near = np.pad(gaps, ((0, 0), (0, 1))) | np.pad(gaps, ((0, 0), (1, 0)))
        assert not (other & ~near)[:, :-1].any()


def test_few_moves_rank_few_rows() -> None:
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(2_000, 16)).astype(np.float32)
    index = NeighbourIndex(20)
    assert index.update(vectors).ranked == 2_000
    assert index.update(vectors.copy()).ranked == 0
    some = rng.choice(2_000, 20, replace=False)
    vectors[some] += 0.1 * rng.normal(size=(20, 16)).astype(np.float32)
    found = index.update(vectors)
    assert found.moved == 20
    assert 20 <= found.ranked < 20 + 2 * (2_000 / nearest_neighbours.REFRESH_PERIOD + 1)
    assert found.changed[some].all()
    assert not found.changed.all()


def test_known_neighbours_are_taken_and_stay_exact() -> None:
    rng = np.random.default_rng(4)
    first, second = lattice(rng, 90), lattice(rng, 90)
    index = NeighbourIndex(7)
    index.update(first)
    known = index.known()
    index.update(second)
    assert index.update(first, known).ranked == 0
    assert_exact(index, first, 7)
    # Later moves change lists that had no slack.
    for vectors in moving(rng, 90, 8):
        first[: len(vectors) // 3] = vectors[: len(vectors) // 3]
        index.update(first)
        assert_exact(index, first, 7)


def test_reranks_every_row_periodically(monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong list is repaired in its turn."""
    monkeypatch.setattr(nearest_neighbours, "REFRESH_PERIOD", 8)
    rng = np.random.default_rng(0)
    vectors = lattice(rng, 100)
    index = NeighbourIndex(10)
    index.update(vectors)
    index.ids[:] = 0
    for _ in range(9):
        vectors[3] = lattice(rng, 1)
        index.update(vectors)
    vectors[3] = lattice(rng, 1)
    index.update(vectors)
    assert_exact(index, vectors, 10)


def test_rows_that_are_not_finite_have_no_direction() -> None:
    vectors = lattice(np.random.default_rng(1), 30)
    index = NeighbourIndex(5)
    index.update(vectors)
    vectors[7, 3] = np.nan
    vectors[9, 0] = np.inf
    index.update(vectors)
    assert_exact(index, vectors, 5)


def test_gpu_products_match_cpu_products(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        nearest_neighbours, "make_row_products", lambda rows, metric: GpuProducts(rows, "cpu", metric)
    )
    rng = np.random.default_rng(2)
    index = NeighbourIndex(8)
    for vectors in moving(rng, 90, 8):
        index.update(vectors)
        assert_exact(index, vectors, 8)
