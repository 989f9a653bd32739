"""A layout drawn like another: what is equal stays, what differs moves by how much, and neighbours are shown as well."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from lamplighter.geometry.aligned_layout import align_layout
from lamplighter.geometry.difference import compare_neighbourhoods
from lamplighter.geometry.displacements import displacements
from lamplighter.geometry.rank import rank_correlation
from lamplighter.geometry.trust import compute_full_trust

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
