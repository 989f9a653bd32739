"""The common frame of several maps: what was only moved, turned, mirrored or scaled comes to lie on itself."""

from __future__ import annotations

import numpy as np
import pytest

from lamplighter.geometry.common_frame import find_common_frame


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
