"""The norms of rows, over REST."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from fastapi import FastAPI

from lamplighter.runfolder.run_store import RunStore
from tests.support.asgi import HOST, call
from tests.support.folders import KEYFRAME_EVERY, FakeTrainer, V, finished_run, make_run

pytestmark = pytest.mark.anyio


async def test_the_length_of_every_row_after_a_step(app: FastAPI, tmp_path: Path) -> None:
    trainer = FakeTrainer(make_run(RunStore(tmp_path))).begin().train(30)
    for query, step in (("?step=7&", 7), ("?step=30&", 30), ("?", 30), ("?step=99&", 30)):
        path = f"/api/runs/{trainer.run.id}/norms{query}"
        answer = await call(app, "GET", f"{path}format=npy", {"host": HOST})
        assert answer.status == 200, answer.body
        found = np.load(io.BytesIO(answer.body), allow_pickle=False)
        assert (found.dtype, found.shape) == (np.float32, (V,))
        expected = np.linalg.norm(trainer.matrices[step].astype(np.float64), axis=1)
        np.testing.assert_allclose(found, expected, rtol=1e-5)
        assert answer.headers["x-lamplighter-step"] == str(step)
        said = (await call(app, "GET", f"{path}format=json", {"host": HOST})).json
        assert (said["attempt"], said["step"], said["exact"]) == (1, step, "99" not in query)
        assert said["norms"] == pytest.approx(found.tolist())
        held = {"host": HOST, "if-none-match": answer.headers["etag"]}
        assert (await call(app, "GET", f"{path}format=npy", held)).status == 304
    trainer.crash()


async def test_a_step_that_is_not_kept_is_answered_with_the_one_before_it_and_says_so(
    app: FastAPI, tmp_path: Path
) -> None:
    run = finished_run(tmp_path, rows=False)
    path = f"/api/runs/{run.id}/norms?format=json&step={2 * KEYFRAME_EVERY + 3}"
    said = (await call(app, "GET", path, {"host": HOST})).json
    assert (said["step"], said["exact"]) == (2 * KEYFRAME_EVERY, False)


async def test_rejects_invalid_question(app: FastAPI, tmp_path: Path) -> None:
    run = finished_run(tmp_path)
    for query, status in (("?step=-1", 422), ("?format=frame", 422), ("?step=x", 422)):
        answer = await call(app, "GET", f"/api/runs/{run.id}/norms{query}", {"host": HOST})
        assert answer.status == status
    accepted = {"host": HOST, "accept": "text/html"}
    assert (await call(app, "GET", f"/api/runs/{run.id}/norms", accepted)).status == 406
