from __future__ import annotations

import pytest
from fastapi import FastAPI

from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.wire.frames import decode
from lamplighter.wire.layout_frames import Layout, Method
from tests.support.folders import V
from tests.unit.serving.routes.api_calls import get

pytestmark = pytest.mark.anyio


async def test_layouts(app: FastAPI, run: RunFolder) -> None:
    base = f"/api/runs/{run.id}/layouts"
    items = (await get(app, base)).json["items"]
    # The layout of attempt 7 does not count.
    assert [(item["step"], item["method"]) for item in items] == [(0, "linear"), (10, "umap"), (30, "umap")]
    answer = await get(app, f"{base}/29")
    frame = decode(answer.body)
    assert isinstance(frame, Layout)
    assert (frame.step, frame.method, answer.headers["x-lamplighter-step"]) == (10, Method.UMAP, "10")
    one = (await get(app, f"{base}/35?format=json&method=linear")).json
    assert (one["step"], one["method"], len(one["coordinates"])) == (0, "linear", V)
    await get(app, f"{base}/9", 404)
