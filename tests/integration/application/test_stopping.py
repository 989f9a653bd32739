"""The state of runs after Ctrl-C, SIGTERM or `kill -9` of the whole application."""

from __future__ import annotations

import signal
from pathlib import Path

from lamplighter.runfolder.reading.run_status import read_status, wants_training
from tests.application import Application
from tests.runs import make_run, wait_for_step, wait_until


def test_ctrl_c_interrupts_the_run_which_stays_so_until_it_is_continued(tmp_path: Path):
    run = make_run(tmp_path, steps=1_000_000)
    with Application(tmp_path):
        wait_for_step(run, 10)
    stopped = read_status(run)
    assert (stopped.phase, stopped.alive) == ("interrupted", False)
    with Application(tmp_path) as again:
        assert again.get(f"/api/runs/{run.id}")["status"]["phase"] == "interrupted"
        again.ask(run, "continue", steps=0)
        wait_for_step(run, stopped.step + 5)


def test_sigterm_leaves_the_run_to_be_taken_up_by_the_next_server(tmp_path: Path):
    run = make_run(tmp_path, steps=1_000_000)
    with Application(tmp_path) as first:
        wait_for_step(run, 10)
        first.process.send_signal(signal.SIGTERM)
        first.process.wait(20)
    at = read_status(run)
    assert (at.phase, at.alive) == ("running", False)
    assert wants_training(run)
    with Application(tmp_path):
        wait_for_step(run, at.step + 5)


def test_a_killed_server_takes_no_worker_with_it(tmp_path: Path):
    run = make_run(tmp_path, steps=1_000_000)
    with Application(tmp_path) as first:
        wait_for_step(run, 10)
        first.kill()
        wait_for_step(run, read_status(run).step + 10)
    with Application(tmp_path) as second:
        second.ask(run, "stop")
        wait_until(lambda: read_status(run).phase == "interrupted", "the stop")
        assert read_status(run).attempt == 1
