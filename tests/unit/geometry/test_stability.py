"""How much of a neighbourhood is the same in several spaces, against counting by hand and drawing at random."""

from __future__ import annotations

import numpy as np
import pytest

from lamplighter.geometry.stability import (
    jaccard_by_chance,
    pairwise_jaccard,
    shared_by_all,
    shared_by_chance,
)


def test_the_jaccard_index_counts_what_two_lists_share_in_any_order() -> None:
    lists = np.array([[[1, 2, 3], [7, 8, 9]], [[3, 1, 4], [9, 8, 7]], [[5, 6, 7], [1, 2, 3]]])
    found = pairwise_jaccard(lists)
    # Pairs (0, 1), (0, 2), (1, 2): two of four words, all, none.
    assert found[:, 0].tolist() == [0.5, 0, 0]
    assert found[:, 1].tolist() == [1, 0, 0]
    assert shared_by_all(lists[:2]) == [{1, 3}, {7, 8, 9}]
    assert shared_by_all(lists) == [set(), set()]


@pytest.mark.parametrize(("k", "size", "spaces"), [(10, 40, 2), (10, 12, 3), (3, 500, 2)])
def test_chance_is_the_mean_of_random_lists(k: int, size: int, spaces: int) -> None:
    draw = np.random.default_rng(0)
    lists = np.array([[draw.permutation(size)[:k] for _ in range(4_000)] for _ in range(spaces)])
    assert pairwise_jaccard(lists).mean() == pytest.approx(jaccard_by_chance(k, size), rel=0.05)
    share = np.mean([len(shared) / k for shared in shared_by_all(lists)])
    assert share == pytest.approx(shared_by_chance(k, size, spaces), rel=0.05)


def test_without_enough_words_there_is_no_chance() -> None:
    assert np.isnan(jaccard_by_chance(10, 9))
    assert np.isnan(shared_by_chance(0, 9, 2))
    assert jaccard_by_chance(9, 9) == 1
