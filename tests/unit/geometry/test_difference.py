"""Distances and neighbours of two matrices of the same words, against SciPy and against a search without blocks."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import orthogonal_procrustes
from scipy.spatial.distance import cdist

from lamplighter.geometry import difference
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
