"""A program that fills a small file system under a trainer, frees it, and checks every step.

`python -m tests.integration.training.small_disk FOLDER`, with FOLDER a separate file system of a few MB; started by
`test_full_disk.py`.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from lamplighter.contract.recipe import ModelRecipe, OptimiserRecipe
from lamplighter.model.checkpoint import CheckpointError, list_checkpoints, save_checkpoint
from lamplighter.model.learner import make_learner
from lamplighter.model.observer import Observer
from lamplighter.model.transformer import Transformer
from lamplighter.runfolder.reading.matrix_history import MatrixHistory
from lamplighter.runfolder.reading.run_status import read_status
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.steps_reader import StepsReader
from tests.support.runs import make_run, wait_for_step
from tests.support.waiting import wait_until


def fill(disk: Path, leave: int) -> None:
    """Fill the file system up to the last `leave` bytes."""
    with (disk / "ballast").open("ab", buffering=0) as file, contextlib.suppress(OSError):
        while (free := shutil.disk_usage(disk).free) > leave:
            file.write(bytes(min(65_536, free - leave)))


def event_messages(run: RunFolder, kind: str) -> list[tuple[int, str]]:
    with StepsReader(run.steps_path) as reader:
        return [(event.step, event.message) for event in reader.events() if event.kind == kind]


class SavedCheckpoints:
    """Checkpoints of a small model in this process."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        model = Transformer(ModelRecipe(dim=16, layers=1, heads=2, context=8), 40, sparse=True)
        self._learner = make_learner(model, OptimiserRecipe())
        self._observer = Observer(self._learner, 1)

    def save(self, step: int) -> None:
        save_checkpoint(self.folder, step, 1, self._learner, self._observer, {})


def expect_no_half_checkpoint(saved: SavedCheckpoints) -> None:
    """Check that a full disk leaves the old checkpoint and no part of a new one."""
    with pytest.raises(CheckpointError, match="step 2 could not be written"):
        saved.save(2)
    assert [file.step for file in list_checkpoints(saved.folder)] == [1]
    assert len(list(saved.folder.iterdir())) == 1


def main(disk: Path) -> None:
    usage = shutil.disk_usage(disk)
    assert usage.total < 60_000_000, f"{disk} is no small file system"
    run = make_run(disk, steps=1_000_000)
    command = [sys.executable, "-m", "lamplighter.training.worker", str(run.path)]
    saved = SavedCheckpoints(disk / "aside")
    saved.save(1)
    log = Path(os.environ["SMALL_DISK_LOG"])
    with log.open("wb") as file:
        trainer = subprocess.Popen(command, stderr=file)
        try:
            wait_for_step(run, 40)
            fill(disk, leave=usage.total // 6)
            wait_until(lambda: read_status(run).snapshots == "paused", "snapshots to pause")
            wait_for_step(run, read_status(run).step + 40)
            fill(disk, leave=0)
            wait_until(lambda: "training waits for room" in log.read_text(), "training to wait for room")
            assert read_status(run).alive
            expect_no_half_checkpoint(saved)
            (disk / "ballast").unlink()
            wait_until(lambda: read_status(run).snapshots == "all", "snapshots to go on")
            wait_for_step(run, read_status(run).step + 60)
        finally:
            trainer.send_signal(signal.SIGTERM)
            code = trainer.wait(60)
    assert code == 0, log.read_text()
    assert not list(run.checkpoints.glob("*.part"))
    check_record(run, disk)


def check_record(run: RunFolder, disk: Path) -> None:
    """Check that every step is present and correct, exact where promised, and that the pauses were logged."""
    (paused, full), (_, room) = event_messages(run, "full")[0], event_messages(run, "room")[-1]
    assert "nearly full" in full
    with StepsReader(run.steps_path) as reader:
        last = reader.newest_step()[1]
        steps = [step for step, _ in reader.pulses(1, last, limit=last)]
        digests = reader.digests(1, last)
        assert reader.facts()["snapshots"] == "all"
        assert len(reader.lineage().ranges) == 1
    assert steps == list(range(1, last + 1))
    assert any("there is room" in message for _, message in event_messages(run, "room")), room
    with MatrixHistory(run) as history:
        exact = set(history.exact_steps().tolist())
        assert set(range(paused)) <= exact, "steps before the pause are exact"
        gap = sorted(set(range(last + 1)) - exact)
        assert gap == list(range(gap[0], gap[-1] + 1)), "one hole, from the pause to the next whole matrix"
        assert gap[0] >= paused
        assert gap[-1] < last
        around = [0, paused - 1, gap[-1] + 1, gap[-1] + 2, last]
        found = {step: history.snapshot(step).vectors for step in around}
    # The same run on a roomy disk gives the same steps.
    elsewhere = Path(os.environ["SMALL_DISK_LOG"]).parent / "roomy"
    other = make_run(elsewhere, steps=last)
    command = [sys.executable, "-m", "lamplighter.training.worker", str(other.path)]
    assert subprocess.run(command, timeout=120, check=False).returncode == 0
    with MatrixHistory(other) as history:
        assert history.steps.digests(1, last) == digests
        for step, vectors in found.items():
            np.testing.assert_array_equal(history.snapshot(step).vectors, vectors)
    print(f"{last} steps; paused at {paused}, whole again at {gap[-1] + 1}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
