"""The map of the output matrix, laid out by a real process: complete or not at all, and aligned to the input map.

The step from which the basis of the linear view is fixed.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from lamplighter.projection.joint_layouts import ReprojectionError, align_slices, lay_out_output
from lamplighter.projection.projector import Projector
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.layouts import LayoutsReader, LayoutsWriter
from lamplighter.wire.binary import Floats
from lamplighter.wire.frames import decode_as
from lamplighter.wire.layout_frames import Layout, Method
from tests.support.synthetic_runs.growing_run import GrowingRun
from tests.support.synthetic_runs.waypoints import write_waypoint

STEPS = (0, 1, 5, 20, 40)


def drawn(run: RunFolder) -> list[Layout]:
    with LayoutsReader(run.output_layouts_path) as reader:
        entries = [entry for entry in reader.layout_entries() if entry.method is Method.UMAP]
        return [decode_as(reader.layout_record(entry.id), Layout) for entry in entries]


def quiet(_share: float, _what: str) -> None:
    pass


@pytest.fixture
def grown(tmp_path: Path) -> GrowingRun:
    run = GrowingRun(tmp_path, size=120, seed=3)
    run.grow(40, rows=40, pull=0.2)
    assert run.end()
    for step in STEPS:
        # The output matrix of a model that learned the same classes in another space.
        write_waypoint(run.folder, step, run.history[step][:, ::-1] + np.float32(0.1))
    return run


def test_lays_out_every_waypoint_close_to_the_input_map(grown: GrowingRun) -> None:
    lay_out_output(grown.folder, quiet)
    alone = drawn(grown.folder)
    assert [layout.step for layout in alone] == list(STEPS)
    # The map of the input matrix from another machine: the same, but mirrored, rotated and shifted.
    turn = np.array([[0.28, -0.96], [0.96, 0.28]])
    target = ((alone[-1].coordinates * [-1, 1]) @ turn.T + [30, -7]).astype(np.float32)
    with LayoutsWriter(grown.folder.layouts_path) as writer:
        writer.commit(Layout(1, 39, 1e9, Method.UMAP, target))
    lay_out_output(grown.folder, quiet)
    placed = drawn(grown.folder)
    # Clusters lie as on that map, with their words in any order within them. The largest distance depends on rounding;
    # that most clusters lie nearest to their place does not, and by chance only one of eight does.
    clusters = [grown.class_of == each for each in range(8)]

    def distances(coordinates: Floats) -> Floats:
        here, there = (
            np.array([layout[members].mean(axis=0) for members in clusters])
            for layout in (coordinates, target)
        )
        return np.linalg.norm(here[:, None] - there[None], axis=2)

    own = np.eye(8, dtype=bool)
    found = distances(placed[-1].coordinates)
    assert found[own].mean() < 0.5 * found[~own].mean()
    assert (found.argmin(axis=1) == np.arange(8)).sum() >= 6
    untied = alone[-1].coordinates
    by_chance = distances(untied - untied.mean(axis=0) + target.mean(axis=0))
    assert by_chance[own].mean() > 0.5 * by_chance[~own].mean()
    assert placed[-1].trust > alone[-1].trust - 0.05


def test_aligns_rotated_and_mirrored_maps() -> None:
    rng = np.random.default_rng(5)
    slices = rng.standard_normal((3, 50, 2)).astype(np.float32)
    target = slices[-1] + rng.normal(scale=0.1, size=(50, 2)).astype(np.float32)
    settled = align_slices(slices, target)
    for sign in (1, -1):
        turn = np.array([[0.6, -0.8], [0.8, 0.6]], dtype=np.float32)
        turned = ((slices * np.array([sign, 1])) @ turn.T + 3).astype(np.float32)
        np.testing.assert_allclose(align_slices(turned, target), settled, atol=1e-4)


def test_a_rotated_space_gives_the_same_neighbourhoods(grown: GrowingRun) -> None:
    """All coordinates of the space differ, and all cosines are equal. Where a class lies depends on rounding; whom it
    keeps together does not.
    """

    def nearest(run: RunFolder) -> Floats:
        places = drawn(run)[-1].coordinates
        distances = np.linalg.norm(places[:, None] - places[None], axis=2)
        near = np.zeros(distances.shape, dtype=bool)
        np.put_along_axis(near, distances.argsort(axis=1)[:, :15], values=True, axis=1)
        return near

    rotation, _ = np.linalg.qr(np.random.default_rng(2).standard_normal((16, 16)))
    found = []
    for order in (np.arange(120), np.random.default_rng(9).permutation(120)):
        lay_out_output(grown.folder, quiet)
        before = nearest(grown.folder)
        for step in STEPS:
            matrix = (grown.history[step][:, ::-1] + np.float32(0.1)) @ rotation.astype(np.float32)
            write_waypoint(grown.folder, step, matrix[order])
        lay_out_output(grown.folder, quiet)
        found.append((nearest(grown.folder) & before).sum() / before.sum())
    same, other_words = found
    assert same > 0.9
    assert other_words < 0.5


@pytest.mark.parametrize("how", [pytest.param("the caller exits", marks=pytest.mark.tour), "killed"])
def test_an_interrupted_layout_keeps_the_previous_one(grown: GrowingRun, how: str) -> None:
    run = grown.folder
    run.output_layouts_path.write_bytes(b"the set before")
    command = [sys.executable, "-m", "lamplighter.projection.reprojection_worker", str(run.path), "--output"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        next(line for line in process.stdout if json.loads(line)["share"] > 0.1)
        if how == "killed":
            process.kill()
        else:
            process.stdin.close()
        process.wait()
    assert process.returncode == (-9 if how == "killed" else 5)
    assert run.output_layouts_path.read_bytes() == b"the set before"
    lay_out_output(run, quiet)
    assert len(drawn(run)) == len(STEPS)
    assert {path.name for path in run.path.glob("output*")} == {
        "output-layouts.sqlite", "output-projector.lock",
    }  # fmt: skip


def test_rejects_tied_weights_and_missing_waypoints(tmp_path: Path) -> None:
    run = GrowingRun(tmp_path, size=20)
    run.grow(3)
    assert run.end()
    with pytest.raises(ReprojectionError, match="no state of this run's model is kept"):
        lay_out_output(run.folder, quiet)
    write_waypoint(run.folder, 0, run.history[0])
    write_waypoint(run.folder, 2, np.full_like(run.vectors, np.nan))
    with pytest.raises(ReprojectionError, match="hold finite numbers"):
        lay_out_output(run.folder, quiet)
    recipe = json.loads((run.folder.path / "recipe.json").read_text())
    recipe["model"]["tied"], recipe["optimiser"] = True, {"kind": "adam"}
    (run.folder.path / "recipe.json").write_text(json.dumps(recipe))
    with pytest.raises(ReprojectionError, match="one matrix does both jobs"):
        lay_out_output(RunFolder(run.folder.path), quiet)
    assert not list(run.folder.path.glob("output*"))


@pytest.mark.parametrize("first", [0, 7, 399])
def test_fixes_the_basis_once_the_space_has_taken_shape(tmp_path: Path, first: int) -> None:
    path = tmp_path / "layouts.sqlite"
    rng = np.random.default_rng(0)
    with LayoutsWriter(path) as writer, LayoutsReader(path) as reader:
        projector = Projector(writer, reader, 40)
        bases: list[int] = []
        for step in (first, 399, 412, 500, 3_000):
            projector.project_step(rng.normal(size=(40, 6)).astype(np.float32), 1, step)
            bases.append(reader.facts()["linear"]["step"])
    assert bases == [first, first, 412, 412, 412]


def test_the_numbers_of_a_clock_lie_on_their_circle_and_a_row_at_rest_stays(tmp_path: Path) -> None:
    p, frequency, rng = 13, 4, np.random.default_rng(1)
    angles = 2 * np.pi * frequency * np.arange(p) / p
    circle = np.stack((np.cos(angles), np.sin(angles)), axis=1)
    vectors = rng.normal(scale=0.1, size=(p + 3, 8)).astype(np.float32)
    vectors[1 : p + 1, 2:4] += circle
    places: list[np.ndarray] = []
    path = tmp_path / "layouts.sqlite"
    with LayoutsWriter(path) as writer, LayoutsReader(path) as reader:
        projector = Projector(writer, reader, p + 3, numbers=1 + np.arange(p))
        for step in (400, 450):
            projector.project_step(vectors, 1, step)
            record = reader.last_written(Method.LINEAR)
            assert record is not None
            places.append(decode_as(record, Layout).coordinates)
            vectors = vectors.copy()
            vectors[2:] += rng.normal(size=vectors[2:].shape).astype(np.float32)
    np.testing.assert_allclose(places[0][1 : p + 1], circle, atol=0.45)
    # Number 0 rests while all others move.
    np.testing.assert_allclose(places[1][1], places[0][1], atol=0.01)
