"""The output matrix over REST: `matrix=out`, at the waypoint at or before a step, and the list of waypoints.

The norms of rows, over REST.
"""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from fastapi import FastAPI

from lamplighter.geometry.neighbours import nearest_rows
from lamplighter.projection.joint_layouts import ReprojectionError, lay_out_output
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_store import RunStore
from lamplighter.wire.frames import decode
from lamplighter.wire.row_frames import Rows
from tests.support.asgi import HOST, Answer, call
from tests.support.folders import KEYFRAME_EVERY, D, FakeTrainer, V, finished_run, make_run
from tests.support.synthetic_runs.waypoints import random_matrix, write_waypoint


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    found = finished_run(tmp_path)
    for step in (0, 10, 30):
        write_waypoint(found, step, random_matrix(found, step))
    return found


async def get(app: FastAPI, run: RunFolder, rest: str, **headers: str) -> Answer:
    return await call(app, "GET", f"/api/runs/{run.id}/{rest}", {"host": HOST, **headers})


async def test_the_waypoints_are_listed(app: FastAPI, run: RunFolder) -> None:
    answer = await get(app, run, "waypoints")
    assert answer.json == {
        "items": [{"attempt": 1, "step": step} for step in (0, 10, 30)], "tied": False, "last_map_step": 30,
        "map_time": None, "no_map": None, "code": None, "values": {},
    }  # fmt: skip


async def test_a_map_is_offered_only_where_the_job_will_draw_one(
    app: FastAPI, run: RunFolder, bearer: dict[str, str]
) -> None:
    """Checkpoints have the matrix too, but go while a map is drawn."""
    run.checkpoints.mkdir(exist_ok=True)
    (run.waypoints / "0000000030-0001.safetensors").rename(run.checkpoints / "0000000030-0001.safetensors")
    found = (await get(app, run, "waypoints")).json
    assert (found["items"][-1]["step"], found["last_map_step"], found["no_map"]) == (30, 10, None)
    (run.waypoints / "0000000010-0001.safetensors").unlink()
    found = (await get(app, run, "waypoints")).json
    assert [item["step"] for item in found["items"]] == [0, 30]
    assert "needs two" in found["no_map"]
    assert found["code"] == "output_few_states"
    refused = await call(app, "POST", f"/api/runs/{run.id}/output-map", bearer)
    assert (refused.status, refused.json["detail"]) == (409, found["no_map"])
    with pytest.raises(ReprojectionError, match="needs two"):
        lay_out_output(run, lambda _share, _what: None)


async def test_neighbours_pairs_and_norms_are_those_of_its_rows(app: FastAPI, run: RunFolder) -> None:
    for step, reached in ((0, 0), (10, 10), (29, 10), (35, 30)):
        matrix = random_matrix(run, reached)
        near = (await get(app, run, f"neighbours?token_id=3&k=5&step={step}&matrix=out")).json
        assert (near["step"], near["exact"]) == (reached, step == reached)
        ids, cosines = nearest_rows(matrix, np.array([3]), 5)
        assert [item["token_id"] for item in near["items"]] == ids[0].tolist()
        assert [item["cosine"] for item in near["items"]] == pytest.approx(cosines[0].tolist(), abs=1e-6)
        pairs = (await get(app, run, f"pairs?token_ids=1,2&step={step}&matrix=out")).json
        assert (pairs["step"], pairs["exact"]) == (reached, step == reached)
        unit = matrix[[1, 2]] / np.linalg.norm(matrix[[1, 2]], axis=1, keepdims=True)
        assert pairs["table"]["cosine"][0][1] == pytest.approx(float(unit[0] @ unit[1]), abs=1e-5)
        norms = await get(app, run, f"norms?step={step}&matrix=out")
        assert norms.headers["x-lamplighter-step"] == str(reached)
        lengths = np.load(io.BytesIO(norms.body), allow_pickle=False)
        np.testing.assert_allclose(lengths, np.linalg.norm(matrix, axis=1), rtol=1e-5)
    newest = (await get(app, run, "neighbours?token_id=3&matrix=out")).json
    assert (newest["step"], newest["exact"]) == (30, True)
    assert newest != (await get(app, run, "neighbours?token_id=3&step=30")).json


async def test_a_snapshot_says_of_which_step_it_is(app: FastAPI, run: RunFolder) -> None:
    matrix = random_matrix(run, 10)
    answer = await get(app, run, "snapshots/12?matrix=out&format=npy")
    assert (np.load(io.BytesIO(answer.body), allow_pickle=False) == matrix).all()
    facts = [answer.headers[f"x-lamplighter-{name}"] for name in ("step", "attempt", "exact")]
    assert facts == ["10", "1", "false"]
    held = await get(
        app, run, "snapshots/12?matrix=out&format=npy", **{"if-none-match": answer.headers["etag"]}
    )
    assert held.status == 304
    frame = decode((await get(app, run, "snapshots/10?matrix=out&attempt=1")).body)
    assert isinstance(frame, Rows)
    assert (frame.step, frame.vectors.shape) == (10, (V, D))
    assert (frame.vectors == matrix).all()
    named = await get(app, run, "snapshots/12?matrix=out&format=npy&token_ids=7,2")
    assert named.headers["x-lamplighter-step"] == "10"
    np.testing.assert_array_equal(np.load(io.BytesIO(named.body)), matrix[[7, 2]])
    # A waypoint may go: such an answer is not kept for ever.
    last = await get(app, run, "snapshots/10?matrix=out&attempt=1&format=npy")
    assert "immutable" not in last.headers["cache-control"]


async def test_the_one_before_it_once_a_waypoint_is_thinned_out(app: FastAPI, run: RunFolder) -> None:
    asked = "neighbours?token_id=3&step=29&matrix=out"
    assert (await get(app, run, asked)).json["step"] == 10
    (run.waypoints / "0000000010-0001.safetensors").unlink()
    assert (await get(app, run, asked)).json["step"] == 0
    (run.waypoints / "0000000000-0001.safetensors").unlink()
    for rest in (asked, "pairs?token_ids=1,2&step=29&matrix=out", "norms?step=29&matrix=out",
                 "snapshots/29?matrix=out"):  # fmt: skip
        refused = await get(app, run, rest)
        assert refused.status == 404, rest
        assert "the first is of step 30" in refused.json["detail"]


async def test_rejects_hostile_waypoint_and_invalid_matrix(app: FastAPI, run: RunFolder) -> None:
    (run.waypoints / "0000000030-0001.safetensors").write_bytes(b"\xff" * 64)
    refused = await get(app, run, "neighbours?token_id=3&matrix=out")
    assert (refused.status, str(run.path) in refused.body.decode()) == (409, False)
    assert (await get(app, run, "neighbours?token_id=3&matrix=all")).status == 422


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
