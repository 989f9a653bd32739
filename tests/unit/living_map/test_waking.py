"""Where few rows moved, those whose neighbourhood changed are optimised, and the others hold the map in place."""

from __future__ import annotations

import numpy as np
import pytest

from living_map import incremental_umap, two_threads
from living_map.incremental_umap import IncrementalUmap
from living_map.settings import MapSettings
from living_map.trust import TrustProbe
from living_map.waking import RESTING_RATE, WAKING_CHANGE, RowRates, split_edges

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
