from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi import FastAPI

from lamplighter.model.batches import batch_positions
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_store import RunStore
from lamplighter.runfolder.tables.measures import MeasuresWriter
from lamplighter.runfolder.tables.requests import Request, RequestsReader
from lamplighter.runfolder.tables.steps import StepsWriter
from lamplighter.serving.jobs.uploads import MAX_UPLOAD_BYTES, MAX_UPLOADS
from lamplighter.serving.routes import pairs
from lamplighter.wire.frames import decode
from lamplighter.wire.layout_frames import Layout, Method
from lamplighter.wire.row_frames import Rows
from tests.unit.serving.asgi import HOST, Answer, call
from tests.unit.serving.folders import FakeTrainer, V, finished_run, layout, make_run, pulse, write_layouts

pytestmark = pytest.mark.anyio


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    made = finished_run(tmp_path)
    write_layouts(made, layout(1, 0, Method.LINEAR), layout(1, 10), layout(1, 30), layout(7, 20))
    with MeasuresWriter(made.measures_path) as writer:
        writer.commit(1, 10, {"purity": 0.5, "rank": float("nan")})
        writer.commit(1, 20, {"purity": 0.75})
        # These belong to an attempt that does not count, so no answer shows them.
        writer.commit(3, 20, {"purity": 0.1, "coverage": 1.0})
        writer.commit(3, 34, {"purity": 0.1})
    return made


async def get(app: FastAPI, path: str, status: int = 200, **headers: str) -> Answer:
    answer = await call(app, "GET", path, {"host": HOST, **headers})
    assert answer.status == status, answer.body
    if status >= 400:
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json["status"] == status
        assert answer.json["detail"]
    return answer


async def post(app: FastAPI, bearer: dict[str, str], path: str, body: Any, status: int) -> Any:
    answer = await call(
        app, "POST", path, {**bearer, "content-type": "application/json"}, json.dumps(body).encode()
    )
    assert answer.status == status, answer.body
    return answer.json


async def test_the_list_and_one_run(app: FastAPI, run: RunFolder, tmp_path: Path) -> None:
    waiting = make_run(RunStore(tmp_path), prepared=False)
    broken = tmp_path / "broken-run"
    broken.mkdir()
    (broken / "recipe.json").write_text('{"format": 2}')
    damaged = finished_run(tmp_path)
    damaged.steps_path.write_bytes(damaged.steps_path.read_bytes()[:4096] + b"\xff" * 40_000)
    empty = tmp_path / "empty-run"
    empty.mkdir()

    items = {item["id"]: item for item in (await get(app, "/api/runs")).json["items"]}
    assert set(items) == {run.id, waiting.id, "broken-run", "empty-run", damaged.id}
    status = items[run.id]["status"]
    assert (status["phase"], status["step"], status["loss"], status["alive"]) == ("finished", 35, 2.5, False)
    assert status["bytes"] > 1_000
    assert items[waiting.id]["status"]["phase"] == "waiting"
    for name in ("broken-run", "empty-run", damaged.id):
        assert items[name]["readable"] is False
        assert items[name]["problem"]
        assert (items[name]["recipe"], items[name]["status"]) == (None, None)
    assert "newer" in items["broken-run"]["problem"]

    one = (await get(app, f"/api/runs/{run.id}")).json
    assert one["layers"] == ["embedding", "block 1"]
    assert (one["vocabulary"], one["dim"], one["parameters"], one["corpus_tokens"]) == (V, 4, 1234, 500)
    assert one["classes"] == [
        {"name": "animals", "size": 4, "family": None},
        {"name": "marks", "size": 2, "family": None},
    ]
    assert one["relations"] == [{"name": "plural", "pairs": 1}]
    assert "vocabulary" not in (await get(app, f"/api/runs/{waiting.id}")).json
    for path in ("steps", "snapshots", "tokens", "neighbours?token_id=1", "layouts/3"):
        assert (await call(app, "GET", f"/api/runs/{damaged.id}/{path}")).status in (404, 409, 200)


async def test_steps(app: FastAPI, run: RunFolder) -> None:
    base = f"/api/runs/{run.id}/steps"
    items = (await get(app, base)).json["items"]
    assert [item["step"] for item in items] == list(range(1, 36))
    assert set(items[0]) == {
        "attempt", "step", "time", "loss", "learning_rate", "tokens_per_second", "step_seconds",
        "observe_seconds", "batch_rows", "gradient_rows", "moved_rows", "verified", "layer_norms", "ever_rows",
    }  # fmt: skip
    some = (await get(app, f"{base}?from=5&to=30&every=10")).json["items"]
    assert [item["step"] for item in some] == [5, 15, 25]
    assert (await get(app, f"{base}?from=40")).json["items"] == []
    assert (await get(app, f"{base}?from=9&to=3")).json["items"] == []
    one = (await get(app, f"{base}/7")).json
    positions = batch_positions(run.recipe, 500, 7)
    assert one["tokens"] == run.token_ids[positions].tolist()
    assert one["gradient"][0][1] == 1.0
    assert len(one["moved"]) == one["moved_rows"]
    assert "35" in (await get(app, f"{base}/36", 404)).json["detail"]
    assert (await get(app, f"{base}/7/text")).json == {"step": 7, "tokens": one["tokens"][:1]}
    assert (await get(app, f"{base}/7/text?sequences=2")).json["tokens"] == one["tokens"][:2]
    assert "35" in (await get(app, f"{base}/36/text", 404)).json["detail"]
    await get(app, f"{base}/7/text?sequences=65", 422)
    assert (await get(app, f"/api/runs/{run.id}/events")).json["items"][0]["kind"] == "finished"
    assert (await get(app, f"/api/runs/{run.id}/measures")).json["items"] == [
        {"step": 10, "values": {"purity": 0.5}},
        {"step": 20, "values": {"purity": 0.75}},
    ]


async def test_a_loss_that_is_not_a_number_is_null(app: FastAPI, tmp_path: Path) -> None:
    run = make_run(RunStore(tmp_path))
    trainer = FakeTrainer(run).begin()
    from lamplighter.runfolder.tables.steps import StepRecord
    from lamplighter.wire.frames import encode

    trainer.writer.commit(StepRecord(1, encode(pulse(1, 1, loss=float("nan"))), b"x"))
    trainer.crash()
    assert (await get(app, f"/api/runs/{run.id}/steps")).json["items"][0]["loss"] is None
    assert (await get(app, f"/api/runs/{run.id}")).json["status"]["loss"] is None


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
    as_json = (await get(app, f"{base}/27?format=json")).json
    np.testing.assert_allclose(as_json["vectors"], trainer.matrices[27], rtol=1e-6)
    assert (
        await get(app, f"{base}/27?format=npy", 304, **{"if-none-match": answer.headers["etag"]})
    ).body == b""
    assert "35" in (await get(app, f"{base}/36", 404)).json["detail"]
    assert (await get(app, f"{base}/27?format=pickle", 422)).json["errors"][0]["field"] == "format"


async def test_what_was_not_kept_is_not_made_up(app: FastAPI, tmp_path: Path) -> None:
    run = make_run(RunStore(tmp_path))
    FakeTrainer(run, rows=False).begin().train(25).end()
    base = f"/api/runs/{run.id}"
    assert (await get(app, f"{base}/snapshots")).json["exact"] is False
    assert "20" in (await get(app, f"{base}/snapshots/25", 404)).json["detail"]
    near = (await get(app, f"{base}/neighbours?token_id=1&step=25")).json
    assert (near["step"], near["exact"]) == (20, False)
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


async def test_tokens(app: FastAPI, run: RunFolder) -> None:
    base = f"/api/runs/{run.id}/tokens"

    async def found(query: str) -> list[str]:
        return [item["token"] for item in (await get(app, f"{base}?{query}")).json["items"]]

    assert await found("search=dog") == ["dog", "Dog", "dogs", "hotdog"]
    assert await found("search=Dog&limit=2") == ["Dog", "dog"]
    assert await found("search=/") == ["/"]
    assert await found("search=..") == [".."]
    assert await found("search=nothing-like-it") == []
    assert len(await found("limit=50000")) == V
    assert (await found("limit=3&offset=1")) == ["dog", "Dog", "dogs"]
    one = (await get(app, f"{base}/1?step=20")).json
    assert (one["token"], one["class"], one["count"], one["step"], one["exact"]) == (
        "dog",
        "animals",
        39,
        20,
        True,
    )
    assert 0 < one["touches"] <= 20
    assert one["norm"] > 0
    await get(app, f"{base}/{V}", 404)
    await get(app, f"{base}/-1", 404)


async def test_neighbours(app: FastAPI, tmp_path: Path) -> None:
    run = make_run(RunStore(tmp_path))
    trainer = FakeTrainer(run).begin().train(12)
    near = (await get(app, f"/api/runs/{run.id}/neighbours?token_id=3&k=5&step=12")).json
    units = trainer.matrix / np.linalg.norm(trainer.matrix, axis=1, keepdims=True)
    order = [int(i) for i in np.argsort(-(units @ units[3])) if i != 3][:5]
    assert [item["token_id"] for item in near["items"]] == order
    assert near["items"][0]["cosine"] == pytest.approx(float(units[order[0]] @ units[3]), abs=1e-5)
    assert (near["step"], near["exact"]) == (12, True)
    await get(app, f"/api/runs/{run.id}/neighbours?token_id=99", 404)
    await get(app, f"/api/runs/{run.id}/neighbours", 422)
    trainer.crash()


async def test_a_run_that_has_not_begun(app: FastAPI, tmp_path: Path) -> None:
    base = f"/api/runs/{make_run(RunStore(tmp_path), prepared=False).id}"
    for path in ("steps", "events", "measures", "lines"):
        assert (await get(app, f"{base}/{path}")).json["items"] == []
    for path in (
        "snapshots",
        "snapshots/0",
        "layouts/0",
        "tokens",
        "tokens/0",
        "neighbours?token_id=0",
        "steps/1",
        "steps/1/text",
    ):
        await get(app, f"{base}/{path}", 404)


async def test_a_run_that_lost_its_vocabulary(app: FastAPI, tmp_path: Path) -> None:
    run = make_run(RunStore(tmp_path))
    FakeTrainer(run).begin().train(20)
    write_layouts(run, layout(1, 10))
    (run.path / "vocabulary.json").unlink()
    answer = await get(app, f"/api/runs/{run.id}/layouts/10", 404)
    assert "its text has not been read" in answer.json["detail"]
    assert str(tmp_path) not in answer.json["detail"]


async def test_a_new_run_and_one_less(app: FastAPI, bearer: dict[str, str], tmp_path: Path) -> None:
    made = await post(app, bearer, "/api/runs", {"recipe": {"steps": 50, "model": {"dim": 16}}}, 201)
    assert made["status"]["phase"] == "waiting"
    assert made["recipe"]["model"]["dim"] == 16
    bad = await post(app, bearer, "/api/runs", {"recipe": {"model": {"dim": 30}, "steps": -1}}, 422)
    assert {fault["field"] for fault in bad["errors"]} == {"recipe.model", "recipe.steps"}
    assert "multiple of heads" in bad["detail"]
    await post(app, bearer, "/api/runs", {"recipe": {}, "path": "/etc/passwd"}, 422)
    second = await post(app, bearer, "/api/runs", {}, 201)
    full = await post(app, bearer, "/api/runs", {}, 409)
    assert "at most 2" in full["detail"]
    gone = await call(app, "DELETE", f"/api/runs/{second['id']}", bearer)
    assert (gone.status, gone.body) == (204, b"")
    assert (tmp_path / ".trash" / second["id"]).is_dir()
    await get(app, f"/api/runs/{second['id']}", 404)


async def test_a_run_being_trained_is_not_deleted(
    app: FastAPI, bearer: dict[str, str], tmp_path: Path
) -> None:
    run = make_run(RunStore(tmp_path))
    trainer = FakeTrainer(run).begin()
    assert (await call(app, "DELETE", f"/api/runs/{run.id}", bearer)).status == 409
    trainer.crash()


async def test_requests(app: FastAPI, bearer: dict[str, str], tmp_path: Path) -> None:
    run = make_run(RunStore(tmp_path))
    trainer = FakeTrainer(run).begin().train(2)
    base = f"/api/runs/{run.id}/requests"
    good: list[dict[str, Any]] = [
        {"kind": "pause"}, {"kind": "resume"}, {"kind": "step"}, {"kind": "pace", "steps_per_second": 4},
        {"kind": "pace", "steps_per_second": None}, {"kind": "learning_rate", "value": 0.001}, {"kind": "stop"},
    ]  # fmt: skip
    for number, body in enumerate(good, start=1):
        answer = await post(app, bearer, base, body, 202)
        assert answer == {"request": f"{app.state.services.server_id}:{number}"}
    asked = RequestsReader(run.path).read_new()
    assert [{"kind": r.kind, **r.body} for r in asked] == good
    for body in ({"kind": "rm"}, {"kind": "pace"}, {"kind": "pace", "steps_per_second": 0}, {}, [], "pause",
                 {"kind": "learning_rate", "value": "NaN"}, {"kind": "pause", "more": 1}):  # fmt: skip
        await post(app, bearer, base, body, 422)
    await post(app, bearer, base, {"kind": "continue", "steps": 5}, 409)
    trainer.end()
    await post(app, bearer, base, {"kind": "pause"}, 409)
    for rate in (0, 11, "NaN"):
        await post(app, bearer, base, {"kind": "continue", "steps": 5, "learning_rate": rate}, 422)
    # Only one of two clicks takes effect.
    await post(app, bearer, base, {"kind": "continue", "steps": 5, "learning_rate": 0.002}, 202)
    assert "already" in (await post(app, bearer, base, {"kind": "continue", "steps": 5}, 409))["detail"]
    with StepsWriter(run.steps_path) as writer:
        again = Request(app.state.services.server_id, len(good) + 1, 0.0, "continue", {"steps": 5})
        writer.add_applied(again, writer.attempt, 3)
    await post(app, bearer, base, {"kind": "continue", "steps": 7}, 202)
    bodies = [request.body for request in RequestsReader(run.path).read_new() if request.kind == "continue"]
    assert bodies == [{"steps": 5, "learning_rate": 0.002}, {"steps": 7}]
    await post(app, bearer, "/api/runs/none/requests", {"kind": "pause"}, 404)


async def test_the_map_is_changed_in_any_phase(app: FastAPI, bearer: dict[str, str], tmp_path: Path) -> None:
    run = make_run(RunStore(tmp_path))
    trainer = FakeTrainer(run).begin().train(2)
    base = f"/api/runs/{run.id}/requests"
    await post(app, bearer, base, {"kind": "map", "neighbours": 20, "min_dist": 0.3}, 202)
    trainer.end()
    await post(app, bearer, base, {"kind": "map", "method": "refit"}, 202)
    drawn = (await get(app, f"/api/runs/{run.id}/map")).json
    assert drawn["chosen"] == run.recipe.map.model_dump()
    assert drawn["asked"] == {"method": "refit", "neighbours": 20, "min_dist": 0.3, "spread": 1.5}
    assert (drawn["settled"], drawn["linear"]) == (False, None)
    for body, said in (
        ({}, "say what to change"), ({"neighbours": 1}, "greater than or equal to 2"),
        ({"neighbours": 500}, "less than or equal to 200"), ({"method": "tsne"}, "'umap', 'refit' or 'pca'"),
        ({"min_dist": 2}, "min_dist (2) must be at most spread (1.5)"), ({"spread": 0.2}, "must be at most spread (0.2)"),
        ({"min_dist": "NaN"}, "min_dist"), ({"colour": 1}, "Extra inputs"),
    ):  # fmt: skip
        refused = await post(app, bearer, base, {"kind": "map", **body}, 422)
        assert said in json.dumps(refused), refused
    assert [r.body for r in RequestsReader(run.path).read_new()] == [
        {"neighbours": 20, "min_dist": 0.3},
        {"method": "refit"},
    ]


async def test_uploads(app: FastAPI, bearer: dict[str, str], tmp_path: Path) -> None:
    async def upload(body: bytes, status: int, name: str = "novel.txt") -> Any:
        answer = await call(app, "POST", f"/api/uploads?name={name}", bearer, body)
        assert answer.status == status, answer.body
        return answer.json

    text = "A naïve café. " * 10_000
    kept = await upload(text.encode(), 201)
    assert kept["bytes"] == len(text.encode())
    made = await post(
        app, bearer, "/api/runs", {"recipe": {"corpus": {"kind": "text"}}, "upload": kept["upload"]}, 201
    )
    assert made["recipe"]["corpus"]["name"] == "novel.txt"
    assert (tmp_path / made["id"] / "source.txt").read_text(encoding="utf-8") == text
    # The upload became a run, so it is deleted and cannot make a second one.
    assert list((tmp_path / ".uploads").iterdir()) == []
    marked = await upload(b"\xef\xbb\xbf" + b"one\r\ntwo " * 600, 201)
    made = await post(
        app, bearer, "/api/runs", {"recipe": {"corpus": {"kind": "text"}}, "upload": marked["upload"]}, 201
    )
    assert (tmp_path / made["id"] / "source.txt").read_bytes() == b"one\ntwo " * 600
    assert "UTF-8" in (await upload("naïve".encode("latin-1"), 422))["detail"]
    assert "UTF-16" in (await upload("naïve".encode("utf-16"), 422))["detail"]
    assert "empty" in (await upload(b" \n", 422))["detail"]
    assert "UTF-8" in (await upload("é".encode()[:1], 422))["detail"]
    assert "empty" in (await upload(b"", 422))["detail"]
    assert "plain text" in (await upload(b"a\0b", 422))["detail"]
    await upload(b"x", 422, name="n" * 300)
    for upload_id in ("nope", "../../etc/passwd", kept["upload"][:-1], kept["upload"] + "/", "0" * 24):
        bad = await post(
            app, bearer, "/api/runs", {"recipe": {"corpus": {"kind": "text"}}, "upload": upload_id}, 422
        )
        assert bad["errors"][0]["field"] == "upload"
    await post(app, bearer, "/api/runs", {"recipe": {"corpus": {"kind": "text"}}}, 422)
    await post(app, bearer, "/api/runs", {"recipe": {}, "upload": kept["upload"]}, 422)
    for number in range(MAX_UPLOADS + 2):
        await upload(b"text %d" % number, 201)
    assert len(list((tmp_path / ".uploads").glob("*.txt"))) == MAX_UPLOADS
    assert len(list((tmp_path / ".uploads").iterdir())) == 2 * MAX_UPLOADS


async def test_bodies_are_capped(
    app: FastAPI, bearer: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    big = {"recipe": {"corpus": {"name": "x" * 70_000}}}
    assert "65,536" in (await post(app, bearer, "/api/runs", big, 413))["detail"]
    headers = {**bearer, "content-length": str(MAX_UPLOAD_BYTES + 1)}
    assert (await call(app, "POST", "/api/uploads", headers, b"x")).status == 413
    monkeypatch.setattr("lamplighter.serving.jobs.uploads.MAX_UPLOAD_BYTES", 100_000)
    assert (await call(app, "POST", "/api/uploads", bearer, b"x" * 200_000)).status == 413


async def test_of_many_events_the_newest_come_and_the_others_by_page(app: FastAPI, tmp_path: Path) -> None:
    run = make_run(RunStore(tmp_path))
    trainer = FakeTrainer(run).begin()
    for number in range(1, 2_301):
        trainer.writer.add_event(number, "pause", "")
    trainer.crash()
    base = f"/api/runs/{run.id}/events"

    async def numbers(query: str = "") -> list[int]:
        return [event["step"] for event in (await get(app, base + query)).json["items"]]

    assert await numbers() == list(range(1_301, 2_301))
    assert await numbers("?limit=3") == [2_298, 2_299, 2_300]
    assert await numbers("?after=0") == list(range(1, 1_001))
    assert await numbers("?after=2000") == list(range(2_001, 2_301))
    assert await numbers("?after=2300") == []
    for bad in ("after=-1", "limit=0", "limit=1001", "after=x"):
        await get(app, f"{base}?{bad}", 422)


async def test_pairs(app: FastAPI, tmp_path: Path) -> None:
    run = make_run(RunStore(tmp_path))
    trainer = FakeTrainer(run).begin().train(12)
    base = f"/api/runs/{run.id}/pairs"
    told = (await get(app, f"{base}?token_ids=3,1,9&step=12")).json
    assert (told["step"], told["exact"], told["token_ids"]) == (12, True, [3, 1, 9])
    rows = trainer.matrix[[3, 1, 9]]
    units = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    assert told["table"]["cosine"][0][2] == pytest.approx(float(units[0] @ units[2]), abs=1e-5)
    assert told["table"]["distance"][1][2] == pytest.approx(
        float(np.linalg.norm(rows[1] - rows[2])), abs=1e-4
    )
    three = [float(units[a] @ units[b]) for a, b in ((0, 1), (0, 2), (1, 2))]
    assert told["among"]["cosine"]["mean"] == pytest.approx(np.mean(three), abs=1e-5)
    assert (told["among"]["pairs"], told["random"]["pairs"]) == (3, V * (V - 1) // 2)

    many = (await get(app, f"{base}?token_ids={','.join(map(str, range(20)))}")).json
    assert (many["table"], many["among"]["pairs"]) == (None, 190)
    alone = (await get(app, f"{base}?token_ids=3")).json
    assert (alone["among"]["pairs"], alone["among"]["cosine"]["mean"]) == (0, None)
    for bad, status in (("", 422), ("3,3", 422), ("a", 422), ("99", 404), ("-1", 422)):
        await get(app, f"{base}?token_ids={bad}", status)
    await get(app, base, 422)
    trainer.crash()


async def test_pairs_of_more_tokens_than_are_measured(
    app: FastAPI, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = finished_run(tmp_path)
    monkeypatch.setattr(pairs, "MOST_TOKENS", 5)
    await get(app, f"/api/runs/{run.id}/pairs?token_ids=0,1,2,3,4")
    refused = await get(app, f"/api/runs/{run.id}/pairs?token_ids=0,1,2,3,4,5", 422)
    assert "at most 5 tokens" in refused.json["detail"]
