"""The optimiser's kernel beside a copy of itself whose inlined helpers are written out."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pytest

from lamplighter.projection.methods.refit_umap import umap_
from living_map import sgd_kernel
from living_map.fuzzy_graph import MembershipStrengths
from living_map.sgd_kernel import AttractionCurve, draw_integer, run_epoch
from tests.unit.living_map.edges import all_distances

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
