"""Every layout method handles unusual spaces."""

from __future__ import annotations

import numpy as np
import pytest

from lamplighter.contract.recipe import MapMethodKind, MapRecipe
from lamplighter.projection.methods.refit_umap import align_or_mirror
from lamplighter.projection.methods.registry import (
    METHODS,
    make_method,
    make_replacement_method,
    settings_from_recipe,
)
from lamplighter.projection.projector import Projector
from lamplighter.runfolder.tables.layouts import LayoutsReader, LayoutsWriter
from lamplighter.wire.layout_frames import Method
from living_map.settings import MapSettings
from living_map.trust import TrustProbe
from tests.support.moving_towns import diameter, town

# Refitting imports and compiles all of umap-learn, which takes ten seconds in the first test.
KINDS = ["umap", pytest.param("refit", marks=pytest.mark.tour), "pca"]


def chosen(method: MapMethodKind) -> MapRecipe:
    return MapRecipe(method=method, neighbours=12)


def test_default_recipe_matches_default_settings() -> None:
    assert settings_from_recipe(MapRecipe()) == MapSettings()


@pytest.mark.parametrize("method", KINDS)
def test_a_resting_embedding_gives_a_resting_map(method: MapMethodKind) -> None:
    vectors = town(80)
    made = make_method(chosen(method))
    assert made.unsettled
    places = made.draw_frame(vectors)
    for _ in range(80):
        if made.unsettled:
            places = made.draw_frame(vectors).copy()
    assert not made.unsettled
    np.testing.assert_allclose(made.draw_frame(vectors), places, atol=1e-3)
    probe = TrustProbe(80)
    probe.set_space(vectors)
    assert probe.estimate(places).trust > (0.7 if method == "pca" else 0.8)


@pytest.mark.parametrize("method", KINDS)
@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 11])
def test_handles_fewer_tokens_than_neighbours(method: MapMethodKind, size: int) -> None:
    vectors = town(size, classes=2)
    made = make_method(chosen(method))
    for _ in range(3):
        places = made.draw_frame(vectors)
        vectors = vectors + np.float32(0.1)
        assert places.shape == (size, 2)
        assert np.isfinite(places).all()
    assert len(np.unique(places, axis=0)) == size


@pytest.mark.parametrize("method", KINDS)
def test_handles_duplicates_and_zero_rows(method: MapMethodKind) -> None:
    vectors = town(100)
    vectors[:60] = vectors[0]
    vectors[60:70] = 0
    made = make_method(chosen(method))
    assert np.isfinite(made.draw_frame(vectors)).all()
    vectors[:] = 1
    assert np.isfinite(made.draw_frame(vectors)).all()


@pytest.mark.parametrize("method", KINDS)
def test_a_row_that_is_not_finite_costs_one_frame(tmp_path, method: MapMethodKind) -> None:
    path = tmp_path / "layouts.sqlite"
    vectors = town(40)
    with LayoutsWriter(path) as writer, LayoutsReader(path) as reader:
        projector = Projector(writer, reader, 40, chosen(method))
        projector.start_map()
        assert projector.project_step(vectors, 1, 1)
        wild = vectors.copy()
        wild[3] = np.nan
        assert not projector.project_step(wild, 1, 2)
        assert projector.project_step(vectors, 1, 3)
        drawn = [e.step for e in reader.layout_entries() if e.method is METHODS[method]]
        assert drawn == [1, 3]
        assert reader.facts()["skipped"]["step"] == 2


def test_pca_aligns_to_the_last_layout() -> None:
    vectors = town(120)
    made = make_method(chosen("pca"))
    before = made.draw_frame(vectors)
    after = made.draw_frame(vectors + np.float32(1e-3) * town(120, seed=5))
    assert np.linalg.norm(after - before, axis=1).max() < 0.01 * diameter(before)


def test_a_refit_aligns_to_the_last_layout_even_mirrored() -> None:
    before = town(120)[:, :2]
    turned = (before * np.array([-1, 1])) @ np.array([[0, 1], [-1, 0]]) + 7
    np.testing.assert_allclose(align_or_mirror(turned.astype(np.float32), before), before, atol=0.05)


def test_incremental_umap_continues_from_another_method() -> None:
    vectors = town()
    pca = make_method(chosen("pca")).draw_frame(vectors)
    made = make_replacement_method(chosen("umap"), vectors, pca)
    probe = TrustProbe(300)
    probe.set_space(vectors)
    after = made.draw_frame(vectors)
    assert probe.estimate(after).trust > 0.93
    # Aligned to the PCA map: seen from the centre, most tokens keep their direction.
    one, two = pca - pca.mean(axis=0), after - after.mean(axis=0)
    assert ((one * two).sum(axis=1) > 0).mean() > 0.6


def test_every_method_draws_the_map_not_the_linear_view() -> None:
    assert {method.view for method in METHODS.values()} == {Method.UMAP}
    assert Method.LINEAR.view is Method.LINEAR
