"""A user's loop continues when the disk is full: here the kernel forbids files to grow."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np

import lamplighter


def loop(folder: Path, how: str) -> str:
    """Run the loop to its end. Returns its standard error."""
    command = [sys.executable, "-m", "tests.integration.client.limited_loop", str(folder), how]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=100)
    assert done.returncode == 0, done.stderr
    assert (folder.parent / "kept.npy").exists()
    return done.stderr


def test_steps_wait_in_memory_and_are_all_there_when_there_is_room_again(tmp_path: Path):
    said = loop(tmp_path / "mine", "recovers")
    assert said.count("wait in memory until they can be written") == 1
    run, kept = lamplighter.open(tmp_path / "mine"), np.load(tmp_path / "kept.npy")
    assert (run.status.phase, run.status.step, run.status.snapshots) == ("finished", 400, "all")
    assert [(pulse.step, pulse.loss) for pulse in run.steps()] == [(s, float(s)) for s in range(1, 401)]
    exact = run.snapshot_steps().tolist()
    # The only hole: steps that waited, or were kept without their rows.
    hole = sorted(set(range(401)) - set(exact))
    assert hole == list(range(100, hole[-1] + 1))
    assert 299 <= hole[-1] < 399
    for step in (*exact[:: len(exact) // 40], hole[0] - 1, hole[-1] + 1, hole[-1] + 2, 400):
        np.testing.assert_array_equal(run.snapshot(step), kept[step])
    kinds = [event.kind for event in run.events()]
    assert kinds.index("full") < kinds.index("room") < kinds.index("finished")


def test_a_record_that_waits_for_too_long_ends_and_the_loop_goes_on(tmp_path: Path):
    said = loop(tmp_path / "mine", "ends")
    assert "the loop continues" in said
    run = lamplighter.open(tmp_path / "mine")
    assert run.status.phase == "interrupted"
    assert run.status.message.startswith("the disk is full")
    # What follows is missing, but for the last step and its matrix, which had room at the end.
    assert [pulse.loss for pulse in run.steps()] == [*map(float, range(1, 100)), 400.0]
    assert [run.step_number(step) for step in (99, 100)] == [99, 400]
    np.testing.assert_array_equal(run.snapshot(100), np.load(tmp_path / "kept.npy")[400])


def test_a_loop_that_finds_no_room_at_its_first_step_is_not_recorded(tmp_path: Path):
    said = loop(tmp_path / "mine", "begins")
    assert "the loop continues without being recorded" in said
    assert not (tmp_path / "mine").exists()
