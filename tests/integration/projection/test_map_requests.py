"""Map settings changed while a real projector draws: no request is lost or applied twice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lamplighter.contract.recipe import MapRecipe
from lamplighter.processes.desired_state import DesiredState
from lamplighter.projection.linear_view import principal_view
from lamplighter.runfolder.reading.current_map import read_map_settings
from lamplighter.runfolder.role_lock import RoleLock
from lamplighter.runfolder.tables.layouts import LayoutsReader, LayoutsWriter
from lamplighter.runfolder.tables.requests import AppliedRequest, RequestsWriter
from lamplighter.wire.layout_frames import Layout, Method
from tests.integration.projection.projectors import Start, ended, layouts
from tests.support.synthetic_runs.growing_run import GrowingRun
from tests.support.waiting import wait_until


def ask(run: GrowingRun, **body: Any) -> int:
    return RequestsWriter(run.folder.path, "s1").add("map", body)


def applied(run: GrowingRun) -> list[AppliedRequest]:
    with LayoutsReader(run.folder.layouts_path) as reader:
        return reader.applied()


def wants_projector(run: GrowingRun) -> bool:
    desired = DesiredState()
    desired.refresh([run.folder])
    return desired.needed_state(run.folder, "projector") is not None


def nearest_distance(places: np.ndarray) -> float:
    """Return the median distance to the nearest neighbour on the map, as a share of the map's diagonal."""
    distance = np.linalg.norm(places[:, None] - places[None], axis=2)
    np.fill_diagonal(distance, np.inf)
    return float(np.median(distance.min(axis=1)) / np.linalg.norm(np.ptp(places, axis=0)))


def test_applies_settings_live_from_the_current_map(tmp_path: Path, start: Start) -> None:
    run = GrowingRun(tmp_path)
    run.grow(60)
    with RoleLock(run.folder.path, "trainer"):
        process = start(run.folder)
        # The space is at rest, and so is the map after about twelve frames.
        wait_until(lambda: len(layouts(run.folder, Method.UMAP)) >= 10)
        # A request that the projector leaves to the trainer.
        RequestsWriter(run.folder.path, "s1").add("pace", {"steps_per_second": 4})
        number = ask(run, neighbours=8, min_dist=0.02, spread=1.0)
        wait_until(lambda: applied(run))
        before = len(layouts(run.folder, Method.UMAP))
        wait_until(lambda: len(layouts(run.folder, Method.UMAP)) >= before + 12)
        process.terminate()
        assert ended(process) == 0
    run.writer.close()
    (taken,) = applied(run)
    assert (taken.server, taken.request, taken.kind) == ("s1", number, "map")
    assert (taken.attempt, taken.step) == (1, 60)
    maps = [layout.coordinates for layout in layouts(run.folder, Method.UMAP)]
    assert nearest_distance(maps[-1]) < 0.8 * nearest_distance(maps[before - 1])
    width = float(np.linalg.norm(np.ptp(maps[before - 1], axis=0)))
    for one, two in zip(maps[before - 2 :], maps[before - 1 :], strict=False):
        assert np.median(np.linalg.norm(two - one, axis=1)) < 0.25 * width
    drawing = read_map_settings(run.folder)
    assert (drawing.current.neighbours, drawing.current.min_dist, drawing.pending) == (8, 0.02, ())


@pytest.mark.parametrize("at", ["before it is taken up", "after it was taken up"])
def test_a_killed_projector_neither_loses_nor_repeats_a_request(
    tmp_path: Path, start: Start, at: str
) -> None:
    run = GrowingRun(tmp_path, size=80)
    run.grow(20)
    with RoleLock(run.folder.path, "trainer"):
        process = start(run.folder)
        wait_until(lambda: layouts(run.folder, Method.UMAP))
        if at == "before it is taken up":
            process.kill()
            process.communicate()
            ask(run, neighbours=5)
            assert len(read_map_settings(run.folder).pending) == 1
        else:
            ask(run, neighbours=5)
            wait_until(lambda: applied(run))
            process.kill()
            process.communicate()
    assert run.end()
    assert wants_projector(run)
    assert ended(start(run.folder)) == 0
    assert [taken.request for taken in applied(run)] == [1]
    drawing = read_map_settings(run.folder)
    assert (drawing.current.neighbours, drawing.settled, drawing.pending) == (5, True, ())
    assert not wants_projector(run)
    with LayoutsReader(run.folder.layouts_path) as reader:
        assert reader.facts()["umap"]["neighbours"] == 5


def test_a_run_drawn_by_an_earlier_method_opens_and_goes_on_with_the_map(
    tmp_path: Path, start: Start
) -> None:
    run = GrowingRun(tmp_path, size=60)
    run.grow(30)
    assert run.end()
    view = principal_view(run.vectors, 1, 30)
    places = view.project(run.vectors)
    with LayoutsWriter(run.folder.layouts_path) as writer:
        writer.set_facts(
            {"map": {**MapRecipe().model_dump(), "method": "pca"}, "linear": view.to_facts(), "settled": True}
        )
        for method in (Method.LINEAR, Method.PCA):
            writer.commit(Layout(1, 30, 0.0, method, places))
    assert not wants_projector(run)
    assert read_map_settings(run.folder).current == MapRecipe()
    ask(run, neighbours=12)
    assert ended(start(run.folder)) == 0
    assert len(layouts(run.folder, Method.PCA)) == 1
    drawn = layouts(run.folder, Method.UMAP)[0].coordinates
    # Aligned to the layout that was there: seen from the centre, most tokens keep their direction.
    assert (((drawn - drawn.mean(axis=0)) * (places - places.mean(axis=0))).sum(axis=1) > 0).mean() > 0.6
    assert read_map_settings(run.folder).current.neighbours == 12
    assert not wants_projector(run)
    assert not list(run.folder.path.glob("*.sqlite-wal"))


def test_acknowledges_an_invalid_request_without_change(tmp_path: Path, start: Start) -> None:
    run = GrowingRun(tmp_path, size=30)
    run.grow(5)
    assert run.end()
    ask(run, neighbours="many")
    ask(run, min_dist=2.5)
    ask(run, method="magic")
    assert ended(start(run.folder)) == 0
    assert [taken.request for taken in applied(run)] == [1, 2, 3]
    assert read_map_settings(run.folder).current == run.folder.recipe.map


def test_applies_a_request_made_before_the_map(tmp_path: Path, start: Start) -> None:
    run = GrowingRun(tmp_path, size=40)
    ask(run, neighbours=4)
    run.grow(3)
    with RoleLock(run.folder.path, "trainer"):
        process = start(run.folder)
        wait_until(lambda: layouts(run.folder, Method.UMAP))
        process.terminate()
        assert ended(process) == 0
    run.writer.close()
    assert [(taken.request, taken.body) for taken in applied(run)] == [(1, {"neighbours": 4})]
