"""The layout that a fork is given: the map goes on from it, and does not draw it again."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from lamplighter.contract.recipe import MapRecipe
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
    given = Layout(1, 0, 0.0, Method.PCA, random.normal(size=(V, 2)).astype(np.float32))
    path = tmp_path / "layouts.sqlite"
    with LayoutsWriter(path) as writer:
        writer.set_facts({"map": MapRecipe(method="pca").model_dump(), PLACED_FACT: True})
        writer.commit(given)
        with LayoutsReader(path) as reader:
            projector = Projector(writer, reader, V)
            projector.start_map()
            projector.project_step(vectors, 1, 0)
            assert drawn(reader) == [(0, Method.PCA), (0, Method.LINEAR)]
            assert not projector.needs_frame(1, 0)
            assert projector.needs_frame(1, 1)
            projector.project_step(vectors + 1, 1, 1)
            assert drawn(reader)[2:] == [(1, Method.LINEAR), (1, Method.PCA)]


def test_other_settings_draw_it_again(tmp_path: Path) -> None:
    random = np.random.default_rng(2)
    path = tmp_path / "layouts.sqlite"
    with LayoutsWriter(path) as writer:
        writer.set_facts({"map": MapRecipe(method="pca").model_dump(), PLACED_FACT: True})
        writer.commit(Layout(1, 0, 0.0, Method.PCA, random.normal(size=(V, 2)).astype(np.float32)))
        with LayoutsReader(path) as reader:
            projector = Projector(writer, reader, V)
            projector.start_map()
            projector.project_step(random.normal(size=(V, D)).astype(np.float32), 1, 0)
            projector.apply_request(Request("test", 1, 0.0, "map", {"neighbours": 5}), 1, 0)
            assert projector.needs_frame(1, 0)
