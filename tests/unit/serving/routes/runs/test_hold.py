"""Runs that a server begins wait for their map, where it will draw one that must be prepared."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lamplighter.runfolder.run_store import RunStore
from lamplighter.runfolder.tables.requests import RequestsReader
from lamplighter.serving.apps.app import create_app
from lamplighter.web.settings import ServerSettings, SettingsError
from tests.support.asgi import HOST, PORT, call

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("settings", "method", "held"),
    [
        ({}, "umap", 30),
        ({"hold": 5}, "refit", 5),
        ({"hold": 0}, "umap", None),
        # Nothing needs preparation, or this server does not prepare it.
        ({}, "pca", None),
        ({"roles": ("trainer",)}, "umap", None),
    ],
)
async def test_a_new_run_is_held_for_its_map(
    settings: dict[str, Any], method: str, held: float | None, tmp_path: Path
) -> None:
    app = create_app(ServerSettings(tmp_path, port=PORT, **settings))
    token = app.state.services.gate.credentials.token
    headers = {"host": HOST, "authorization": f"Bearer {token}", "content-type": "application/json"}
    body = json.dumps({"recipe": {"map": {"method": method}}}).encode()
    made = await call(app, "POST", "/api/runs", headers, body)
    assert made.status == 201
    run = RunStore(tmp_path).find(made.json["id"])
    asked = [(request.kind, request.body) for request in RequestsReader(run.path).read_new()]
    assert asked == ([] if held is None else [("hold", {"seconds": held})])
    # Before a trainer takes it up it waits as any run does.
    assert made.json["status"]["hold"] is None
    begin = await call(app, "POST", f"/api/runs/{run.id}/requests", headers, b'{"kind": "begin"}')
    assert begin.status == 202
    # Only the server itself holds a run.
    hold = await call(app, "POST", f"/api/runs/{run.id}/requests", headers, b'{"kind": "hold"}')
    assert hold.status == 422


@pytest.mark.parametrize("seconds", [-1, 601, float("nan")])
def test_seconds_out_of_range_are_refused(seconds: float, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="hold: "):
        ServerSettings(tmp_path, hold=seconds).check()
