"""Rounds of *Odd one out*: three rows of a cluster and one from elsewhere, determined by a seed, with a unique
answer."""

from __future__ import annotations

from itertools import combinations

import numpy as np

from lamplighter.geometry.odd_one_out import WORDS, draw_rounds

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
