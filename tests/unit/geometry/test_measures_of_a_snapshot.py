"""The separation of meanings, against scikit-learn's silhouette.

Rounds of *Odd one out*: three rows of a cluster and one from elsewhere, determined by a seed, with a unique
answer.
"""

from __future__ import annotations

from itertools import combinations, permutations

import numpy as np
import pytest
from scipy.stats import spearmanr
from sklearn.metrics import silhouette_samples  # pyright: ignore[reportMissingTypeStubs, reportUnknownVariableType]

from lamplighter.geometry.analogies import (
    analogy_accuracy,
    analogy_questions,
    analogy_shares,
    chance_accuracy,
)
from lamplighter.geometry.odd_one_out import WORDS, draw_rounds
from lamplighter.geometry.purity import class_purity, purity_chance
from lamplighter.geometry.rank import (
    anisotropy,
    effective_rank,
    effective_rank_by_chance,
    length_frequency_correlation,
    rank_correlation,
)
from lamplighter.geometry.separation import separation


def town(noise: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return classes of 30, 8, 3 and 1 tokens around their centres, and 40 tokens of no class."""
    rng = np.random.default_rng(seed)
    class_of = np.repeat([0, 1, 2, 3, -1], [30, 8, 3, 1, 40])
    centres = rng.normal(size=(5, 12))
    vectors = np.where(class_of[:, None] >= 0, centres[class_of], 0) + noise * rng.normal(size=(82, 12))
    return vectors.astype(np.float32), class_of


def test_purity_is_one_for_separate_classes_of_any_size() -> None:
    assert class_purity(*town(0.05)) == 1.0


def test_purity_of_noise_is_chance() -> None:
    measured = [class_purity(town(1000.0, seed)[0], town(1.0)[1]) for seed in range(60)]
    assert np.mean(measured) == pytest.approx(purity_chance(town(1.0)[1]), abs=0.02)


def test_purity_by_hand() -> None:
    angles = np.radians([0, 10, 25, 90, 100, 30])
    vectors = np.stack((np.cos(angles), np.sin(angles)), axis=1).astype(np.float32)
    class_of = np.array([0, 0, 0, 1, 1, 1])
    # With k = 1, 25° errs in class 0 (30° is nearest), and 30° errs in class 1 (25° is nearest).
    assert class_purity(vectors, class_of, k=1) == pytest.approx((2 / 3 + 2 / 3) / 2)
    assert purity_chance(class_of) == pytest.approx(2 / 5)


def test_purity_without_classes_is_nan() -> None:
    vectors, _ = town(1.0)
    assert np.isnan(class_purity(vectors, np.full(82, -1)))
    assert np.isnan(purity_chance(np.full(82, -1)))
    assert np.isnan(class_purity(vectors, np.arange(82)))


def test_analogies_hold_for_one_common_offset() -> None:
    rng = np.random.default_rng(1)
    first = rng.normal(size=(12, 50))
    shift = 2 * rng.normal(size=50)
    pairs = [(i, 12 + i) for i in range(12)]
    related = np.concatenate((first, first + shift, rng.normal(size=(50, 50)))).astype(np.float32)
    assert analogy_accuracy(related, pairs) == 1.0
    unrelated = rng.normal(size=(74, 50)).astype(np.float32)
    assert analogy_accuracy(unrelated, pairs) < 0.15
    assert chance_accuracy(74) == pytest.approx(1 / 71)
    assert np.isnan(chance_accuracy(3))


def test_baselines_of_an_analogy() -> None:
    # Each word of the second class lies close to its partner in the first, each in a different direction.
    rng = np.random.default_rng(2)
    first = rng.normal(size=(6, 40))
    shift = rng.normal(size=40)
    pairs = [(i, 6 + i) for i in range(6)]
    class_of = np.repeat([0, 1], 6)
    near = np.concatenate((first, first + 0.2 * rng.normal(size=(6, 40)))).astype(np.float32)
    found = analogy_shares(near, pairs, class_of)
    assert (found.chance, found.right_class) == (pytest.approx(1 / 9), pytest.approx(1 / 6))
    assert found.nearest_of_c == 1.0, "the partner is the nearest word, and no analogy is needed"
    assert found.without_exclusion == 0.0, "c itself is nearer still"
    apart = np.concatenate((first, first + 20 * shift)).astype(np.float32)
    assert analogy_accuracy(apart, pairs) > 0.5
    assert analogy_shares(apart, pairs, class_of).nearest_of_c < 0.5
    assert np.isnan(analogy_shares(near, pairs, np.full(12, -1)).right_class)
    assert np.isnan(analogy_shares(near, [], class_of).nearest_of_c)


def test_omits_invalid_questions() -> None:
    # (0, 1) and (0, 2) share a word; (3, 1) against (0, 1) has d = b.
    asked = analogy_questions([(0, 1), (0, 2), (3, 1), (3, 1)]).tolist()
    assert [0, 2, 3, 1] in asked
    assert all(len({a, b, c}) == 3 and d not in (a, b, c) for a, b, c, d in asked)
    assert len(asked) == 2
    assert np.isnan(analogy_accuracy(np.eye(4, dtype=np.float32), [(0, 1)]))


def test_samples_many_questions_reproducibly() -> None:
    pairs = [(i, i + 100) for i in range(100)]
    some = analogy_questions(pairs, limit=50)
    assert some.shape == (50, 4)
    np.testing.assert_array_equal(some, analogy_questions(pairs, limit=50))


def test_questions_follow_the_order_of_pairs() -> None:
    pairs = [(i, i + 100) for i in range(0, 100, 3)]
    assert analogy_questions(pairs, 10_000).tolist() == [
        [*one, *other] for one, other in permutations(pairs, 2)
    ]
    every = np.array([[*one, *other] for one, other in permutations(pairs, 2)])
    # Scores of already measured runs stay the same.
    sample = np.sort(np.random.default_rng(0).choice(len(every), 50, replace=False))
    np.testing.assert_array_equal(analogy_questions(pairs, 50), every[sample])


def test_draws_questions_of_very_many_pairs_without_enumerating() -> None:
    # All of them would take terabytes.
    pairs = [(i, i + 200_000) for i in range(200_000)]
    some = analogy_questions(pairs)
    assert some.shape == (1_000, 4)
    assert len(np.unique(some, axis=0)) == 1_000
    np.testing.assert_array_equal(some[:, 0] + 200_000, some[:, 1])
    np.testing.assert_array_equal(some[:, 2] + 200_000, some[:, 3])
    assert (some[:, 0] != some[:, 2]).all()
    assert 80_000 < some[:, 0].mean() < 120_000
    assert some[:, 2].max() > 190_000
    np.testing.assert_array_equal(some, analogy_questions(pairs))
    assert analogy_questions([(0, i) for i in range(1, 1_000)]).shape == (0, 4)


def test_effective_rank_counts_directions() -> None:
    rng = np.random.default_rng(0)
    assert effective_rank(np.eye(7, dtype=np.float32)) == pytest.approx(7)
    assert effective_rank(np.ones((9, 4), dtype=np.float32)) == pytest.approx(1, abs=1e-3)
    assert effective_rank(1e30 * np.eye(3, dtype=np.float32)) == pytest.approx(3)
    assert 15 < effective_rank(rng.normal(size=(500, 16)).astype(np.float32)) < 16
    assert effective_rank(rng.normal(size=(3, 16)).astype(np.float32)) < 3
    assert np.isnan(effective_rank(np.zeros((4, 4), dtype=np.float32)))


def test_random_rows_have_the_effective_rank_and_the_mean_cosine_of_chance() -> None:
    random = np.random.default_rng(2)
    lengths = np.exp(random.normal(size=600))
    rows = random.normal(size=(600, 24))
    rows *= (lengths / np.linalg.norm(rows, axis=1))[:, None]
    by_chance = effective_rank_by_chance(lengths, 24)
    assert effective_rank(rows.astype(np.float32)) == pytest.approx(by_chance, rel=0.01)
    assert by_chance < effective_rank_by_chance(np.ones(600), 24)
    assert np.isnan(effective_rank_by_chance(np.zeros(5), 3))
    assert abs(anisotropy(rows.astype(np.float32))) < 0.005
    pointing = rows + 3 * lengths[:, None]
    units = pointing / np.linalg.norm(pointing, axis=1, keepdims=True)
    cosines = (units @ units.T)[~np.eye(600, dtype=bool)]
    assert anisotropy(pointing.astype(np.float32)) == pytest.approx(cosines.mean(), rel=1e-4)


def test_rank_correlation_matches_scipy() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.integers(0, 9, 60).astype(float), rng.normal(size=60)
    assert rank_correlation(x, y) == pytest.approx(spearmanr(x, y).statistic)
    assert np.isnan(rank_correlation(np.ones(5), np.arange(5.0)))


def test_length_follows_frequency() -> None:
    counts = np.array([1, 10, 100, 1000])
    vectors = np.outer(np.log(counts + 1), [0.6, 0.8]).astype(np.float32)
    assert length_frequency_correlation(vectors, counts) == pytest.approx(1)
    assert length_frequency_correlation(vectors[::-1], counts) == pytest.approx(-1)


def _rows(apart: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Two words of eight and seven occurrences: one with two meanings, one with three, of which one occurs once."""
    random = np.random.default_rng(1)
    words = np.repeat([0, 1], [8, 7])
    meanings = np.array([0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 3, 3, 3, 4])
    rows = random.normal(size=(15, 6)) + apart * random.normal(size=(5, 6))[meanings]
    return rows.astype(np.float32), meanings, words


def test_it_is_the_mean_silhouette_among_occurrences_of_a_word() -> None:
    rows, meanings, words = _rows(2.0)
    found = separation(rows, meanings, words)
    assert found is not None
    expected = np.empty(len(rows))
    for word in (0, 1):
        chosen = words == word
        expected[chosen] = silhouette_samples(rows[chosen], meanings[chosen], metric="cosine")
    assert abs(found[0] - expected.mean()) < 1e-6


def test_meanings_that_say_nothing_stay_below_chance_most_of_the_time() -> None:
    random = np.random.default_rng(2)
    above = 0
    for _ in range(60):
        rows = random.normal(size=(12, 5)).astype(np.float32)
        found = separation(rows, np.repeat([0, 1], 6), np.zeros(12, dtype=np.int64))
        assert found is not None
        above += found[0] > found[1]
    assert above <= 9  # three are expected; more than nine are seen once in a thousand times
    found = separation(*_rows(2.0))
    assert found is not None
    assert found[0] > found[1] + 0.2


def test_equal_rows_are_not_apart() -> None:
    rows = np.tile(np.array([0.3, -1.7, 0.1], dtype=np.float32), (6, 1))
    assert separation(rows, np.repeat([0, 1], 3), np.zeros(6, dtype=np.int64)) == (0.0, 0.0)


def test_words_of_one_meaning_and_rows_without_one_are_not_measured() -> None:
    rows = np.eye(4, dtype=np.float32)
    words = np.zeros(4, dtype=np.int64)
    assert separation(rows, np.zeros(4, dtype=np.int64), words) is None
    assert separation(rows, np.arange(4), words) is None
    assert separation(rows, np.array([0, 0, -1, -1]), words) is None


def test_of_many_occurrences_a_sample_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(3)
    meanings = np.repeat([0, 1], 200)
    rows = random.normal(size=(400, 6)).astype(np.float32) + 3 * np.eye(6, dtype=np.float32)[meanings]
    whole = separation(rows, meanings, np.zeros(400, dtype=np.int64))
    monkeypatch.setattr("lamplighter.geometry.separation.MAX_OCCURRENCES", 100)
    sample = separation(rows, meanings, np.zeros(400, dtype=np.int64))
    assert whole is not None
    assert sample is not None
    assert whole[0] != sample[0]
    assert abs(whole[0] - sample[0]) < 0.1


CLUSTERS, MEMBERS, DIM = 12, 20, 16


def clusters(noise: float) -> np.ndarray:
    """Return `MEMBERS` rows around each of `CLUSTERS` directions, cluster by cluster."""
    draw = np.random.default_rng(0)
    centres = draw.standard_normal((CLUSTERS, DIM)).repeat(MEMBERS, axis=0)
    return (centres + noise * draw.standard_normal(centres.shape)).astype(np.float32)


def everything(vectors: np.ndarray) -> np.ndarray:
    return np.ones(len(vectors), dtype=np.bool_)


def test_rounds_have_three_rows_of_one_cluster_and_one_of_another():
    vectors = clusters(0.1)
    rounds = draw_rounds(vectors, everything(vectors), 10, (0, 500))
    assert len(rounds) == 10
    for rows, odd, _ in rounds:
        of = [row // MEMBERS for row in rows]
        assert len({cluster for place, cluster in enumerate(of) if place != odd}) == 1
        assert of.count(of[odd]) == 1


def test_the_odd_one_is_the_least_similar():
    # Rows without structure, as before the first step.
    vectors = np.random.default_rng(1).standard_normal((300, DIM)).astype(np.float32)
    units = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    for rows, odd, cosines in draw_rounds(vectors, everything(vectors), 20, (7,)):
        by_hand = units[list(rows)] @ units[list(rows)].T
        assert np.allclose(cosines, by_hand, atol=1e-6)
        three = [place for place in range(WORDS) if place != odd]
        assert min(by_hand[a, b] for a, b in combinations(three, 2)) > by_hand[odd, three].max()


def test_the_second_and_the_third_are_the_nearest_and_the_fourth_is_of_the_farthest_quarter():
    vectors = np.random.default_rng(2).standard_normal((200, DIM)).astype(np.float32)
    units = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    (rows, odd, _), *_ = draw_rounds(vectors, everything(vectors), 1, (3,))
    similar = units @ units.T
    np.fill_diagonal(similar, -np.inf)
    three = [row for row in rows if row != rows[odd]]
    pairs = [(a, b) for a in three for b in three if similar[a].argmax() == b]
    assert any(
        np.minimum(similar[a], similar[b]).argmax() == c for a, b in pairs for c in three if c not in (a, b)
    )
    largest = similar[three].max(axis=0)
    assert (largest < largest[rows[odd]]).sum() < 50


def test_seeds_determine_disjoint_rounds():
    vectors = clusters(0.5)
    drawn = [draw_rounds(vectors, everything(vectors), 10, seed) for seed in ((1, 0), (1, 0), (2, 0))]
    rows = [[found.rows for found in rounds] for rounds in drawn]
    assert rows[0] == rows[1] != rows[2]
    assert len({row for found in rows[0] for row in found}) == WORDS * 10


def test_every_place_is_equally_likely():
    vectors = clusters(0.5)
    odd = [
        found.odd for seed in range(60) for found in draw_rounds(vectors, everything(vectors), 10, (seed,))
    ]
    # 600 rounds, 150 ± 11 for each place.
    assert all(100 < odd.count(place) < 200 for place in range(WORDS))


def test_excludes_unplayable_rows_and_rows_without_a_direction():
    vectors = clusters(0.5)
    vectors[::5] = 0
    vectors[1] = np.nan
    playable = everything(vectors)
    playable[:60] = False
    rounds = draw_rounds(vectors, playable, 10, (0,))
    assert len(rounds) == 10
    assert all(row >= 60 and row % 5 for found in rounds for row in found.rows)


def test_draws_no_round_without_a_unique_answer():
    same = np.ones((50, DIM), dtype=np.float32)
    assert draw_rounds(same, everything(same), 10, (0,)) == []
    assert draw_rounds(same[:3], everything(same[:3]), 10, (0,)) == []
    few = clusters(0.1)[::MEMBERS]
    assert len(draw_rounds(few, everything(few), 10, (0,))) <= CLUSTERS // WORDS
