"""Distances and neighbours of two matrices of the same words, against SciPy and against a search without blocks.

Rows that stayed where they began, beside rows that training moved, in three formats.

"""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import orthogonal_procrustes
from scipy.spatial.distance import cdist

from lamplighter.geometry import difference, pairs
from lamplighter.geometry.difference import (
    choose_fitted,
    choose_words,
    compare_neighbourhoods,
    find_shared_rows,
    measure_chance,
    measure_distances,
    measure_sample,
)
from lamplighter.geometry.rotation import fit_rotation, random_rotation, rotate
from lamplighter.geometry.stayed_rows import measure_stayed
from tests.support.synthetic_runs.histories import Matrix, as_bfloat16, as_float16

N, D = 300, 16
EVERY = np.arange(N)


def draw(seed: int, rows: int = N, dim: int = D) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((rows, dim)).astype(np.float32)


def moved(vectors: np.ndarray, share: float) -> np.ndarray:
    return vectors + np.float32(share) * draw(9, *vectors.shape)


@pytest.mark.parametrize("fitted", [EVERY, np.arange(0, N, 3)], ids=["all", "some"])
def test_distances_are_those_after_the_rotation_of_scipy(
    fitted: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = draw(0), rotate(moved(draw(0), 0.2), random_rotation(D, 1))
    monkeypatch.setattr(difference, "_BLOCK_NUMBERS", 7 * D)
    found = measure_distances(one, other, fitted)
    np.testing.assert_allclose(found.raw, np.linalg.norm(one - other, axis=1), rtol=1e-5)
    rotation, _ = orthogonal_procrustes(other[fitted].astype(float), one[fitted].astype(float))
    assert found.aligned is not None
    np.testing.assert_allclose(found.aligned, np.linalg.norm(other @ rotation - one, axis=1), rtol=1e-4)
    assert found.aligned.mean() < found.raw.mean() / 4


def test_a_rotation_alone_is_no_difference() -> None:
    """The null: rotated and mirrored, each row is far away, none once aligned, and each word keeps its neighbours."""
    one = draw(0)
    for seed in range(4):
        other = rotate(one, random_rotation(D, seed))
        found = measure_distances(one, other, EVERY)
        assert found.aligned is not None
        assert np.median(found.raw) > 3
        assert found.aligned.max() < 1e-5
        assert compare_neighbourhoods(one, other, EVERY).kept.tolist() == [10] * N


def test_by_chance_a_word_keeps_a_neighbour_in_k_squared_of_all_lists() -> None:
    one, other = draw(0), draw(1)
    kept = compare_neighbourhoods(one, other, EVERY).kept
    assert kept.mean() == pytest.approx(10 * 10 / (N - 1), abs=0.15)
    # A rotation that is fitted to noise takes some of it away; the chance level does as well.
    aligned = measure_distances(one, other, EVERY).aligned
    chance = measure_chance(one, other, EVERY, EVERY).aligned
    assert aligned is not None
    assert chance is not None
    assert np.median(aligned) == pytest.approx(np.median(chance), rel=0.03)


def test_the_chance_level_of_a_sample_is_that_of_all_words() -> None:
    """A rotation that was fitted on the sample alone would bring its unrelated rows together."""
    (one, other), fitted, sample = (
        (draw(seed, 1_000) for seed in (0, 1)),
        np.arange(500),
        np.arange(0, 1_000, 20),
    )
    aligned = measure_distances(one, other, fitted).aligned
    chance = measure_chance(one, other, fitted, sample).aligned
    assert aligned is not None
    assert chance is not None
    assert np.median(chance) == pytest.approx(np.median(aligned), rel=0.04)
    np.testing.assert_allclose(measure_sample(one, other, fitted, sample).aligned, aligned[sample], rtol=1e-5)  # pyright: ignore[reportArgumentType, reportCallIssue]


def test_neighbours_are_those_of_scipy() -> None:
    one, other = draw(0), moved(draw(0), 0.8)
    words = np.array([0, 3, 200, 299])
    found = compare_neighbourhoods(one, other, words)
    for vectors, nearest in ((one, found.nearest), (other, found.other_nearest)):
        distances = cdist(vectors[words], vectors, "cosine")
        distances[np.arange(4), words] = np.inf
        np.testing.assert_array_equal(nearest, np.argsort(distances, axis=1)[:, :10])
    for row, kept in enumerate(found.kept):
        assert kept == len(set(found.nearest[row]) & set(found.other_nearest[row]))


def test_a_search_ends_where_its_progress_says_so() -> None:
    vectors = np.random.default_rng(0).standard_normal((1_500, 4)).astype(np.float32)
    shares: list[float] = []

    def stop(share: float) -> None:
        shares.append(share)
        raise InterruptedError

    with pytest.raises(InterruptedError):
        compare_neighbourhoods(vectors, vectors, np.arange(1_500), stop)
    assert len(shares) == 1
    assert 0 < shares[0] < 0.5


def test_equal_matrices_are_equal_and_rows_that_are_not_finite_have_no_distance() -> None:
    one = draw(0)
    found = measure_distances(one, one.copy(), EVERY)
    assert found.aligned is not None
    assert not found.raw.any()
    assert not found.aligned.any()
    broken = rotate(one, random_rotation(D, 0))
    broken[4], broken[7] = np.nan, np.inf
    again = measure_distances(one, broken, EVERY)
    assert again.aligned is not None
    assert np.flatnonzero(~np.isfinite(again.aligned)).tolist() == [4, 7]
    assert np.delete(again.aligned, [4, 7]).max() < 1e-5
    assert np.array_equal(fit_rotation(broken[[4, 7]], one[[4, 7]]), np.eye(D))


def test_wide_matrices_are_not_aligned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(difference, "MAX_DIM", D - 1)
    assert measure_distances(draw(0), draw(1), EVERY).aligned is None


def test_words_are_matched_by_their_text() -> None:
    words, other = ("a", "b", "c", "a"), ("c", "x", "a")
    assert find_shared_rows(words, other).tolist() == [[0, 2], [2, 0], [3, 2]]
    assert find_shared_rows(words, words).tolist() == [[0, 0], [1, 1], [2, 2], [3, 3]]
    assert find_shared_rows(words, ("y",)).shape == (0, 2)


def test_frequent_words_are_fitted_and_large_matrices_sampled() -> None:
    counts = np.array([5, 1, 9, 9, 0] * 500)
    fitted = choose_fitted(counts, 64)
    assert len(fitted) == 1_000
    assert set(counts[fitted]) == {9}
    assert len(choose_fitted(counts, 700)) == 1_400
    assert choose_words(2_400, 64).tolist() == list(range(2_400))
    large = choose_words(50_000, 256)
    assert (len(large), large[0], large[-1]) == (2_000, 0, 49_999)
    assert np.ptp(np.diff(large)) <= 1


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
