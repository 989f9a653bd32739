"""Finished runs are smoothed only while the machine is idle."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lamplighter.runfolder.importing.imported_run import IMPORTED_FACT
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_store import RunStore
from lamplighter.runfolder.tables.layouts import LayoutsWriter
from lamplighter.runfolder.tables.steps import StepsWriter
from lamplighter.serving.jobs.idle_smoothing import IdleSmoothing
from lamplighter.serving.jobs.reprojections import ReprojectionJobs
from lamplighter.web.capacity.activity import Activity
from tests.support.folders import FakeTrainer, finished_run, layout, make_run
from tests.support.waiting import wait_until

AFTER = 0.3
"""Seconds without a request after which it begins here."""


def smooth(run: RunFolder, step: int = 35) -> None:
    with LayoutsWriter(run.relayouts_path) as writer:
        writer.commit(layout(1, step))
        writer.set_facts({"until": step})


class Quiet:
    """A server that does nothing else: what it starts is a process that waits until its input ends."""

    def __init__(self, runs: Path) -> None:
        self.store = RunStore(runs)
        self.started: list[str] = []
        self.lowest: list[bool] = []
        self.busy = self.training = False
        self.activity = Activity()
        self.jobs = ReprojectionJobs(self._command)
        self.smoothing = IdleSmoothing(self.jobs, self.activity, self._quiet_runs, lambda: self.busy, AFTER)

    def _command(self, run: RunFolder, _slices: int | None, lowest: bool) -> list[str]:
        self.started.append(run.id)
        self.lowest.append(lowest)
        return [sys.executable, "-c", "import sys; sys.stdin.read(); sys.exit(5)"]

    def _quiet_runs(self) -> list[RunFolder]:
        return [] if self.training else self.store.runs()


@pytest.fixture
def quiet(tmp_path: Path) -> Iterator[Quiet]:
    server = Quiet(tmp_path)
    yield server
    server.smoothing.stop()
    server.jobs.cancel()


def test_it_begins_by_itself_at_the_lowest_priority_and_makes_way_for_a_request(quiet: Quiet, tmp_path: Path):
    run = finished_run(tmp_path)
    quiet.smoothing.start()
    wait_until(lambda: quiet.jobs.at_work)
    job = quiet.jobs.for_run(run)
    assert (job.state, job.by_itself, quiet.lowest) == ("running", True, [True])
    quiet.activity.note()
    wait_until(lambda: not quiet.jobs.at_work)
    assert quiet.jobs.for_run(run).state == "none"
    # It goes on later.
    wait_until(lambda: quiet.jobs.at_work)
    assert quiet.started == [run.id, run.id]


@pytest.mark.parametrize("what", ["busy", "training"])
def test_it_waits_for_other_work_and_makes_way_for_it(quiet: Quiet, tmp_path: Path, what: str):
    finished_run(tmp_path)
    setattr(quiet, what, True)
    quiet.smoothing.start()
    time.sleep(3 * AFTER)
    assert quiet.started == []
    setattr(quiet, what, False)
    wait_until(lambda: quiet.jobs.at_work)
    setattr(quiet, what, True)
    wait_until(lambda: not quiet.jobs.at_work)


def test_a_cancelled_run_is_not_smoothed_again(quiet: Quiet, tmp_path: Path):
    run = finished_run(tmp_path)
    quiet.smoothing.start()
    wait_until(lambda: quiet.jobs.at_work)
    quiet.jobs.cancel(run.id)
    assert quiet.jobs.for_run(run).state == "cancelled"
    time.sleep(3 * AFTER + 0.5)
    assert quiet.started == [run.id]


def test_it_makes_way_for_a_requested_one(quiet: Quiet, tmp_path: Path):
    finished_run(tmp_path)
    other = finished_run(tmp_path)
    quiet.smoothing.start()
    wait_until(lambda: quiet.jobs.at_work)
    quiet.jobs.start(other, 5)
    assert (quiet.jobs.for_run(other).state, quiet.lowest) == ("running", [True, False])
    # Nothing makes way for what makes way.
    quiet.activity.note()
    time.sleep(3 * AFTER)
    assert quiet.jobs.for_run(other).state == "running"


def test_only_finished_runs_of_this_machine_that_are_not_smoothed_yet(quiet: Quiet, tmp_path: Path):
    smooth(finished_run(tmp_path))
    imported = finished_run(tmp_path)
    with StepsWriter(imported.steps_path) as writer:
        writer.set_facts({IMPORTED_FACT: 1e9})
    stopped = FakeTrainer(make_run(RunStore(tmp_path))).begin().train(3)
    stopped.end("interrupted")
    FakeTrainer(make_run(RunStore(tmp_path))).begin().end()
    make_run(RunStore(tmp_path))
    quiet.smoothing.start()
    time.sleep(3 * AFTER + 0.5)
    assert quiet.started == []
    # One that went on since it was smoothed is smoothed again.
    longer = finished_run(tmp_path, 40)
    smooth(longer, 35)
    quiet.activity.note()
    wait_until(lambda: quiet.started == [longer.id])


def test_it_ends_with_its_server(quiet: Quiet, tmp_path: Path):
    finished_run(tmp_path)
    quiet.smoothing.start()
    wait_until(lambda: quiet.jobs.at_work)
    quiet.smoothing.stop()
    assert not quiet.jobs.at_work
    assert "idle-smoothing" not in [thread.name for thread in threading.enumerate()]
