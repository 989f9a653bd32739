"""The map of the output matrix, laid out over REST by its real process."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import anyio
import pytest
from fastapi import FastAPI

from lamplighter.runfolder.run_folder import RunFolder
from tests.support.asgi import call
from tests.support.folders import finished_run, layout, write_layouts
from tests.support.synthetic_runs.waypoints import random_matrix, write_waypoint


async def ask(app: FastAPI, method: str, run: RunFolder, headers: dict[str, str]) -> Any:
    answer = await call(app, method, f"/api/runs/{run.id}/output-map", headers)
    return answer.json if answer.body else answer.status


async def test_laid_out_on_request_and_read_as_a_separate_set(
    app: FastAPI, bearer: dict[str, str], tmp_path: Path
) -> None:
    run = finished_run(tmp_path)
    write_layouts(run, layout(1, 30))
    assert "no state" in (await ask(app, "POST", run, bearer))["detail"]
    for step in (0, 10, 30):
        write_waypoint(run, step, random_matrix(run, step))
    base = f"/api/runs/{run.id}"
    assert (await call(app, "GET", f"{base}/layouts/30?set=output", bearer)).status == 404
    waypoints = (await call(app, "GET", f"{base}/waypoints", bearer)).json
    assert waypoints["map_time"] is None
    assert (await ask(app, "POST", run, bearer))["state"] == "running"
    assert (await ask(app, "POST", run, bearer))["status"] == 409
    deadline = time.monotonic() + 90
    while (now := await ask(app, "GET", run, bearer))["state"] == "running":
        assert time.monotonic() < deadline, now
        await anyio.sleep(0.1)
    made = now["made"]
    assert (now["state"], made["steps"], made["first"], made["last"]) == ("done", 3, 0, 30), now
    items = (await call(app, "GET", f"{base}/layouts?set=output&method=umap", bearer)).json["items"]
    assert [item["step"] for item in items] == [0, 10, 30]
    waypoints = (await call(app, "GET", f"{base}/waypoints", bearer)).json
    assert waypoints["map_time"] == pytest.approx(time.time(), abs=90)
    shown = (await call(app, "GET", f"{base}/layouts/29?set=output&format=json", bearer)).json
    assert shown["step"] == 10
    assert len((await call(app, "GET", f"{base}/layouts?set=live&method=umap", bearer)).json["items"]) == 1
    assert (await call(app, "GET", f"{base}/reprojection", bearer)).json["made"] is None


async def test_cancelled_it_leaves_nothing(app: FastAPI, bearer: dict[str, str], tmp_path: Path) -> None:
    run = finished_run(tmp_path)
    for step in (0, 10):
        write_waypoint(run, step, random_matrix(run, step))
    assert await ask(app, "DELETE", run, bearer) == 204
    await ask(app, "POST", run, bearer)
    assert await ask(app, "DELETE", run, bearer) == 204
    now = await ask(app, "GET", run, bearer)
    assert (now["state"], now["made"]) == ("cancelled", None)
    assert {path.name for path in run.path.glob("output*")} <= {"output-projector.lock"}
