from __future__ import annotations

import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from lamplighter.projection.methods.refit_umap import umap_
from living_map.fuzzy_graph import FuzzyGraph, MembershipStrengths
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
