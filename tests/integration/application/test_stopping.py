"""The state of a run after Ctrl-C, SIGTERM and `kill -9` of the whole application, one after the other.

Commands that wait for a worker: a signal to the command ends the worker at once, even one that hears nothing.
"""

from __future__ import annotations

import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from lamplighter.runfolder.reading.run_status import read_status, wants_training
from tests.support.application import Application
from tests.support.runs import make_run, wait_for_step
from tests.support.synthetic_runs.growing_run import GrowingRun
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


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such signals")
@pytest.mark.parametrize(
    ("words", "number"),
    [
        (("project", "--again"), signal.SIGTERM),
        (("project", "--again"), signal.SIGINT),
        (("project",), signal.SIGTERM),
        (("analyse",), signal.SIGTERM),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, tuple) else value.name,
)
def test_a_signal_to_a_command_ends_its_worker_and_leaves_no_file(
    tmp_path: Path, words: tuple[str, ...], number: signal.Signals
) -> None:
    run = GrowingRun(tmp_path, size=20)
    run.grow(3)
    run.end()
    command = [sys.executable, "-m", "lamplighter", "--runs", str(tmp_path), *words, run.folder.id]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        here = psutil.Process(process.pid)
        wait_until(lambda: any("worker" in " ".join(child.cmdline()) for child in here.children()), "it")
        (worker,) = here.children()
        # The command has taken note of a worker that is this far.
        wait_until(lambda: worker.num_threads() > 1, "the worker to watch its parent")
        try:
            # As deaf as one within a long computation.
            worker.suspend()
            (run.folder.path / "relayouts.part").write_bytes(b"half of it")
            process.send_signal(number)
            assert process.wait(60) in (1, 130)
            assert not worker.is_running()
        finally:
            with suppress(psutil.NoSuchProcess):
                worker.kill()
    assert (run.folder.path / "relayouts.part").exists() == ("--again" not in words)
