from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from fastapi import FastAPI

from lamplighter.runfolder.run_store import RunStore
from lamplighter.wire.frames import decode
from lamplighter.wire.row_frames import Rows
from tests.support.folders import FakeTrainer, make_run
from tests.unit.serving.routes.api_calls import get

pytestmark = pytest.mark.anyio


async def test_snapshots(app: FastAPI, tmp_path: Path) -> None:
    run = make_run(RunStore(tmp_path))
    trainer = FakeTrainer(run).begin().train(35)
    trainer.end()
    base = f"/api/runs/{run.id}/snapshots"
    found = (await get(app, base)).json
    assert [item["step"] for item in found["items"]] == [0, 10, 20, 30]
    assert (found["exact"], found["from"], found["to"]) == (True, 0, 35)
    answer = await get(app, f"{base}/27?format=npy")
    assert answer.headers["x-lamplighter-exact"] == "true"
    matrix = np.load(io.BytesIO(answer.body), allow_pickle=False)
    np.testing.assert_array_equal(matrix, trainer.matrices[27])
    frame = decode((await get(app, f"{base}/27")).body)
    assert isinstance(frame, Rows)
    assert frame.whole
    np.testing.assert_array_equal(frame.vectors, trainer.matrices[27])
    assert (
        await get(app, f"{base}/27?format=npy", 304, **{"if-none-match": answer.headers["etag"]})
    ).body == b""
    assert "35" in (await get(app, f"{base}/36", 404)).json["detail"]
    assert (await get(app, f"{base}/27?format=pickle", 422)).json["errors"][0]["field"] == "format"


async def test_unkept_steps_are_not_invented(app: FastAPI, tmp_path: Path) -> None:
    run = make_run(RunStore(tmp_path))
    FakeTrainer(run, rows=False).begin().train(25).end()
    base = f"/api/runs/{run.id}"
    assert (await get(app, f"{base}/snapshots")).json["exact"] is False
    assert "20" in (await get(app, f"{base}/snapshots/25", 404)).json["detail"]
    near = (await get(app, f"{base}/neighbours?token_id=1&step=25")).json
    assert (near["step"], near["exact"]) == (20, False)
    # A request for the nearest step is answered from memory; one for exactly this step is still refused.
    assert "20" in (await get(app, f"{base}/snapshots/25", 404)).json["detail"]
    newest = (await get(app, f"{base}/neighbours?token_id=1")).json
    assert (newest["step"], newest["exact"]) == (20, True)


async def test_a_superseded_step_is_not_answered_from_memory(app: FastAPI, tmp_path: Path) -> None:
    run = make_run(RunStore(tmp_path))
    trainer = FakeTrainer(run).begin().train(15)
    first = await get(app, f"/api/runs/{run.id}/snapshots/14?format=npy")
    trainer.start_attempt_after(10).train(5)
    second = await get(app, f"/api/runs/{run.id}/snapshots/14?format=npy")
    assert first.headers["etag"] != second.headers["etag"]
    np.testing.assert_array_equal(np.load(io.BytesIO(second.body)), trainer.matrices[14])
    trainer.crash()
