"""Random rotations: orthogonal, different for each seed, and preserving neighbours."""

from __future__ import annotations

import numpy as np
import pytest

from lamplighter.geometry.neighbours import all_nearest
from lamplighter.geometry.rotation import random_rotation, rotate, share_of_kept_lists


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
