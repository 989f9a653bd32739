from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from living_map.procrustes import align_to_previous, fit_rigid_motion

seeds = st.integers(0, 2**32 - 1)


@given(seed=seeds, size=st.integers(2, 50), angle=st.floats(-3.1, 3.1))
@settings(max_examples=80, deadline=None)
def test_recovers_a_rotation(seed: int, size: int, angle: float) -> None:
    rng = np.random.default_rng(seed)
    before = rng.normal(size=(size, 2)).astype(np.float32)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    moved = (before @ turn.T + rng.normal(size=2)).astype(np.float32)
    motion = fit_rigid_motion(moved, before)
    np.testing.assert_allclose(motion.apply(moved), before, atol=1e-4)
    np.testing.assert_allclose(motion.rotation, turn.T, atol=1e-3)


@given(seed=seeds, size=st.integers(1, 30), mirrored=st.booleans())
@settings(max_examples=80, deadline=None)
def test_never_reflects_or_scales(seed: int, size: int, mirrored: bool) -> None:
    rng = np.random.default_rng(seed)
    source = rng.normal(size=(size, 2)).astype(np.float32)
    target = 3 * source * [-1, 1] if mirrored else 3 * rng.normal(size=(size, 2))
    motion = fit_rigid_motion(source, target)
    assert np.linalg.det(motion.rotation) == pytest.approx(1)
    moved = motion.apply(source).astype(np.float64)
    distances = [np.linalg.norm(p[:, None] - p[None], axis=2) for p in (source, moved)]
    np.testing.assert_allclose(distances[0], distances[1], atol=1e-4)


def test_does_not_rotate_if_all_rotations_fit() -> None:
    same = np.ones((4, 2), dtype=np.float32)
    np.testing.assert_array_equal(fit_rigid_motion(same, 2 * same).rotation, np.eye(2))


@given(seed=seeds, angle=st.floats(-1, 1))
@settings(max_examples=40, deadline=None)
def test_a_district_that_moves_does_not_drag_the_rest(seed: int, angle: float) -> None:
    rng = np.random.default_rng(seed)
    before = rng.normal(size=(100, 2)).astype(np.float32)
    after = before.copy()
    after[:30] += (4, 1)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]], dtype=np.float32)
    settled = align_to_previous(after @ turn.T, before)
    np.testing.assert_allclose(settled[30:], before[30:], atol=0.25)
    assert np.median(np.linalg.norm(settled[30:] - before[30:], axis=1)) < 0.15
