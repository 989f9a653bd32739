"""The maps of a series of checkpoints, laid out by a process of its own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import lamplighter
from lamplighter.processes.child_job import reproject_in_child
from lamplighter.runfolder.role_lock import RoleLock
from lamplighter.runfolder.tables.layouts import LayoutsReader

TOKENS = [f"word{at}" for at in range(60)]


def states() -> dict[int, np.ndarray]:
    start, end = np.random.default_rng(0).normal(size=(2, 60, 8)).astype(np.float32)
    return {step: start + (end - start) * np.float32(step / 300) for step in (0, 100, 300)}


def test_a_series_ends_with_joint_maps_of_all_its_steps(tmp_path: Path):
    shares: list[float] = []
    run = lamplighter.series(
        tmp_path / "run", states(), TOKENS, progress=lambda share, _what: shares.append(share)
    )
    assert run.status.smoothed == 2
    with LayoutsReader(run.folder / "relayouts.sqlite") as reader:
        assert {entry.step for entry in reader.layout_entries()} == {0, 1, 2}
    # The reading, and then the maps.
    assert shares.count(1) >= 1
    assert 0 <= shares[0] < 1


def test_maps_that_cannot_be_made_leave_the_run(tmp_path: Path):
    run = lamplighter.series(tmp_path / "first", states(), TOKENS, maps=False)
    with (
        RoleLock(run.folder, "reprojector"),
        pytest.raises(lamplighter.ReprojectionFailedError, match="already being reprojected"),
    ):
        reproject_in_child(run.folder, lambda _share, _what: None)
    assert run.status.phase == "finished"
    assert run.status.smoothed is None
