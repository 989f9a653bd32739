"""The map and the linear view handle unusual spaces."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from lamplighter.contract.recipe import MapRecipe
from lamplighter.projection.linear_view import LinearView, principal_view
from lamplighter.projection.projector import Projector
from lamplighter.projection.umap_view import make_map, make_map_beside, settings_from_recipe
from lamplighter.runfolder.tables.layouts import LayoutsReader, LayoutsWriter
from lamplighter.wire.layout_frames import Method
from living_map.settings import MapSettings
from living_map.trust import TrustProbe
from tests.support.moving_towns import town

CHOSEN = MapRecipe(neighbours=12)


def test_default_recipe_matches_default_settings() -> None:
    assert settings_from_recipe(MapRecipe()) == MapSettings()


def test_a_resting_embedding_gives_a_resting_map() -> None:
    vectors = town(80)
    made = make_map(CHOSEN)
    assert made.unsettled
    places = made.draw_frame(vectors)
    for _ in range(80):
        if made.unsettled:
            places = made.draw_frame(vectors).copy()
    assert not made.unsettled
    np.testing.assert_allclose(made.draw_frame(vectors), places, atol=1e-3)
    probe = TrustProbe(80)
    probe.set_space(vectors)
    assert probe.estimate(places).trust > 0.8


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 11])
def test_handles_fewer_tokens_than_neighbours(size: int) -> None:
    vectors = town(size, classes=2)
    made = make_map(CHOSEN)
    for _ in range(3):
        places = made.draw_frame(vectors)
        vectors = vectors + np.float32(0.1)
        assert places.shape == (size, 2)
        assert np.isfinite(places).all()
    assert len(np.unique(places, axis=0)) == size


def test_handles_duplicates_and_zero_rows() -> None:
    vectors = town(100)
    vectors[:60] = vectors[0]
    vectors[60:70] = 0
    made = make_map(CHOSEN)
    assert np.isfinite(made.draw_frame(vectors)).all()
    vectors[:] = 1
    assert np.isfinite(made.draw_frame(vectors)).all()


def test_a_row_that_is_not_finite_costs_one_frame(tmp_path) -> None:
    path = tmp_path / "layouts.sqlite"
    vectors = town(40)
    with LayoutsWriter(path) as writer, LayoutsReader(path) as reader:
        projector = Projector(writer, reader, 40, CHOSEN)
        projector.start_map()
        assert projector.project_step(vectors, 1, 1)
        wild = vectors.copy()
        wild[3] = np.nan
        assert not projector.project_step(wild, 1, 2)
        assert projector.project_step(vectors, 1, 3)
        drawn = [e.step for e in reader.layout_entries() if e.method is Method.UMAP]
        assert drawn == [1, 3]
        assert reader.facts()["skipped"]["step"] == 2


@pytest.mark.parametrize("mirror", [1, -1])
def test_the_map_continues_from_a_layout_by_another_method(mirror: int) -> None:
    vectors = town()
    before = principal_view(vectors, 0, 0).project(vectors) * np.float32([mirror, 1])
    made = make_map_beside(CHOSEN, vectors, before)
    probe = TrustProbe(300)
    probe.set_space(vectors)
    after = made.draw_frame(vectors)
    assert probe.estimate(after).trust > 0.93
    # Aligned: seen from the centre, most tokens keep their direction.
    one, two = before - before.mean(axis=0), after - after.mean(axis=0)
    assert ((one * two).sum(axis=1) > 0).mean() > 0.6


@pytest.mark.parametrize("earlier", ["umap", "refit", "pca"])
def test_a_recipe_that_names_an_earlier_method_is_read(earlier: str) -> None:
    assert MapRecipe.model_validate({"method": earlier, "neighbours": 12}) == CHOSEN


@pytest.mark.parametrize("method", ["magic", ["pca"], None, 3])
def test_no_other_method_is_accepted(method: object) -> None:
    with pytest.raises(ValidationError, match="method"):
        MapRecipe.model_validate({"method": method})


@given(seed=st.integers(0, 2**32 - 1), size=st.integers(2, 60), moved=st.integers(0, 60))
@settings(max_examples=60, deadline=None)
def test_an_unchanged_row_does_not_move(seed: int, size: int, moved: int) -> None:
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(size, 7)).astype(np.float32)
    view = principal_view(vectors, 1, 0)
    before = view.project(vectors)
    touched = rng.choice(size, min(moved, size), replace=False)
    vectors[touched] += rng.normal(size=(len(touched), 7)).astype(np.float32)
    after = view.project(vectors)
    rests = np.setdiff1d(np.arange(size), touched)
    np.testing.assert_array_equal(after[rests], before[rests])


def test_shows_the_directions_of_most_variance() -> None:
    rng = np.random.default_rng(0)
    vectors = (rng.normal(size=(400, 5)) * [1, 9, 1, 4, 1] + 3).astype(np.float32)
    view = principal_view(vectors, 1, 40)
    np.testing.assert_allclose(np.abs(view.basis[[1, 3], [0, 1]]), 1, atol=0.02)
    np.testing.assert_allclose(view.basis.T @ view.basis, np.eye(2), atol=1e-6)
    places = view.project(vectors)
    np.testing.assert_allclose(places.mean(axis=0), 0, atol=1e-4)
    np.testing.assert_allclose(places.std(axis=0), [9, 4], rtol=0.15)


def test_new_directions_match_the_previous_layout() -> None:
    rng = np.random.default_rng(1)
    vectors = (rng.normal(size=(300, 6)) * [5, 4, 1, 1, 1, 1]).astype(np.float32)
    mirrored = vectors[:, :2] * np.float32([-1, 1])
    places = principal_view(vectors, 1, 400, like=mirrored[:, ::-1]).project(vectors)
    assert np.corrcoef(places[:, 0], mirrored[:, 1])[0, 1] > 0.9
    assert np.corrcoef(places[:, 1], mirrored[:, 0])[0, 1] > 0.9


def test_round_trips_through_facts() -> None:
    vectors = np.random.default_rng(2).normal(size=(9, 4)).astype(np.float32)
    view = principal_view(vectors, 2, 17)
    again = LinearView.from_facts(json.loads(json.dumps(view.to_facts())))
    assert (again.attempt, again.step) == (2, 17)
    np.testing.assert_array_equal(again.project(vectors), view.project(vectors))
    with pytest.raises(ValueError, match="do not fit"):
        LinearView.from_facts({"centre": [0, 0], "basis": [[1, 0]], "attempt": 1, "step": 0})


def test_handles_identical_rows() -> None:
    places = principal_view(np.ones((5, 3), dtype=np.float32), 1, 0).project(
        np.ones((5, 3), dtype=np.float32)
    )
    np.testing.assert_array_equal(places, np.zeros((5, 2)))
