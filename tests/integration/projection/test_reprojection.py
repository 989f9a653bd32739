"""A finished run reprojected by a real process: completely or not at all, beside the live layouts."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from lamplighter.projection.joint_layouts import ReprojectionError, reproject
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.layouts import LayoutsReader
from lamplighter.wire.frames import decode_as
from lamplighter.wire.layout_frames import Layout, Method
from tests.support.synthetic_runs.growing_run import GrowingRun


def again(folder: RunFolder, *options: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "lamplighter.projection.reprojection_worker", str(folder.path), *options]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def said(process: subprocess.Popen[str]) -> Iterator[dict[str, float | str]]:
    assert process.stdout is not None
    return (json.loads(line) for line in process.stdout)


def drawn(folder: RunFolder, method: Method) -> list[Layout]:
    with LayoutsReader(folder.relayouts_path) as reader:
        return [
            decode_as(reader.layout_record(e.id), Layout)
            for e in reader.layout_entries()
            if e.method is method
        ]


def left(folder: RunFolder) -> set[str]:
    return {path.name for path in folder.path.iterdir() if path.name.startswith("relayouts")}


@pytest.fixture
def over(tmp_path: Path) -> GrowingRun:
    run = GrowingRun(tmp_path, size=120, seed=3)
    run.grow(60, rows=20, pull=0.05)
    assert run.end()
    return run


def test_writes_calm_faithful_layouts_beside_the_live_ones(over: GrowingRun) -> None:
    with again(over.folder, "--slices", "13") as process:
        lines = list(said(process))
    assert process.returncode == 0
    shares = [line["share"] for line in lines if "share" in line]
    assert shares == sorted(shares)
    assert lines[-1]["share"] == 1
    assert lines[-1]["what"].startswith("13 steps laid out again in ")
    maps = drawn(over.folder, Method.UMAP)
    assert [layout.step for layout in maps] == list(range(0, 61, 5))
    assert np.median([layout.trust for layout in maps]) > 0.78
    for layout in maps + drawn(over.folder, Method.LINEAR):
        assert layout.by_token is not None
        assert layout.by_token.shape == (120,)
    for one, two in pairwise(maps):
        moved = np.linalg.norm(two.coordinates - one.coordinates, axis=1)
        assert np.median(moved) < 0.1 * np.linalg.norm(np.ptp(one.coordinates, axis=0))
    # The linear view projects along the directions of the last step, so a row at rest does not move.
    with LayoutsReader(over.folder.relayouts_path) as reader:
        facts = reader.facts()
    assert facts["linear"]["step"] == 60
    linear = drawn(over.folder, Method.LINEAR)
    rested = np.flatnonzero((over.history[5] == over.history[0]).all(axis=1))
    apart = linear[1].coordinates[rested] - linear[0].coordinates[rested]
    # Equal up to the sixteen bits of a stored coordinate.
    assert np.abs(apart).max() < 2e-4 * np.ptp(linear[0].coordinates)
    assert left(over.folder) == {"relayouts.sqlite"}


@pytest.mark.parametrize(
    "how", ["the caller exits", pytest.param("terminated", marks=pytest.mark.tour), "killed"]
)
def test_cancelled_half_way_leaves_nothing(over: GrowingRun, how: str) -> None:
    with again(over.folder, "--slices", "40") as process:
        assert process.stdin is not None
        next(line for line in said(process) if float(line["share"]) > 0.3)
        if how == "the caller exits":
            process.stdin.close()
        elif how == "terminated":
            process.terminate()
        else:
            process.kill()
        process.wait()
    assert process.returncode == (-9 if how == "killed" else 5)
    assert not over.folder.relayouts_path.exists()
    if how != "killed":
        assert left(over.folder) == set()


def test_keeps_the_previous_result_until_the_next_is_complete(over: GrowingRun) -> None:
    (over.folder.path / "relayouts.part").write_bytes(b"what a killed one left")
    reproject(over.folder, lambda _share, _what: None, 3)
    before = over.folder.relayouts_path.read_bytes()

    def cancelled(share: float, _what: str) -> None:
        if share > 0.8:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        reproject(over.folder, cancelled, 4)
    assert over.folder.relayouts_path.read_bytes() == before
    reproject(over.folder, lambda _share, _what: None, 4)
    assert len(drawn(over.folder, Method.UMAP)) == 4
    assert left(over.folder) == {"relayouts.sqlite"}


def test_rejects_a_run_that_has_not_ended(tmp_path: Path) -> None:
    run = GrowingRun(tmp_path, size=20)
    run.grow(3)
    with again(run.folder) as process:
        (line,) = said(process)
    assert process.returncode == 4
    assert "is not over" in str(line["problem"])
    run.writer.close()


@pytest.mark.parametrize("size", [3, 5])
def test_handles_small_vocabularies_and_rows_that_are_not_finite(tmp_path: Path, size: int) -> None:
    run = GrowingRun(tmp_path, size=size, classes=2)
    run.grow(6, rows=2)
    run.vectors[1] = np.nan
    run.grow(3, rows=size)
    assert run.end(phase="failed")
    reproject(run.folder, lambda _share, _what: None, 5)
    maps = drawn(run.folder, Method.UMAP)
    assert maps[-1].step == 6
    assert all(np.isfinite(layout.coordinates).all() for layout in maps)


def test_needs_at_least_two_steps(tmp_path: Path) -> None:
    run = GrowingRun(tmp_path, size=20)
    assert run.end()
    with pytest.raises(ReprojectionError, match="fewer than two"):
        reproject(run.folder, lambda _share, _what: None)
