from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from living_map.fuzzy_graph import FuzzyGraph, MembershipStrengths
from living_map.incremental_umap import IncrementalUmap
from living_map.settings import MapSettings
from living_map.sgd_kernel import AttractionCurve, carry_counters, power, run_epoch
from living_map.trust import TrustProbe
from tests.support.moving_towns import diameter, town
from tests.unit.living_map.edges import all_distances, edge_keys

SETTINGS = MapSettings(neighbours=12)


def test_one_epoch_matches_umap_learn() -> None:
    # The reference imports umap without its warning of what is not installed.
    from benchmarks.support.refit_umap import umap_  # noqa: F401, I001
    import umap.layouts

    rng = np.random.default_rng(0)
    graph = MembershipStrengths().build_graph(*all_distances(town(), 11), 200)
    period = (graph.weight.max() / graph.weight).astype(np.float64)
    start = rng.normal(size=(300, 2)).astype(np.float32) * 5
    generators = rng.integers(1 << 10, 1 << 30, size=(300, 3))
    curve = AttractionCurve(1.577, 0.895)
    ours, theirs = start.copy(), start.copy()
    our_state = [period.copy(), period / 5, generators.copy()]
    their_state = [period / 5, period / 5, period.copy(), generators.copy()]
    epoch_of_umap = umap.layouts._get_optimize_layout_euclidean_single_epoch_fn(False)
    nothing = np.zeros(1, dtype=np.float32)
    for epoch in range(30):
        # Start each epoch from the same positions: rounding differs, and the differences would grow over
        # several epochs.
        ours[:] = theirs
        run_epoch(
            ours, graph.head, graph.tail, period, our_state[0], our_state[1], 5.0, epoch, 0.1,
            curve.a, curve.b, curve.exponents, curve.mantissas, our_state[2],
        )  # fmt: skip
        epoch_of_umap(
            theirs, theirs, graph.head, graph.tail, 300, period, 1.577, 0.895, their_state[3], 1.0, 2, True, 0.1,
            their_state[0], their_state[1], their_state[2], epoch,
            False, nothing, nothing, 0, 0, 0, 0, nothing, nothing, 0,
        )  # fmt: skip
        # When two tokens almost coincide, the last digit decides how far they push each other apart.
        apart = np.abs(ours - theirs).max(axis=1)
        assert np.quantile(apart, 0.97) < 1e-4
        assert apart.max() < 0.05
    np.testing.assert_array_equal(our_state[0], their_state[2])
    np.testing.assert_array_equal(our_state[2], their_state[3])
    assert np.median(np.abs(ours - start)) > 0.3


@pytest.mark.parametrize("b", [0.4, 0.895, 1.52, 2.0])
def test_powers_are_exact_to_rounding(b: float) -> None:
    x = np.random.default_rng(0).lognormal(sigma=8, size=2_000).astype(np.float32)
    x = x[(x > 1e-15) & (x < 1e15)]
    curve = AttractionCurve(1.0, b)
    found = np.array([power(each, curve.exponents, curve.mantissas) for each in x])
    np.testing.assert_allclose(found, x.astype(np.float64) ** b, rtol=4e-7)


def test_carries_counters_by_edge() -> None:
    """An edge in both graphs keeps its elapsed share of the period; a new edge keeps its counter."""
    rng = np.random.default_rng(0)
    graphs: list[FuzzyGraph] = []
    for seed in (1, 2):
        vectors = town(60)
        vectors[:20] += np.random.default_rng(seed).normal(size=(20, 16)).astype(np.float32)
        graphs.append(MembershipStrengths().build_graph(*all_distances(vectors, 7), 200))
    old, new = graphs
    phase, behind = rng.random(len(old.head)), -rng.random(len(old.head))
    due, negative_due = np.full((2, len(new.head)), -1.0)
    kept, larger = np.zeros((2, 60))
    carry_counters(
        old.head, old.tail, old.weight, 100 + phase * old.period, 100 + behind * old.period,
        new.head, new.tail, new.weight, due, negative_due,
        old.weight.max(), new.weight.max(), 100, kept, larger,
    )  # fmt: skip
    shared, at_old, at_new = np.intersect1d(edge_keys(old), edge_keys(new), return_indices=True)
    assert 100 < len(shared) < len(new.head)
    np.testing.assert_allclose(due[at_new], 100 + phase[at_old] * new.period[at_new], rtol=1e-5)
    np.testing.assert_allclose(negative_due[at_new], 100 + behind[at_old] * new.period[at_new], rtol=1e-5)
    fresh = np.setdiff1d(np.arange(len(new.head)), at_new)
    assert (due[fresh] == -1).all()
    dense = np.zeros((2, 60, 60))
    for matrix, graph in zip(dense, graphs, strict=True):
        matrix[graph.head, graph.tail] = graph.weight
    np.testing.assert_allclose(kept, dense.min(axis=0).sum(axis=1), rtol=1e-6)
    np.testing.assert_allclose(larger, dense.max(axis=0).sum(axis=1), rtol=1e-6)


def test_shows_the_space_from_the_first_frame() -> None:
    vectors = town()
    probe = TrustProbe(300)
    probe.set_space(vectors)
    assert probe.estimate(IncrementalUmap(SETTINGS).draw_frame(vectors)).trust > 0.93


def test_a_resting_embedding_gives_a_resting_map() -> None:
    vectors = town()
    layout = IncrementalUmap(SETTINGS)
    layout.draw_frame(vectors)
    frames = 0
    while layout.unsettled:
        before = layout.draw_frame(vectors).copy()
        frames += 1
        assert frames < 40
    np.testing.assert_array_equal(layout.draw_frame(vectors), before)


def test_follows_without_jumping() -> None:
    """Two halves of the tokens swap places in the space, a little in every frame."""
    rng = np.random.default_rng(0)
    start, end = town(seed=1), town(seed=2)
    layout = IncrementalUmap(SETTINGS)
    before = layout.draw_frame(start).copy()
    probe = TrustProbe(300)
    moves = []
    for share in np.linspace(0.02, 1, 50, dtype=np.float32):
        vectors = (1 - share) * start + share * end
        vectors += 0.01 * rng.normal(size=vectors.shape).astype(np.float32)
        after = layout.draw_frame(vectors).copy()
        moves.append(np.median(np.linalg.norm(after - before, axis=1)) / diameter(after))
        assert 0.8 < diameter(after) / diameter(before) < 1.25
        before = after
    assert max(moves) < 0.06
    for _ in range(10):
        layout.draw_frame(end)
    probe.set_space(end)
    trust = probe.estimate(layout.draw_frame(end)).trust
    assert trust > 0.97 * probe.estimate(IncrementalUmap(SETTINGS).draw_frame(end)).trust


def test_continues_from_earlier_positions() -> None:
    vectors = town()
    first = IncrementalUmap(SETTINGS)
    for _ in range(20):
        first.draw_frame(vectors)
    assert first.coordinates is not None
    second = IncrementalUmap(SETTINGS, first.coordinates.copy())
    second.resume_from(vectors)
    after = second.draw_frame(vectors)
    moved = np.linalg.norm(after - first.coordinates, axis=1)
    assert np.median(moved) < 0.02 * diameter(first.coordinates)


@pytest.mark.parametrize("size", [1, 2, 3, 4, 11])
def test_handles_fewer_tokens_than_neighbours(size: int) -> None:
    layout = IncrementalUmap(SETTINGS)
    vectors = town(size, classes=2)
    for _ in range(3):
        places = layout.draw_frame(vectors)
        assert places.shape == (size, 2)
        assert np.isfinite(places).all()
    assert len(np.unique(places, axis=0)) == size


def test_handles_duplicates_and_zero_rows() -> None:
    vectors = town(100)
    vectors[:60] = vectors[0]
    vectors[60:70] = 0
    layout = IncrementalUmap(SETTINGS)
    for _ in range(5):
        places = layout.draw_frame(vectors)
        assert np.isfinite(places).all()
    vectors[:] = 1
    assert np.isfinite(layout.draw_frame(vectors)).all()


def nearest_distance(places: np.ndarray) -> float:
    """Return the median distance to the nearest neighbour on the map, as a share of the map's diameter."""
    distance = np.linalg.norm(places[:, None] - places[None], axis=2)
    np.fill_diagonal(distance, np.inf)
    return float(np.median(distance.min(axis=1))) / diameter(places)


def test_new_settings_continue_from_the_current_map() -> None:
    vectors = town()
    layout = IncrementalUmap(SETTINGS)
    before = layout.draw_frame(vectors)
    while layout.unsettled:
        before = layout.draw_frame(vectors)
    layout.change_settings(MapSettings(neighbours=30, min_dist=0.05, spread=1.0))
    assert layout.unsettled
    after = layout.draw_frame(vectors)
    assert np.median(np.linalg.norm(after - before, axis=1)) < 0.2 * diameter(before)
    for _ in range(60):
        after = layout.draw_frame(vectors) if layout.unsettled else after
    assert not layout.unsettled
    assert nearest_distance(after) < 0.8 * nearest_distance(before)


@pytest.mark.parametrize(
    "bad",
    [
        {"neighbours": 1},
        {"min_dist": 2.0, "spread": 1.0},
        {"min_dist": float("nan")},
        {"spread": 0.0, "min_dist": 0.0},
        {"negatives": 0},
        {"glide": 0.0},
    ],
)
def test_rejects_invalid_settings_with_a_message(bad: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="must be"):
        MapSettings(**bad)


def test_a_calm_token_hardly_moves() -> None:
    vectors = town()
    layout = IncrementalUmap(SETTINGS)
    before = layout.draw_frame(vectors)
    while layout.unsettled:
        before = layout.draw_frame(vectors)
    moved = np.flatnonzero(np.arange(300) % 10 < 2)
    rng = np.random.default_rng(3)
    went: list[np.ndarray] = []
    for _ in range(10):
        vectors[moved] += 0.2 * rng.normal(size=(len(moved), 16)).astype(np.float32)
        after = layout.draw_frame(vectors)
        went.append(np.linalg.norm(after - before, axis=1))
        before = after
    calm = np.delete(np.mean(went, axis=0), moved)
    assert np.median(calm) < 0.0015 * diameter(before)
    assert np.median(calm) < 0.2 * np.median(np.mean(went, axis=0)[moved])


def test_later_frames_do_not_overwrite_results() -> None:
    layout = IncrementalUmap(SETTINGS)
    given = layout.draw_frame(town(seed=1))
    copy = given.copy()
    for seed in (2, 3):
        layout.draw_frame(town(seed=seed))
    np.testing.assert_array_equal(given, copy)


def test_a_new_edge_starts_at_a_random_point_of_its_period() -> None:
    vectors = town()
    layout = IncrementalUmap(SETTINGS)
    layout.draw_frame(vectors)
    before, epoch = layout._optimiser.graph, layout._optimiser.epoch
    assert before is not None
    vectors[:150] = town(seed=4)[:150]
    layout._update_graph(vectors)
    after = layout._optimiser.graph
    assert after is not None
    new = ~np.isin(edge_keys(after), edge_keys(before))
    assert new.sum() > 500
    phase = (layout._optimiser.due[new] - epoch) / layout._optimiser.period[new]
    assert ((phase >= 0) & (phase <= 1)).all()
    # The counters are spread over the whole period.
    assert np.histogram(phase, 10, (0, 1))[0].min() > 0.05 * new.sum()


def test_the_learning_rate_follows_how_much_of_the_space_moved() -> None:
    rates = []
    for moved in (3, 30, 300):
        vectors = town()
        layout = IncrementalUmap(SETTINGS)
        while layout.unsettled:
            layout.draw_frame(vectors)
        vectors[:moved] += 0.3 * town(seed=5)[:moved]
        layout.draw_frame(vectors)
        rates.append(layout.learning_rate)
    assert 0 < 4 * rates[0] < rates[1] < 0.7 * rates[2]
