"""A finished run laid out again over REST, by its real process.

Finished runs are smoothed only while the machine is idle.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest
from fastapi import FastAPI

from lamplighter.runfolder.importing.imported_run import IMPORTED_FACT
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_store import RunStore
from lamplighter.runfolder.tables.layouts import LayoutsWriter
from lamplighter.runfolder.tables.steps import StepsWriter
from lamplighter.serving.jobs.reprojections import IdleSmoothing, ReprojectionJobs
from lamplighter.web.capacity.activity import Activity
from tests.support.asgi import call
from tests.support.folders import FakeTrainer, finished_run, layout, make_run, write_layouts
from tests.support.waiting import wait_until
from tests.unit.serving.routes.api_calls import send


async def begin(app: FastAPI, bearer: dict[str, str], run: str, status: int, **body: Any) -> bytes:
    answer = await send(app, "POST", f"/api/runs/{run}/reprojection", bearer, body)
    assert answer.status == status, answer.body
    return answer.body


async def state(app: FastAPI, run: str) -> dict[str, Any]:
    return json.loads((await call(app, "GET", f"/api/runs/{run}/reprojection")).body)


async def until_over(app: FastAPI, run: str) -> dict[str, Any]:
    deadline = time.monotonic() + 90
    while (now := await state(app, run))["state"] == "running":
        assert time.monotonic() < deadline, now
        await anyio.sleep(0.1)
    return now


async def test_made_listed_and_played_beside_the_live_layouts(
    app: FastAPI, bearer: dict[str, str], tmp_path: Path
) -> None:
    run = finished_run(tmp_path, 20)
    write_layouts(run, layout(1, 20))
    base = f"/api/runs/{run.id}"
    assert (await state(app, run.id)) == {
        "state": "none", "by_itself": False, "share": 0.0, "what": "", "problem": None, "made": None,
        "code": None, "values": {},
    }  # fmt: skip
    await begin(app, bearer, run.id, 202, slices=5)
    await begin(app, bearer, run.id, 409)
    over = await until_over(app, run.id)
    assert (over["state"], over["made"]["steps"], over["made"]["last"]) == ("done", 5, 20)
    listed = json.loads((await call(app, "GET", f"{base}/layouts?set=again&method=umap")).body)["items"]
    assert [item["step"] for item in listed] == [0, 5, 10, 15, 20]
    assert len(json.loads((await call(app, "GET", f"{base}/layouts")).body)["items"]) == 1
    one = json.loads((await call(app, "GET", f"{base}/layouts/12?set=again&format=json")).body)
    assert one["step"] == 10


async def test_cancelled_it_leaves_nothing(app: FastAPI, bearer: dict[str, str], tmp_path: Path) -> None:
    run = finished_run(tmp_path, 20)
    base = f"/api/runs/{run.id}/reprojection"
    assert (await call(app, "DELETE", base, bearer)).status == 204
    await begin(app, bearer, run.id, 202, slices=20)
    assert (await call(app, "DELETE", base, bearer)).status == 204
    now = await state(app, run.id)
    assert (now["state"], now["made"]) == ("cancelled", None)
    assert not list(run.path.glob("relayouts*"))


async def test_only_of_a_run_that_is_over(app: FastAPI, bearer: dict[str, str], tmp_path: Path) -> None:
    run = make_run(RunStore(tmp_path))
    trainer = FakeTrainer(run).begin().train(2)
    assert b"this run is not over" in await begin(app, bearer, run.id, 409)
    trainer.crash()


async def test_polling_does_not_count_as_activity(
    app: FastAPI, bearer: dict[str, str], tmp_path: Path
) -> None:
    run = finished_run(tmp_path, 5)
    activity = app.state.services.gate.activity
    activity.wait(0)
    base = f"/api/runs/{run.id}"
    polled = ["/api/session", "/api/runs", base, f"{base}/map", f"{base}/reprojection", f"{base}/exports"]
    polled += [f"{base}/output-map", f"{base}/waypoints"]
    for path in [*polled, "/healthz", "/api/nothing"]:
        await call(app, "GET", path)
    assert not activity.wait(0)
    for path in (f"{base}/layouts", "/"):
        await call(app, "GET", path)
        assert activity.wait(0), path
    # A refused caller started nothing.
    await call(app, "POST", f"{base}/requests", body=b"{}")
    assert not activity.wait(0)
    await call(app, "DELETE", f"{base}/reprojection", bearer)
    assert activity.wait(0)


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
