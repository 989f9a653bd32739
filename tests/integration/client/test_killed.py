"""A recorded loop that is killed: its committed steps are intact, and no process continues the run.

A watched training that is killed keeps every step it had committed, bit for bit.
"""

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
