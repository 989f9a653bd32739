"""A run on a real FUSE mount that maps no file into the memory of several processes: recorded, served, and copied."""

from __future__ import annotations

import mmap
import os
import shutil
import subprocess
from collections.abc import Generator
from pathlib import Path

import numpy as np
import pytest

import lamplighter
from tests.support.application import Application

pytestmark = [
    pytest.mark.tour,
    pytest.mark.skipif(
        not os.access("/dev/fuse", os.W_OK) or shutil.which("bindfs") is None,
        reason="needs /dev/fuse, and bindfs, to mount a file system",
    ),
]
V, D, STEPS = 60, 8, 300


@pytest.fixture
def mounted(tmp_path: Path) -> Generator[Path]:
    behind, mount = tmp_path / "behind", tmp_path / "mount"
    behind.mkdir()
    mount.mkdir()
    subprocess.run(["bindfs", "-o", "direct_io", str(behind), str(mount)], check=True)
    try:
        (mount / "probe").write_bytes(bytes(mmap.PAGESIZE))
        with (mount / "probe").open("r+b") as file, pytest.raises(OSError, match="No such device"):
            mmap.mmap(file.fileno(), 0)
        (mount / "probe").unlink()
        yield mount
    finally:
        subprocess.run(["umount", str(mount)], check=True)


def test_a_run_is_recorded_there_while_a_server_shows_it(mounted: Path) -> None:
    weights = np.zeros((V, D), dtype=np.float32)
    runs = mounted / "runs"
    runs.mkdir()
    with Application(runs, "serve") as app:
        seen: list[int] = []
        with lamplighter.record(
            runs / "mine", [f"word{i}" for i in range(V)], embedding=weights, on_error="raise"
        ) as recorder:
            for step in range(1, STEPS + 1):
                weights[step % V] += step
                recorder.step(weights, [step % V], float(step))
                if step % 60 == 0:
                    seen.append(app.get("/api/runs/mine")["status"]["step"])
            assert not list(recorder.folder.glob("*-wal"))
        assert seen == sorted(seen)
        assert seen[-1] > STEPS // 2
        run = lamplighter.open(runs / "mine")
        assert [pulse.loss for pulse in run.steps()] == list(range(1, STEPS + 1))
        assert run.status.phase == "finished"
        assert run.snapshot().tobytes() == weights.tobytes()
