"""The optimiser's kernel beside a copy of itself whose inlined helpers are written out.

The joint layout keeps the neighbours of slices whose rows all moved, and is the same without.
"""

from __future__ import annotations

import inspect
from typing import Any

import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.sparse import csr_array

from benchmarks.support.refit_umap import umap_
from lamplighter.geometry.neighbours import all_nearest
from living_map import joint_umap, sgd_kernel
from living_map.fuzzy_graph import FuzzyGraph, MembershipStrengths
from living_map.joint_umap import LEARNING_RATES, JointLayout
from living_map.nearest_neighbours import KnownNeighbours, NeighbourIndex, NeighbourUpdate
from living_map.settings import MapSettings
from living_map.sgd_kernel import AttractionCurve, draw_integer, run_epoch
from tests.unit.living_map.edges import all_distances, edge_keys

# The same source, single-threaded and cached on disk: as umap-learn compiles it, it takes three seconds per process.
umap_smooth_distances = numba.njit(umap_.smooth_knn_dist.py_func, cache=True)
umap_membership_strengths = numba.njit(umap_.compute_membership_strengths.py_func, cache=True)


def town(rng: np.random.Generator, size: int) -> np.ndarray:
    centres = rng.normal(size=(8, 12))
    return (centres[np.arange(size) % 8] + 0.4 * rng.normal(size=(size, 12))).astype(np.float32)


def whole(ids: np.ndarray, distances: np.ndarray, horizon: int) -> FuzzyGraph:
    """Build the graph step by step as umap-learn does, on sparse matrices."""
    size, k = ids.shape
    with_self = np.concatenate((np.arange(size, dtype=np.int32)[:, None], ids), axis=1)
    distances = np.concatenate((np.zeros((size, 1), np.float32), distances), axis=1)
    heads, tails, weights, _ = umap_membership_strengths(
        with_self, distances, *umap_smooth_distances(distances, float(k + 1))
    )
    own = csr_array((weights, (heads, tails)), shape=(size, size))
    other = own.T.tocsr()
    edges = (own + other - own * other).tocoo()
    strong = (edges.data > 0) & (edges.data >= edges.data.max(initial=0) / horizon)
    order = np.lexsort((edges.col[strong], edges.row[strong]))
    return FuzzyGraph(size, *(part[strong][order] for part in (edges.row, edges.col, edges.data)))


def assert_same(found: FuzzyGraph, expected: FuzzyGraph) -> None:
    # Weights near the cut-off may fall on either side of it.
    kept, least = np.intersect1d(edge_keys(found), edge_keys(expected)), 1e-3 + found.weight.max() / 200
    for graph in (found, expected):
        assert graph.weight[~np.isin(edge_keys(graph), kept)].max(initial=0) < least
    found, expected = (
        FuzzyGraph(g.size, g.head[mask], g.tail[mask], g.weight[mask])
        for g, mask in ((g, np.isin(edge_keys(g), kept)) for g in (found, expected))
    )
    np.testing.assert_allclose(found.weight, expected.weight, atol=2e-5)


def test_matches_umap_learn(monkeypatch: pytest.MonkeyPatch) -> None:
    import umap

    # Not compiled: for so few tokens, compiling takes longer.
    for name in ("fast_knn_indices", "smooth_knn_dist", "compute_membership_strengths"):
        monkeypatch.setattr(umap.umap_, name, getattr(umap.umap_, name).py_func)
    vectors = town(np.random.default_rng(0), 300)
    theirs = umap.UMAP(n_neighbors=12, metric="cosine", transform_mode="graph").fit(vectors).graph_.tocoo()
    ours = MembershipStrengths().build_graph(*all_distances(vectors, 11), horizon=10**6)
    dense = np.zeros((2, 300, 300), dtype=np.float32)
    dense[0, theirs.row, theirs.col] = theirs.data
    dense[1, ours.head, ours.tail] = ours.weight
    np.testing.assert_allclose(dense[1], dense[0], atol=2e-3)


@given(seed=st.integers(0, 2**32 - 1), size=st.integers(3, 90), k=st.integers(1, 20))
@settings(max_examples=40, deadline=None)
def test_updates_equal_a_full_build(seed: int, size: int, k: int) -> None:
    rng = np.random.default_rng(seed)
    vectors = town(rng, size)
    vectors[rng.random(size) < 0.2] = vectors[0]
    vectors[rng.random(size) < 0.1] = 0
    strengths = MembershipStrengths()
    changed: np.ndarray | None = None
    before: tuple[np.ndarray, np.ndarray] | None = None
    for _ in range(4):
        ids, distances = all_distances(vectors, k)
        if before is not None:
            changed = (ids != before[0]).any(axis=1) | (distances != before[1]).any(axis=1)
        assert_same(strengths.build_graph(ids, distances, 200, changed), whole(ids, distances, 200))
        before = ids, distances
        some = rng.integers(0, size, size // 5)
        vectors[some] += rng.normal(size=(len(some), 12)).astype(np.float32)


@pytest.mark.parametrize("horizon", [2, 20])
def test_drops_edges_too_weak_to_fire(horizon: int) -> None:
    graph = MembershipStrengths().build_graph(
        *all_distances(town(np.random.default_rng(0), 100), 15), horizon
    )
    assert 0 < graph.period.max() <= horizon * (1 + 1e-6)


def test_handles_identical_tokens() -> None:
    graph = MembershipStrengths().build_graph(*all_distances(np.ones((6, 3), dtype=np.float32), 5), 200)
    assert len(graph.head) == 30
    assert (graph.weight == 1).all()


WRITTEN_OUT = {
    "dx, dy, distance = offset_from(coordinates, k, x, y)": "dx, dy = x - coordinates[k, 0], y - coordinates[k, 1]; "
    "distance = dx * dx + dy * dy",
    "x += clip_change(push * dx) * alpha": "x += min(np.float32(4), max(np.float32(-4), push * dx)) * alpha",
    "y += clip_change(push * dy) * alpha": "y += min(np.float32(4), max(np.float32(-4), push * dy)) * alpha",
}


def test_inlined_helpers_change_no_bit() -> None:
    source = inspect.getsource(run_epoch.py_func).replace("cache=True", "cache=False")
    for call, written in WRITTEN_OUT.items():
        assert call in source
        source = source.replace(call, written)
    names: dict[str, Any] = dict(vars(sgd_kernel))
    exec(source, names)

    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(200, 8)).astype(np.float32)
    graph = MembershipStrengths().build_graph(*all_distances(vectors, 10), 200)
    start = (5 * rng.normal(size=(200, 2))).astype(np.float32)
    generators = rng.integers(1 << 10, 1 << 30, size=(200, 3))
    curve = AttractionCurve(1.577, 0.895)
    results: list[np.ndarray] = []
    for kernel in (run_epoch, names["run_epoch"]):
        coordinates, state = start.copy(), [graph.period.copy(), graph.period / 5, generators.copy()]
        for epoch in range(40):
            kernel(
                coordinates, graph.head, graph.tail, graph.period, state[0], state[1], 5.0, epoch, 0.1,
                curve.a, curve.b, curve.exponents, curve.mantissas, state[2],
            )  # fmt: skip
        results.append(coordinates)
    np.testing.assert_array_equal(*results)
    assert np.abs(results[0] - start).max() > 0.3


def test_random_integers_match_umap_learn() -> None:
    from umap import utils

    ours = np.random.default_rng(0).integers(1 << 10, 1 << 30, size=3)
    theirs = ours.copy()
    drawn = [int(draw_integer(ours)) for _ in range(1_000)]
    assert drawn == [int(utils.tau_rand_int.py_func(theirs).astype(np.int32)) for _ in range(1_000)]
    assert len(set(drawn)) > 990
    assert min(drawn) < 0 < max(drawn)


@pytest.mark.parametrize(("spread", "min_dist"), [(1.5, 1.0), (1.0, 0.1), (5.0, 0.0)])
def test_the_curve_matches_umap_learn(spread: float, min_dist: float) -> None:
    curve = AttractionCurve.fit(spread, min_dist)
    with np.errstate(all="ignore"):
        theirs = umap_.find_ab_params(spread, min_dist)
    np.testing.assert_allclose((curve.a, curve.b), theirs, rtol=1e-6)


V, T = 60, 3
SLICES = np.random.default_rng(2).normal(size=(T, V, 8)).cumsum(axis=0).astype(np.float32)


def _lay_out(monkeypatch: pytest.MonkeyPatch) -> tuple[JointLayout, int]:
    """Return a layout of all slices, and how often all rows were ranked."""
    rankings: list[int] = []
    update = NeighbourIndex.update

    def count(
        index: NeighbourIndex, vectors: NDArray[np.float32], known: KnownNeighbours | None = None
    ) -> NeighbourUpdate:
        made = update(index, vectors, known)
        if made.ranked:
            rankings.append(made.ranked)
        return made

    joint = JointLayout(T, V, MapSettings())
    with monkeypatch.context() as patched:
        patched.setattr(NeighbourIndex, "update", count)
        for sweep in range(len(LEARNING_RATES)):
            for index in range(T) if sweep % 2 else reversed(range(T)):
                joint.refine_slice(index, SLICES[index], sweep)
    assert set(rankings) == {V}
    return joint, len(rankings)


def test_all_rows_of_a_slice_are_ranked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    joint, rankings = _lay_out(monkeypatch)
    assert rankings == T
    k = MapSettings().neighbours - 1
    known = joint.known_neighbours(1, k)
    assert known is not None
    np.testing.assert_array_equal(known.ids, all_nearest(SLICES[1], k)[0])
    assert joint.known_neighbours(1, k - 1) is None
    monkeypatch.setattr(joint_umap, "_KEPT_BYTES", 0)
    without, more = _lay_out(monkeypatch)
    # Where a sweep turns, no row has moved.
    assert more == T + (len(LEARNING_RATES) - 1) * (T - 1)
    assert without.known_neighbours(1, k) is None
    assert without.coordinates.tobytes() == joint.coordinates.tobytes()
