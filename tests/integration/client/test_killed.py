"""A recorded loop that is killed, or whose disk is full: its committed steps are intact, and no process continues the run."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np

import lamplighter
from lamplighter.runfolder.reading.run_status import wants_training
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.wire.pulse_frames import Pulse
from tests.soak.watched import kill_loops
from tests.support.application import Application
from tests.support.runs import kill
from tests.support.waiting import wait_until

LOOP = """
import sys, time, numpy as np, lamplighter
weights = np.zeros((50, 4), dtype=np.float32)
with lamplighter.record(sys.argv[1], [str(i) for i in range(50)], embedding=weights, keyframe_every=9) as recorder:
    for step in range(1, 100_000):
        weights[step % 50] += step
        recorder.step(weights, [step % 50], 1.0)
        time.sleep(0.005)
"""


def test_a_killed_loop_leaves_every_step_it_committed(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    with (
        Application(tmp_path, "serve") as app,
        subprocess.Popen([sys.executable, "-c", LOOP, str(folder)], stderr=subprocess.DEVNULL) as loop,
    ):
        try:
            wait_until(lambda: (folder / "steps.sqlite").exists(), "the run to begin")
            last = 0
            for frame in lamplighter.follow(f"{app.url}/?run=mine", channels=["pulse"]):
                last = frame.step
                if last >= 40 and loop.poll() is None:
                    kill(loop)
        finally:
            loop.kill()
        run = lamplighter.open(folder)
        status = run.status
        assert (status.phase, status.alive, status.step) == ("running", False, last)
        assert [p.step for p in run.steps() if isinstance(p, Pulse)] == list(range(1, last + 1))
        weights = np.zeros((50, 4), dtype=np.float32)
        for step in range(last + 1):
            weights[step % 50] += step
            np.testing.assert_array_equal(run.snapshot(step), weights)
        assert not wants_training(RunFolder(folder))
        assert not (folder / "logs" / "trainer.log").exists()


def test_a_killed_training_loses_no_committed_step(tmp_path: Path):
    found = kill_loops(tmp_path, kills=1, seed=1)
    assert (found.kills, found.lost, found.mixed) == (1, [], [])
    assert found.steps > 1


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
