"""A finished run laid out again over REST, by its real process."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import anyio
import pytest
from fastapi import FastAPI

from lamplighter.runfolder.reading.playback.playback import Playback
from lamplighter.runfolder.reading.playback.playback_parts import PlaybackKind
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_store import RunStore
from lamplighter.wire.layout_frames import Method
from tests.support.asgi import call
from tests.support.folders import FakeTrainer, finished_run, layout, make_run, write_layouts

pytestmark = pytest.mark.anyio


async def begin(app: FastAPI, bearer: dict[str, str], run: str, status: int, **body: Any) -> bytes:
    headers = {**bearer, "content-type": "application/json"}
    answer = await call(app, "POST", f"/api/runs/{run}/reprojection", headers, json.dumps(body).encode())
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


def played(run: RunFolder, *, again: bool) -> list[int]:
    """Return the steps of the map layouts that a replay shows."""
    playback = Playback(run, 0, 20, [PlaybackKind.LAYOUT], reprojected=again)
    shown: list[int] = []
    while not playback.done:
        shown += [one.step for one in playback.read_next() if one.method is Method.UMAP]
    return shown


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
    assert played(run, again=True) == [0, 5, 10, 15, 20]
    assert played(run, again=False) == [20]


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
