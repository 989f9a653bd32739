from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lamplighter.geometry import pairs


def by_hand(vectors: np.ndarray) -> tuple[list[float], list[float]]:
    wide = vectors.astype(np.float64)
    cosines, distances = [], []
    for a, b in combinations(wide, 2):
        cosines.append(float(a @ b / (np.linalg.norm(a) * np.linalg.norm(b))))
        distances.append(float(np.linalg.norm(a - b)))
    return cosines, distances


def test_ranks_of_two_rows_by_hand() -> None:
    angles = np.radians([0, 10, 12, 40, 44])
    vectors = np.stack((np.cos(angles), np.sin(angles)), axis=1).astype(np.float32)
    assert pairs.mutual_ranks(vectors, 0, 1) == (1, 2)
    assert pairs.mutual_ranks(vectors, 3, 4) == (1, 1)
    assert pairs.mutual_ranks(vectors, 0, 4) == (4, 4)


@given(seed=st.integers(0, 2**32 - 1), size=st.integers(2, 40), dim=st.integers(1, 8))
@settings(max_examples=40, deadline=None)
def test_every_pair_counts_once(seed: int, size: int, dim: int) -> None:
    vectors = np.random.default_rng(seed).normal(size=(size, dim)).astype(np.float32)
    cosines, distances = by_hand(vectors)
    block, pairs.BLOCK = pairs.BLOCK, 7
    try:
        found = pairs.measure_all_pairs(vectors)
    finally:
        pairs.BLOCK = block
    assert found.pairs == size * (size - 1) // 2
    for spread, values in ((found.cosine, cosines), (found.distance, distances)):
        assert spread.mean == pytest.approx(np.mean(values), abs=1e-5)
        assert spread.deviation == pytest.approx(np.std(values), abs=1e-3)
        assert (spread.least, spread.most) == pytest.approx((min(values), max(values)), abs=1e-3)


def test_the_table_is_symmetric() -> None:
    vectors = np.array([[3, 0], [0, 4], [0, 0], [6, 0]], dtype=np.float32)
    cosines, distances = pairs.pairwise_similarities(vectors)
    assert cosines[0].tolist() == [1, 0, 0, 1]
    assert cosines[2].tolist() == [0, 0, 0, 0]
    assert distances[0].tolist() == [0, 5, 3, 3]
    assert (distances == distances.T).all()


def test_random_pairs_are_reproducible_and_representative() -> None:
    vectors = np.random.default_rng(1).normal(size=(400, 6)).astype(np.float32) + 1
    found, all_of_them = pairs.measure_random_pairs(vectors), pairs.measure_all_pairs(vectors)
    assert found == pairs.measure_random_pairs(vectors)
    assert (found.pairs, all_of_them.pairs) == (10_000, 400 * 399 // 2)
    assert found.cosine.mean == pytest.approx(all_of_them.cosine.mean, abs=0.02)
    assert found.distance.deviation == pytest.approx(all_of_them.distance.deviation, abs=0.05)
    assert pairs.measure_random_pairs(vectors[:50]).pairs == 50 * 49 // 2


def test_nan_values_give_nan_statistics() -> None:
    vectors = np.ones((3, 2), dtype=np.float32)
    vectors[1] = np.nan
    found = pairs.measure_all_pairs(vectors)
    assert found.cosine.mean == pytest.approx(1 / 3)
    assert np.isnan([found.distance.mean, found.distance.least, found.distance.deviation]).all()
    assert np.isnan(pairs.measure_all_pairs(vectors[:1]).cosine.mean)
