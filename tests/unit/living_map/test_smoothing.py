from __future__ import annotations

import numpy as np
import pytest

from living_map.smoothing import PositionSmoother


def steps(path: np.ndarray) -> float:
    return float(np.sqrt(np.square(np.diff(path, axis=0)).sum(axis=-1).mean()))


@pytest.mark.parametrize("share", [0.15, 0.6])
def test_smooths_better_than_one_mean_of_the_same_delay(share: float) -> None:
    rng = np.random.default_rng(0)
    smoother = PositionSmoother(np.zeros((200, 2), dtype=np.float32))
    one, alone = np.zeros((200, 2)), 1 / (2 / share - 1)
    shown: list[np.ndarray] = []
    means: list[np.ndarray] = []
    for _ in range(120):
        reached = rng.normal(size=(200, 2)).astype(np.float32)
        smoother.advance(reached, share)
        one = one + alone * (reached - one)
        shown.append(smoother.shown)
        means.append(one)
    twice, once = np.stack(shown[40:]), np.stack(means[40:])
    assert steps(twice) < (0.4 if share == 0.15 else 0.9) * steps(once)
    assert twice.std() < 1.1 * once.std()


@pytest.mark.parametrize("share", [0.15, 0.6])
def test_follows_steady_motion_at_a_fixed_delay(share: float) -> None:
    way = np.array([[1, -2]], dtype=np.float32)
    smoother = PositionSmoother(0 * way)
    shares = np.array([[share]], dtype=np.float32)
    for frame in range(100):
        before = smoother.shown
        smoother.advance(frame * way, shares)
    np.testing.assert_allclose(smoother.shown - before, way, rtol=1e-3)
    np.testing.assert_allclose(99 * way - smoother.shown, 2 * (1 / share - 1) * way, rtol=1e-3)


def test_a_token_moving_past_has_not_arrived() -> None:
    places = np.array([[0, 0], [10, 0]], dtype=np.float32)
    there = places + np.float32(3)
    smoother = PositionSmoother(places)
    assert smoother.has_arrived(places)
    smoother.advance(there, 0.5)
    assert not smoother.has_arrived(smoother.shown)
    frames = 0
    while not smoother.has_arrived(there):
        smoother.advance(there, 0.5)
        frames += 1
    assert frames < 20
    smoother.jump_to(there)
    assert smoother.has_arrived(smoother.shown)
    np.testing.assert_array_equal(smoother.shown, there)
