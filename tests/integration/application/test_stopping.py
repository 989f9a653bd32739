"""The state of a run after Ctrl-C, SIGTERM and `kill -9` of the whole application, one after the other."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from lamplighter.runfolder.reading.run_status import read_status, wants_training
from tests.support.application import Application
from tests.support.runs import make_run, wait_for_step
from tests.support.waiting import wait_until


@pytest.mark.tour
def test_a_run_outlives_every_end_of_the_application(tmp_path: Path):
    """One run and four servers in a row: each of them costs seconds to start."""
    run = make_run(tmp_path, steps=1_000_000)

    with Application(tmp_path):
        wait_for_step(run, 10)
    # Ctrl-C interrupts the run, which stays so until it is continued.
    stopped = read_status(run)
    assert (stopped.phase, stopped.alive) == ("interrupted", False)

    with Application(tmp_path) as second:
        assert second.get(f"/api/runs/{run.id}")["status"]["phase"] == "interrupted"
        second.ask(run, "continue", steps=0)
        wait_for_step(run, stopped.step + 5)
        second.process.send_signal(signal.SIGTERM)
        second.process.wait(20)
    # SIGTERM leaves the run to be taken up by the next server.
    at = read_status(run)
    assert (at.phase, at.alive) == ("running", False)
    assert wants_training(run)

    with Application(tmp_path) as third:
        wait_for_step(run, at.step + 5)
        attempt = read_status(run).attempt
        third.kill()
        # A killed server takes no worker with it.
        wait_for_step(run, read_status(run).step + 10)

    with Application(tmp_path) as fourth:
        fourth.ask(run, "stop")
        wait_until(lambda: read_status(run).phase == "interrupted", "the stop")
        assert read_status(run).attempt == attempt
