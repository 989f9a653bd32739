"""The common frame of several maps: what was only moved, turned, mirrored or scaled comes to lie on itself.

Random rotations: orthogonal, different for each seed, and preserving neighbours.
How much of a neighbourhood is the same in several spaces, against counting by hand and drawing at random.

A layout drawn like another: what is equal stays, what differs moves by how much, and neighbours are shown as well.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from lamplighter.geometry import motion as module
from lamplighter.geometry.aligned_layout import align_layout
from lamplighter.geometry.common_frame import (
    find_common_frame,
    jaccard_by_chance,
    pairwise_jaccard,
    shared_by_all,
    shared_by_chance,
)
from lamplighter.geometry.difference import compare_neighbourhoods
from lamplighter.geometry.motion import displacements, farthest_rows
from lamplighter.geometry.neighbours import all_nearest
from lamplighter.geometry.rank import rank_correlation
from lamplighter.geometry.rotation import random_rotation, rotate, share_of_kept_lists
from lamplighter.geometry.trust import compute_full_trust


def test_maps_that_differ_by_a_similarity_coincide() -> None:
    draw = np.random.default_rng(0)
    places = draw.standard_normal((50, 2))
    angle = 0.7
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    mirrored = 3 * places @ turn @ np.diag([1, -1]) + [5, -2]
    found = find_common_frame(np.array([places, places @ turn, mirrored]).astype(np.float32))
    moved = [one.apply(own) for one, own in zip(found, (places, places @ turn, mirrored), strict=True)]
    assert np.allclose(moved[0], moved[1], atol=1e-5)
    assert np.allclose(moved[0], moved[2], atol=1e-5)
    assert max(one.residual for one in found) < 1e-5
    # The first keeps its orientation, and the frame has a size of its own.
    assert np.allclose(found[0].turn, np.eye(2), atol=1e-5)
    assert np.square(moved[0]).sum(axis=1).mean() == pytest.approx(1)


def test_the_map_that_differs_has_the_largest_residual() -> None:
    draw = np.random.default_rng(1)
    places = draw.standard_normal((80, 2))
    maps = [places + 0.05 * draw.standard_normal((80, 2)) for _ in range(4)]
    found = find_common_frame(np.array([*maps, draw.standard_normal((80, 2))]))
    residuals = [one.residual for one in found]
    assert max(residuals[:4]) < 0.3 < 0.8 < residuals[4]


def test_maps_of_one_point_stay_points() -> None:
    (one, other) = find_common_frame(np.array([[[3.0, 4.0]], [[-1.0, 2.0]]]))
    assert one.apply(np.array([[3.0, 4.0]])).tolist() == [[0, 0]]
    assert other.residual == 0


@pytest.mark.parametrize("dim", [1, 2, 64])
def test_a_rotation_is_orthogonal(dim: int) -> None:
    rotation = random_rotation(dim, 3)
    assert np.allclose(rotation @ rotation.T, np.eye(dim), atol=1e-12)


def test_every_direction_is_equally_likely() -> None:
    first = np.array([random_rotation(3, seed)[0] for seed in range(400)])
    # Without the signs of R's diagonal, the first coordinate would never be positive.
    assert np.abs(first.mean(axis=0)).max() < 0.12
    assert np.allclose((first**2).mean(axis=0), 1 / 3, atol=0.06)


def test_keeps_lengths_and_neighbours() -> None:
    vectors = np.random.default_rng(0).standard_normal((50, 8)).astype(np.float32)
    turned = rotate(vectors, random_rotation(8, 1))
    assert turned.dtype == np.float32
    assert np.allclose(np.linalg.norm(turned, axis=1), np.linalg.norm(vectors, axis=1), rtol=1e-6)
    assert share_of_kept_lists(all_nearest(vectors, 5)[0], all_nearest(turned, 5)[0]) == 1


def test_compares_lists_as_sets() -> None:
    one, other = np.array([[1, 2], [3, 4], [5, 6]]), np.array([[2, 1], [3, 5], [5, 6]])
    assert share_of_kept_lists(one, other) == pytest.approx(2 / 3)
    assert np.isnan(share_of_kept_lists(one[:0], other[:0]))


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


@given(st.integers(0, 40), st.integers(1, 9), st.integers(0, 10_000))
def test_is_the_length_of_the_difference_and_zero_for_unchanged_rows(rows: int, dim: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    before = (rng.standard_normal((rows, dim)) * 10.0 ** rng.integers(-6, 6, (rows, 1))).astype(np.float32)
    after = before.copy()
    moved = rng.random(rows) < 0.5
    after[moved] += rng.standard_normal((int(moved.sum()), dim)).astype(np.float32)
    found = displacements(before, after)
    expected = np.linalg.norm(after.astype(np.float64) - before.astype(np.float64), axis=1)
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    assert ((found == 0) == (after == before).all(axis=1)).all()


def test_blocks_do_not_change_the_result(monkeypatch: pytest.MonkeyPatch) -> None:
    before, after = np.random.default_rng(2).standard_normal((2, 500, 7)).astype(np.float32)
    whole = displacements(before, after)
    monkeypatch.setattr(module, "_BLOCK", 20)
    np.testing.assert_array_equal(displacements(before, after), whole)


def test_lists_moved_rows_farthest_first() -> None:
    found = farthest_rows(np.array([0, 2, np.nan, 5, 2, 0, 1], dtype=np.float32), 4)
    assert found.tolist() == [3, 1, 4, 6]
    assert farthest_rows(np.array([0, np.nan], dtype=np.float32), 4).tolist() == []
    with pytest.raises(ValueError, match="shapes differ"):
        displacements(np.zeros((2, 3), np.float32), np.zeros((2, 4), np.float32))


Floats = NDArray[np.float32]
N = 300


def strewn(seed: int) -> tuple[Floats, Floats]:
    """Return a matrix of ten heaps, and a layout that shows them."""
    random = np.random.default_rng(seed)
    heap = np.arange(N) % 10
    within = random.standard_normal((N, 2))
    layout = 8 * np.stack((heap % 4, heap // 4), axis=1) + within
    vectors = 4 * random.standard_normal((10, 16))[heap]
    vectors[:, :2] += within
    return vectors.astype(np.float32), layout.astype(np.float32)


def align(one: Floats, other: Floats, layout: Floats) -> Floats:
    near = compare_neighbourhoods(one, other, np.arange(len(one)))
    return align_layout(layout, near, displacements(one, other))


def test_equal_matrices_are_drawn_alike_however_the_first_layout_was_made() -> None:
    vectors, layout = strewn(0)
    for places in (layout, np.random.default_rng(1).random((N, 2), dtype=np.float32), np.zeros_like(layout)):
        np.testing.assert_array_equal(align(vectors, vectors.copy(), places), places)
    # Rows that differ by less than any neighbour notices.
    np.testing.assert_array_equal(align(vectors, vectors * np.float32(1 + 1e-6), layout), layout)


@pytest.mark.parametrize("seed", range(3))
def test_words_that_changed_heap_move_to_it_and_equal_rows_stay(seed: int) -> None:
    vectors, layout = strewn(seed)
    random = np.random.default_rng(seed)
    moved = random.choice(N, 30, replace=False)
    other = vectors.copy()
    other[moved] = vectors[(moved + 5) % N] + 0.05
    places = align(vectors, other, layout)
    still = np.setdiff1d(np.arange(N), moved)
    np.testing.assert_array_equal(places[still], layout[still])
    target = layout[(moved + 5) % N]
    assert (np.linalg.norm(places[moved] - target, axis=1) < 4).all()
    assert compute_full_trust(other, places).trust > compute_full_trust(other, layout).trust


def test_words_move_by_how_far_their_rows_are() -> None:
    vectors, layout = strewn(4)
    random = np.random.default_rng(4)
    size = random.exponential(size=(N, 1))
    other = (vectors + size * random.standard_normal(vectors.shape)).astype(np.float32)
    moved = np.linalg.norm(align(vectors, other, layout) - layout, axis=1)
    distances = displacements(vectors, other)
    assert rank_correlation(moved, distances) > 0.5
    assert abs(rank_correlation(moved, random.permutation(distances))) < 0.2


def test_a_row_that_is_not_finite_stays() -> None:
    vectors, layout = strewn(5)
    other = vectors * 2
    other[::7] = np.nan
    other[1::7] += 3
    places = align(vectors, other, layout)
    assert np.isfinite(places).all()
    np.testing.assert_array_equal(places[::7], layout[::7])
