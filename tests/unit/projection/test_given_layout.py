"""The layout that a fork is given: the map goes on from it, and does not draw it again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lamplighter.contract.recipe import MapRecipe
from lamplighter.geometry.neighbours import count_shared, nearest_rows
from lamplighter.projection.landmarks import WIDTH, PrincipalRows
from lamplighter.projection.projector import Projector
from lamplighter.runfolder.tables.layouts import PLACED_FACT, LayoutsReader, LayoutsWriter
from lamplighter.runfolder.tables.requests import Request
from lamplighter.wire.layout_frames import Layout, Method

V, D = 40, 6


def drawn(reader: LayoutsReader) -> list[tuple[int, Method]]:
    return [(entry.step, entry.method) for entry in reader.layout_entries()]


def test_a_given_layout_is_not_drawn_again(tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    vectors = random.normal(size=(V, D)).astype(np.float32)
    # The parent may have been drawn by an earlier version.
    given = Layout(1, 0, 0.0, Method.PCA, random.normal(size=(V, 2)).astype(np.float32))
    path = tmp_path / "layouts.sqlite"
    with LayoutsWriter(path) as writer:
        writer.set_facts({"map": MapRecipe().model_dump(), PLACED_FACT: True})
        writer.commit(given)
        with LayoutsReader(path) as reader:
            projector = Projector(writer, reader, V)
            projector.start_map()
            projector.project_step(vectors, 1, 0)
            assert drawn(reader) == [(0, Method.PCA), (0, Method.LINEAR)]
            assert not projector.needs_frame(1, 0)
            assert projector.needs_frame(1, 1)
            projector.project_step(vectors + 1, 1, 1)
            assert drawn(reader)[2:] == [(1, Method.LINEAR), (1, Method.UMAP)]


def test_other_settings_draw_it_again(tmp_path: Path) -> None:
    random = np.random.default_rng(2)
    path = tmp_path / "layouts.sqlite"
    with LayoutsWriter(path) as writer:
        writer.set_facts({"map": MapRecipe().model_dump(), PLACED_FACT: True})
        writer.commit(Layout(1, 0, 0.0, Method.PCA, random.normal(size=(V, 2)).astype(np.float32)))
        with LayoutsReader(path) as reader:
            projector = Projector(writer, reader, V)
            projector.start_map()
            projector.project_step(random.normal(size=(V, D)).astype(np.float32), 1, 0)
            projector.apply_request(Request("test", 1, 0.0, "map", {"neighbours": 5}), 1, 0)
            assert projector.needs_frame(1, 0)


PRINCIPAL_ROWS_V, PRINCIPAL_ROWS_D, CLUSTERS = 700, 600, 20
MARKS = np.arange(0, PRINCIPAL_ROWS_V, 2)


def clustered(seed: int = 0) -> NDArray[np.float32]:
    """Return rows of a hundred strong directions and noise in all others."""
    random = np.random.default_rng(seed)
    strong = random.normal(size=(100, PRINCIPAL_ROWS_D)).astype(np.float32)
    rows = random.normal(size=(PRINCIPAL_ROWS_V, 100)).astype(np.float32) @ strong / np.sqrt(PRINCIPAL_ROWS_D)
    return rows + 0.05 * random.normal(size=(PRINCIPAL_ROWS_V, PRINCIPAL_ROWS_D)).astype(np.float32)


def test_neighbours_in_the_strongest_directions_are_those_of_the_table() -> None:
    vectors, queries = clustered(), np.arange(0, PRINCIPAL_ROWS_V, 10)
    reduced = PrincipalRows(MARKS).reduce(vectors)
    assert reduced.shape == (PRINCIPAL_ROWS_V, WIDTH)
    shared = count_shared(nearest_rows(reduced, queries, 10)[0], nearest_rows(vectors, queries, 10)[0])
    assert shared.mean() > 9.5


def test_rows_that_stayed_keep_theirs_until_most_have_moved() -> None:
    vectors, reducer = clustered(), PrincipalRows(MARKS)
    first = reducer.reduce(vectors).copy()
    vectors[[5, 6]] *= -1
    second = reducer.reduce(vectors).copy()
    np.testing.assert_array_equal(np.flatnonzero((first != second).any(axis=1)), [5, 6])
    np.testing.assert_allclose(second[5], -first[5], atol=1e-6)
    third = reducer.reduce(clustered(1))
    fresh = PrincipalRows(MARKS).reduce(clustered(1))
    np.testing.assert_array_equal(third, fresh)


def test_a_narrow_table_is_taken_as_it_is() -> None:
    vectors = clustered()[:, :WIDTH]
    np.testing.assert_array_equal(PrincipalRows(MARKS).reduce(vectors), vectors)
