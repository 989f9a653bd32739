"""`motion="faithful"`: a row moves on the map as it moved in the space.

Where few rows moved, those whose neighbourhood changed are optimised, and the others hold the map in place.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import rankdata

from living_map import incremental_umap, two_threads
from living_map.incremental_umap import IncrementalUmap, PositionSmoother, row_mobility
from living_map.nearest_neighbours import NeighbourIndex
from living_map.procrustes import align_to_previous, fit_rigid_motion
from living_map.settings import MapSettings, Motion
from living_map.trust import TrustProbe
from living_map.waking import RESTING_RATE, WAKING_CHANGE, RowRates, split_edges
from tests.support.moving_towns import town


def drawn(motion: Motion, frames: list[np.ndarray]) -> tuple[IncrementalUmap, list[np.ndarray]]:
    layout = IncrementalUmap(MapSettings(neighbours=12, warm_epochs=40, motion=motion))
    return layout, [layout.draw_frame(frame) for frame in frames]


def test_rows_at_rest_stay_where_they_are_to_the_bit() -> None:
    before = town()
    after = before.copy()
    after[:20] = town(seed=1)[5:25]
    layout, (first, second) = drawn("faithful", [before, after])
    np.testing.assert_array_equal(second[20:], first[20:])
    assert np.linalg.norm(second[:20] - first[:20], axis=1).min() > 0
    third = layout.draw_frame(after)
    np.testing.assert_array_equal(third[20:], first[20:])
    assert np.abs(third[:20] - second[:20]).max() > 0, "moved rows go on settling while the space rests"
    for _ in range(40):
        third = layout.draw_frame(after)
    assert not layout.unsettled
    np.testing.assert_array_equal(layout.draw_frame(after), third)


def test_the_way_on_the_map_follows_the_way_in_the_space() -> None:
    rng = np.random.default_rng(0)
    frames = [town()]
    for _ in range(6):
        ways = rng.lognormal(mean=-3.5, sigma=1.5, size=(300, 1))
        frames.append(frames[-1] + (ways * rng.normal(size=(300, 16))).astype(np.float32))
    units = [frame / np.linalg.norm(frame, axis=1, keepdims=True) for frame in frames]
    travelled = np.linalg.norm(np.diff(units, axis=0), axis=2).ravel()
    found: dict[Motion, float] = {}
    for motion in ("smooth", "faithful"):
        _, maps = drawn(motion, frames)
        moved = np.linalg.norm(np.diff(maps, axis=0), axis=2).ravel()
        found[motion] = float(np.corrcoef(rankdata(travelled), rankdata(moved))[0, 1])
    assert found["faithful"] > 0.7
    assert found["faithful"] > found["smooth"] + 0.2


def test_mobility_is_in_proportion_up_to_ten_times_the_mean() -> None:
    travelled = np.zeros(100, dtype=np.float32)
    assert not row_mobility(travelled).any()
    travelled[:2] = 1, 99  # the mean is 1
    assert row_mobility(travelled).ravel()[:3].tolist() == pytest.approx([0.1, 1, 0])
    travelled[2] = np.inf  # has just arrived, and counts in no mean
    assert row_mobility(travelled).ravel()[:4].tolist() == pytest.approx([0.099, 1, 1, 0])
    assert row_mobility(np.ones(7, dtype=np.float32)).ravel().tolist() == pytest.approx([0.1] * 7)


@pytest.mark.parametrize("moved_rows", [3, 280])
def test_the_index_knows_how_far_rows_went_until_others_move(moved_rows: int) -> None:
    vectors = town()
    index = NeighbourIndex(11)
    index.update(vectors)
    assert np.isinf(index.travelled).all(), "all rows have just arrived"
    vectors[:moved_rows] *= -1
    index.update(vectors)
    expected = np.where(np.arange(300) < moved_rows, 2, 0)
    np.testing.assert_allclose(index.travelled, expected, atol=1e-6)
    index.update(vectors)
    np.testing.assert_allclose(index.travelled, expected, atol=1e-6)
    vectors[0] *= 3
    index.update(vectors)
    np.testing.assert_allclose(index.travelled, 0, atol=1e-6)


def test_an_unknown_motion_is_refused() -> None:
    with pytest.raises(ValueError, match='motion must be "smooth" or "faithful"'):
        MapSettings(motion="wild")  # pyright: ignore[reportArgumentType]


SETTINGS = MapSettings(neighbours=10, whole_below=0)


def clusters(size: int = 300, kinds: int = 6) -> np.ndarray:
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(kinds, 8))
    return (centres[np.arange(size) % kinds] + 0.2 * rng.normal(size=(size, 8))).astype(np.float32)


def settled(rows: np.ndarray, settings: MapSettings = SETTINGS) -> IncrementalUmap:
    layout = IncrementalUmap(settings)
    layout.draw_frame(rows)
    for _ in range(100):
        if not layout.unsettled:
            return layout
        layout.draw_frame(rows)
    raise AssertionError("the map does not come to rest")


def test_a_row_that_changes_its_cluster_arrives_and_rows_far_from_it_stay_to_the_bit() -> None:
    rows = clusters()
    layout = settled(rows)
    assert layout.coordinates is not None
    before = layout.coordinates.copy()
    assert layout.draw_frame(rows) is layout.coordinates
    rows[0] = rows[3] + 0.01
    for _ in range(60):
        after = layout.draw_frame(rows)
        if not layout.unsettled:
            break
    assert not layout.unsettled
    kind = np.arange(300) % 6
    middles = np.array([after[1:][kind[1:] == one].mean(axis=0) for one in range(6)])
    assert np.linalg.norm(after[0] - middles, axis=1).argmin() == 3
    # Only the two clusters that it left and entered are stirred.
    assert np.array_equal(after[kind == 5], before[kind == 5])
    assert not np.array_equal(after[0], before[0])


def test_small_changes_wake_a_row_once_they_have_added_up() -> None:
    rates = RowRates(3, 0.0)
    unrest = np.array([WAKING_CHANGE * 0.6, WAKING_CHANGE, 0], dtype=np.float32)
    rates.wake(unrest, 2.0, 1.0)
    assert (rates.rates > 0).tolist() == [False, True, False]
    rates.wake(unrest, 2.0, 1.0)
    assert (rates.rates > 0).tolist() == [True, True, False]
    assert rates.rates[0] == pytest.approx(2.4 * WAKING_CHANGE)
    nothing = np.zeros(3, dtype=np.float32)
    while rates.rates.any():
        assert rates.rates[rates.rates > 0].min() >= RESTING_RATE
        rates.wake(nothing, 2.0, 1.0)


def test_edges_that_pull_are_split_by_halves_and_those_between_sleepers_wait() -> None:
    head, tail = np.array([0, 0, 1, 2, 2], dtype=np.int32), np.array([1, 2, 2, 0, 3], dtype=np.int32)
    rates = np.array([0, 0, 0.1, 0], dtype=np.float32)
    second = np.array([True, False, False, True])
    due, negative_due = np.arange(5.0), np.arange(5.0) - 1
    within, beyond, between = split_edges(head, tail, rates, second, due, negative_due, -7, 10)
    assert (within.tolist(), beyond.tolist(), between.tolist()) == ([2], [], [1, 3])
    assert due.tolist() == [10, 1, 2, 3, 4]
    assert negative_due.tolist() == [9, 0, 1, 2, 3]


def test_a_map_of_which_parts_sleep_is_as_true_as_one_optimised_whole() -> None:
    found: list[float] = []
    for whole_below in (0, 1_000):
        rows, rng = clusters(600, 12), np.random.default_rng(1)
        layout = settled(rows, MapSettings(neighbours=10, whole_below=whole_below))
        for _ in range(30):
            some = rng.choice(600, 6, replace=False)
            rows[some] = rows[(some + 1) % 600] + 0.1 * rng.normal(size=(6, 8)).astype(np.float32)
            places = layout.draw_frame(rows)
        probe = TrustProbe(600)
        probe.set_space(rows)
        found.append(probe.estimate(places).trust)
    assert found[0] > found[1] - 0.02


def test_a_map_in_halves_is_as_true_and_the_same_on_one_core(monkeypatch: pytest.MonkeyPatch) -> None:
    found: list[np.ndarray] = []
    trust: list[float] = []
    for least, cores in ((1_000, 1), (100, 1), (100, 2)):
        monkeypatch.setattr(two_threads, "MIN_ROWS", least)
        monkeypatch.setattr(two_threads, "_cores", lambda cores=cores: cores)
        rows = clusters(600, 12)
        layout = settled(rows)
        for _ in range(5):
            rows[:6] += 0.1
            places = layout.draw_frame(rows)
        probe = TrustProbe(600)
        probe.set_space(rows)
        found.append(places)
        trust.append(probe.estimate(places).trust)
    assert np.array_equal(found[1], found[2])
    assert not np.array_equal(found[0], found[1])
    assert trust[1] > trust[0] - 0.02


def test_a_frame_in_which_most_of_many_rows_are_stirred_has_half_the_epochs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rows = clusters()
    layout = settled(rows)
    monkeypatch.setattr(incremental_umap, "_HURRIED_FROM", 300)
    epochs: list[int] = []
    for change in (1.0, 0.0):
        rows += np.float32(change) * np.random.default_rng(1).normal(size=rows.shape).astype(np.float32)
        before = layout._optimiser.epoch
        layout.draw_frame(rows)
        epochs.append(layout._optimiser.epoch - before)
    assert epochs == [5, 10]


def test_a_fit_of_many_rows_is_shown_before_it_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = clusters()
    probe = TrustProbe(300)
    probe.set_space(rows)
    whole = probe.estimate(settled(rows).coordinates).trust
    monkeypatch.setattr(incremental_umap, "_FITTED_IN_PARTS_FROM", 100)
    layout = IncrementalUmap(SETTINGS)
    layout.draw_frame(rows)
    frames = 1
    while layout.fitting:
        assert layout.unsettled
        rows[0] += 0.01
        layout.draw_frame(rows)
        frames += 1
    assert frames == 7
    probe.set_space(rows)
    assert probe.estimate(layout.coordinates).trust > whole - 0.02


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
