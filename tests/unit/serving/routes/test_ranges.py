"""Ranges: vectors through steps, a token's path, several layouts, paged lists, and steps with their extremes."""

from __future__ import annotations

import asyncio
import io
import math
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow
import pytest
from fastapi import FastAPI
from safetensors.numpy import load as load_safetensors

from lamplighter.analysis.tile_builder import tile_next_stretch
from lamplighter.geometry.motion import measure_motion
from lamplighter.runfolder.lineage import LineageChangedError
from lamplighter.runfolder.reading.matrix_history import MatrixHistory
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_store import RunStore
from lamplighter.runfolder.tables.steps import StepRecord, StepsWriter
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.runfolder.tables.tiles import TilesWriter
from lamplighter.serving.capacity.caller import PRESENTER
from lamplighter.serving.capacity.response_limiter import LargeResponseLimiter
from lamplighter.serving.reading.downsampling import MIN_POINTS, keep_extremes
from lamplighter.wire.frames import decode, decode_as, encode
from lamplighter.wire.layout_frames import Layout, Method
from lamplighter.wire.row_frames import Rows
from tests.unit.serving.asgi import HOST, Answer, call, scope_of
from tests.unit.serving.folders import D, FakeTrainer, V, layout, make_run, pulse, write_layouts

pytestmark = pytest.mark.anyio

STEPS = 35


@pytest.fixture
def trainer(tmp_path: Path) -> FakeTrainer:
    return FakeTrainer(make_run(RunStore(tmp_path))).begin().train(STEPS)


@pytest.fixture
def whole(trainer: FakeTrainer) -> np.ndarray:
    """Return every matrix, (S, V, D)."""
    return np.stack([trainer.matrices[step] for step in range(STEPS + 1)])


async def ask(app: FastAPI, run: RunFolder, path: str, status: int = 200, method: str = "GET") -> Answer:
    address = path if path.startswith("/") else f"/api/runs/{run.id}/{path}"
    answer = await call(app, method, address, {"host": HOST})
    assert answer.status == status, answer.body
    if status >= 400:
        assert answer.headers["content-type"] == "application/problem+json"
    return answer


def npy(answer: Answer) -> np.ndarray:
    return np.load(io.BytesIO(answer.body), allow_pickle=False)


def arrow(answer: Answer) -> Any:
    return pyarrow.ipc.open_stream(answer.body).read_all()


def vectors_of(table: Any) -> np.ndarray:
    return table["vector"].combine_chunks().flatten().to_numpy().reshape(-1, D)


@pytest.mark.parametrize(
    ("query", "steps", "ids"),
    [
        ("", slice(None), slice(None)),
        ("?from=7&to=29&every=5", slice(7, 30, 5), slice(None)),
        ("?from=7&to=7", slice(7, 8), slice(None)),
        ("?from=30&to=99&token_ids=9,2", slice(30, None), [9, 2]),
        ("?every=100", slice(0, 1), slice(None)),
        ("?token_ids=3&every=4", slice(None, None, 4), [3]),
        ("?token_ids=0,1,2,3,4,5,6,7,8,9,10", slice(None), slice(0, 11)),
    ],
)
async def test_vectors_in_every_format(
    app: FastAPI, trainer: FakeTrainer, whole: np.ndarray, query: str, steps: slice, ids: Any
) -> None:
    wanted = whole[steps][:, ids]
    numbers = list(range(STEPS + 1))[steps]
    names = np.arange(V)[ids].tolist()
    path = f"vectors{query}{'&' if query else '?'}format="
    np.testing.assert_array_equal(npy(await ask(app, trainer.run, f"vectors{query}")), wanted)
    found = load_safetensors((await ask(app, trainer.run, f"{path}safetensors")).body)
    np.testing.assert_array_equal(found["vectors"], wanted)
    assert (found["steps"].tolist(), found["token_ids"].tolist()) == (numbers, names)
    told = (await ask(app, trainer.run, f"{path}json")).json
    np.testing.assert_array_equal(np.array(told["vectors"], dtype=np.float32), wanted)
    assert (told["attempt"], told["steps"], told["token_ids"]) == (1, numbers, names)
    table = arrow(await ask(app, trainer.run, f"{path}arrow"))
    np.testing.assert_array_equal(vectors_of(table), wanted.reshape(-1, D))
    assert table["step"].to_pylist() == [step for step in numbers for _ in names]
    assert table["token_id"].to_pylist() == [name for _ in numbers for name in names]
    assert set(table["attempt"].to_pylist()) == {1}


async def test_vectors_across_attempts_are_those_that_count(app: FastAPI, trainer: FakeTrainer) -> None:
    trainer.start_attempt_after(20).train(5)
    table = arrow(await ask(app, trainer.run, "vectors?from=18&format=arrow&token_ids=1"))
    assert table["step"].to_pylist() == list(range(18, 26))
    assert table["attempt"].to_pylist() == [1, 1, 1, 2, 2, 2, 2, 2]
    np.testing.assert_array_equal(vectors_of(table), [trainer.matrices[step][1] for step in range(18, 26)])


async def test_ranges_that_cannot_be_had(
    app: FastAPI, trainer: FakeTrainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = trainer.run
    assert "after to=3" in (await ask(app, run, "vectors?from=9&to=3", 422)).json["detail"]
    assert "the last is 35" in (await ask(app, run, "vectors?from=36", 404)).json["detail"]
    for bad in ("every=0", "from=-1", "to=4294967296", "format=tsv", "every=x"):
        assert (await ask(app, run, f"vectors?{bad}", 422)).json["errors"][0]["field"] == bad.split("=")[0]
    monkeypatch.setattr("lamplighter.serving.routes.vectors.MOST_BYTES", 10 * V * D * 4)
    detail = (await ask(app, run, "vectors?from=1&to=11", 422)).json["detail"]
    assert all(word in detail for word in ("from, to or every", "token_ids", "11 steps of 40 tokens"))
    assert npy(await ask(app, run, "vectors?from=1&to=10")).shape == (10, V, D)
    monkeypatch.setattr("lamplighter.serving.http.response_cost.JSON_NUMBERS", 100)
    assert "format=npy" in (await ask(app, run, "vectors?to=9&format=json", 422)).json["detail"]
    monkeypatch.setattr("lamplighter.serving.routes.vectors.MOST_STEPS", 5)
    assert "at most 5 steps" in (await ask(app, run, "vectors?to=9&token_ids=1", 422)).json["detail"]


async def test_a_range_with_a_step_that_was_not_kept(app: FastAPI, tmp_path: Path) -> None:
    run = make_run(RunStore(tmp_path))
    trainer = FakeTrainer(run, rows=False).begin().train(25)
    detail = (await ask(app, run, "vectors?from=10&to=20", 404)).json["detail"]
    assert "step 11" in detail
    assert "10" in detail
    found = npy(await ask(app, run, "vectors?every=10"))
    np.testing.assert_array_equal(found, [trainer.matrices[step] for step in (0, 10, 20)])
    kept = (await ask(app, run, "snapshots")).json
    assert (kept["exact"], kept["stretches"]) == (False, [[0, 0], [10, 10], [20, 20]])
    told = (await ask(app, run, "tokens/3/path")).json
    assert told["steps"] == [0, 10, 20]
    trainer.crash()


async def test_what_was_tiled_since_is_the_same(
    app: FastAPI, trainer: FakeTrainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = trainer.run
    trainer.end()
    asked = ("vectors", "vectors?token_ids=9,2", "vectors?token_ids=9&from=3&every=4", "snapshots/27?format=npy",
             "tokens/3/path", "tokens/3/path?of=motion&from=7")  # fmt: skip
    before = [await ask(app, run, path) for path in asked]
    with MatrixHistory(run) as history, TilesWriter(run.tiles_path) as writer:
        while tile_next_stretch(history, writer, over=True):
            pass
    with StepsWriter(run.steps_path) as steps:
        assert steps.compact()
    # The selected tokens are now read from tiles: no matrix is rebuilt step by step.
    for path, old in zip(asked, before, strict=True):
        if "token_ids" in path:
            monkeypatch.setattr(MatrixHistory, "snapshots", None)
        new = await ask(app, run, path)
        monkeypatch.undo()
        assert (new.body, new.headers["etag"]) == (old.body, old.headers["etag"]), path
    assert (await ask(app, run, "snapshots")).json["stretches"] == [[0, STEPS]]


@pytest.mark.parametrize("form", ["npy", "arrow", "json"])
async def test_a_large_range_is_sent_as_it_is_read(
    app: FastAPI, trainer: FakeTrainer, whole: np.ndarray, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    monkeypatch.setattr("lamplighter.serving.http.reply.LARGE_RESPONSE_BYTES", 1)
    monkeypatch.setattr("lamplighter.serving.routes.vectors._BLOCK", 3 * V * D * 4)
    read: list[int] = []
    sent_first = threading.Event()
    plain = MatrixHistory.snapshots

    def counted(self: MatrixHistory, *span: int) -> Any:
        for snapshot in plain(self, *span):
            # The rest is not read before the first part has left.
            assert snapshot.step < 10 or sent_first.wait(10)
            read.append(snapshot.step)
            yield snapshot

    monkeypatch.setattr(MatrixHistory, "snapshots", counted)
    sent: list[tuple[int, int]] = []

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.body":
            sent.append((len(message["body"]), len(read)))
            sent_first.set()

    async def receive() -> dict[str, Any]:
        await asyncio.sleep(3600)
        raise AssertionError

    scope = scope_of(
        "http", "GET", f"/api/runs/{trainer.run.id}/vectors?format={form}", {"host": HOST}, "127.0.0.1"
    )
    await app(scope, receive, send)
    assert read == list(range(STEPS + 1))
    # The first part was sent before the rest was read.
    assert next(done for size, done in sent if size) < STEPS
    answer = await ask(app, trainer.run, f"vectors?format={form}")
    if form == "npy":
        np.testing.assert_array_equal(npy(answer), whole)
        assert int(answer.headers["content-length"]) == len(answer.body)


async def test_a_range_superseded_on_the_way_is_cut_short(
    app: FastAPI, trainer: FakeTrainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lamplighter.serving.http.reply.LARGE_RESPONSE_BYTES", 1)
    monkeypatch.setattr("lamplighter.serving.routes.vectors._BLOCK", V * D * 4)
    sizes: list[int] = []
    superseded = threading.Event()
    plain = MatrixHistory.snapshots

    def slowly(self: MatrixHistory, *span: int) -> Any:
        for snapshot in plain(self, *span):
            assert snapshot.step < 5 or superseded.wait(10)
            yield snapshot

    monkeypatch.setattr(MatrixHistory, "snapshots", slowly)

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.body":
            sizes.append(len(message["body"]))
            if not superseded.is_set():
                await asyncio.to_thread(lambda: trainer.start_attempt_after(10).train(30))
                superseded.set()

    async def receive() -> dict[str, Any]:
        await asyncio.sleep(3600)
        raise AssertionError

    scope = scope_of("http", "GET", f"/api/runs/{trainer.run.id}/vectors", {"host": HOST}, "127.0.0.1")
    with pytest.raises(RuntimeError) as cut:
        await app(scope, receive, send)
    assert isinstance(cut.value.__cause__, LineageChangedError)
    assert sum(sizes) < 20 * V * D * 4
    # The reader's place is free again.
    for _ in range(6):
        await ask(app, trainer.run, "vectors")


async def test_only_a_few_large_answers_at_once(
    app: FastAPI, trainer: FakeTrainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lamplighter.serving.http.reply.LARGE_RESPONSE_BYTES", 1)
    limiter: LargeResponseLimiter = app.state.services.response_limiter
    limiter.wait_seconds = 0.05
    leaving = [limiter.take(PRESENTER) for _ in range(4)]
    for path in ("vectors", "snapshots/20", "tokens/3/path"):
        refused = await ask(app, trainer.run, path, 503)
        assert int(refused.headers["retry-after"]) > 0
        assert "again" in refused.json["detail"]
    for leave in leaving:
        assert leave is not None
        leave()
        leave()
    for first in range(6):
        assert npy(await ask(app, trainer.run, f"vectors?from={first}")).shape == (STEPS + 1 - first, V, D)
    # Every slot was given back exactly once, however an answer ended.
    assert limiter.free == 4
    leaving = [limiter.take(PRESENTER) for _ in range(4)]
    await ask(app, trainer.run, "vectors?format=json", 503)
    # What was made before is kept, and needs none.
    assert npy(await ask(app, trainer.run, "vectors?from=3")).shape == (STEPS - 2, V, D)


async def test_a_path_of_vectors(app: FastAPI, trainer: FakeTrainer, whole: np.ndarray) -> None:
    run = trainer.run
    told = (await ask(app, run, "tokens/3/path?from=4&to=20")).json
    assert (told["token_id"], told["steps"]) == (3, list(range(4, 21)))
    np.testing.assert_array_equal(np.array(told["vectors"], dtype=np.float32), whole[4:21, 3])
    records = npy(await ask(app, run, "tokens/3/path?format=npy"))
    np.testing.assert_array_equal(records["vector"], whole[:, 3])
    assert records["step"].tolist() == list(range(STEPS + 1))
    table = arrow(await ask(app, run, "tokens/3/path?format=arrow"))
    np.testing.assert_array_equal(vectors_of(table), whole[:, 3])
    assert table["step"].to_pylist() == list(range(STEPS + 1))
    few = (await ask(app, run, f"tokens/3/path?most={MIN_POINTS}")).json["steps"]
    assert len(few) <= MIN_POINTS
    assert (few[0], few[-1]) == (0, STEPS)
    await ask(app, run, f"tokens/{V}/path", 404)
    await ask(app, run, "tokens/3/path?from=36", 404)
    await ask(app, run, "tokens/3/path?of=dreams", 422)
    await ask(app, run, "tokens/3/path?most=3", 422)


async def test_a_path_read_in_blocks_keeps_what_stands_out(
    app: FastAPI, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainer = FakeTrainer(make_run(RunStore(tmp_path))).begin()
    one = np.array([1], dtype=np.uint32)
    vectors = np.random.default_rng(3).standard_normal((120, D)).astype(np.float32)
    vectors[0] = trainer.matrix[1]
    vectors[77] *= 50
    with trainer.writer.transaction():
        for step in range(1, 120):
            rows = encode(Rows(1, step, 0.0, V, one, vectors[step : step + 1]))
            trainer.writer.commit(StepRecord(step, encode(pulse(1, step, one)), b"x", rows))
    monkeypatch.setattr("lamplighter.serving.reading.vector_paths.BLOCK_BYTES", 4 * D * 11)
    run = trainer.run
    told = (await ask(app, run, f"tokens/1/path?most={MIN_POINTS}")).json
    assert len(told["steps"]) <= MIN_POINTS
    assert {0, 119} <= set(told["steps"])
    lengths = np.linalg.norm(vectors, axis=1)
    assert {77, int(lengths.argmin())} <= set(told["steps"])
    np.testing.assert_array_equal(np.array(told["vectors"], dtype=np.float32), vectors[told["steps"]])
    monkeypatch.setattr("lamplighter.serving.reading.path_answers.MOST_BYTES", 4 * D * 30)
    assert "most" in (await ask(app, run, "tokens/1/path", 422)).json["detail"]


async def test_a_path_of_motion(
    app: FastAPI, trainer: FakeTrainer, whole: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = trainer.run
    told = (await ask(app, run, "tokens/3/path?of=motion&from=5")).json
    rows = whole[5:, 3].astype(np.float64)
    np.testing.assert_allclose(told["length"], np.linalg.norm(rows, axis=1))
    assert told["displacement"][0] is None
    assert told["turned"][0] is None
    np.testing.assert_allclose(told["displacement"][1:], np.linalg.norm(np.diff(rows, axis=0), axis=1))
    units = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    since = np.degrees(np.arccos(np.clip(units @ units[0], -1, 1)))
    np.testing.assert_allclose(told["turned_since_first"], since, atol=1e-5)
    step = np.degrees(np.arccos(np.clip((units[1:] * units[:-1]).sum(axis=1), -1, 1)))
    np.testing.assert_allclose(told["turned"][1:], step, atol=1e-5)
    # Reading in blocks gives the same answer.
    monkeypatch.setattr("lamplighter.serving.reading.vector_paths.BLOCK_BYTES", 4 * D * 7)
    assert (await ask(app, run, "tokens/3/path?of=motion&from=5")).json == told
    records = npy(await ask(app, run, "tokens/3/path?of=motion&from=5&format=npy"))
    assert records.dtype.names == ("step", "length", "displacement", "turned", "turned_since_first")
    np.testing.assert_array_equal(records["length"], told["length"])


async def test_a_path_on_the_map(app: FastAPI, trainer: FakeTrainer) -> None:
    run = trainer.run
    await ask(app, run, "tokens/3/path?of=places", 404)
    write_layouts(
        run, layout(1, 0, Method.LINEAR), *(layout(1, step) for step in range(0, 35, 5)), layout(7, 20)
    )
    told = (await ask(app, run, "tokens/3/path?of=places&from=3&to=21")).json
    assert (told["method"], told["steps"]) == ("umap", [5, 10, 15, 20])
    for step, x, y in zip(told["steps"], told["x"], told["y"], strict=True):
        np.testing.assert_allclose([x, y], layout(1, step).coordinates[3], atol=1e-3)
    assert (await ask(app, run, "tokens/3/path?of=places&method=linear")).json["steps"] == [0]
    assert npy(await ask(app, run, "tokens/3/path?of=places&format=npy")).dtype.names == ("step", "x", "y")


async def test_layouts_by_range_and_page(app: FastAPI, trainer: FakeTrainer) -> None:
    run = trainer.run
    assert (await ask(app, run, "layouts")).json == {"items": [], "next": None}
    write_layouts(
        run, layout(1, 0, Method.LINEAR), *(layout(1, step) for step in range(0, 35, 5)), layout(7, 20)
    )
    listed = (await ask(app, run, "layouts?from=5&to=25&method=umap")).json
    assert ([item["step"] for item in listed["items"]], listed["next"]) == ([5, 10, 15, 20, 25], None)
    pages: list[list[int]] = []
    following: str | None = "layouts?from=5&to=25&method=umap&limit=2"
    while following:
        page = (await ask(app, run, following)).json
        pages.append([item["step"] for item in page["items"]])
        following = page["next"]
    assert pages == [[5, 10], [15, 20], [25]]


async def test_several_layouts_at_once(
    app: FastAPI, trainer: FakeTrainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = trainer.run
    assert "layouts" in (await ask(app, run, "places", 404)).json["detail"]
    layouts = [layout(1, step) for step in range(0, 35, 5)]
    write_layouts(run, layout(1, 0, Method.LINEAR), *layouts, layout(7, 20))
    drawn = [decode_as(encode(one), Layout).coordinates for one in layouts]
    np.testing.assert_array_equal(npy(await ask(app, run, "places?from=5&to=20")), drawn[1:5])
    np.testing.assert_array_equal(npy(await ask(app, run, "places?every=3&token_ids=9,2")),
                                  np.stack(drawn)[::3][:, [9, 2]])  # fmt: skip
    found = load_safetensors((await ask(app, run, "places?format=safetensors")).body)
    np.testing.assert_array_equal(found["places"], drawn)
    assert found["steps"].tolist() == list(range(0, 35, 5))
    told = (await ask(app, run, "places?format=json&method=linear")).json
    assert (told["method"], told["steps"], len(told["places"][0])) == ("linear", [0], V)
    body = (await ask(app, run, "places?format=frame")).body
    size = 64 + 4 * V
    frames = [decode(body[at : at + size]) for at in range(0, len(body), size)]
    assert [frame.step for frame in frames] == list(range(0, 35, 5))
    await ask(app, run, "places?format=frame&token_ids=1", 422)
    monkeypatch.setattr("lamplighter.serving.reading.layout_query.MOST_LAYOUTS", 3)
    assert "every" in (await ask(app, run, "places", 422)).json["detail"]
    assert npy(await ask(app, run, "places?every=3")).shape == (3, V, 2)


async def test_keyframes_by_range_and_page(app: FastAPI, trainer: FakeTrainer) -> None:
    run = trainer.run
    part = (await ask(app, run, "snapshots?from=5&to=25")).json
    assert ([item["step"] for item in part["items"]], part["exact"]) == ([10, 20], True)
    assert (part["from"], part["to"], part["stretches"], part["next"]) == (5, 25, [[5, 25]], None)
    pages: list[Any] = []
    following: str | None = "snapshots?limit=3&to=34"
    while following:
        page = (await ask(app, run, following)).json
        pages.append(([item["step"] for item in page["items"]], page["stretches"]))
        following = page["next"]
    assert pages == [([0, 10, 20], [[0, 29]]), ([30], [[30, 34]])]
    empty = (await ask(app, run, "snapshots?from=36")).json
    assert (empty["items"], empty["exact"]) == ([], False)
    for bad in ("limit=0", "limit=10001", "from=x"):
        await ask(app, run, f"snapshots?{bad}", 422)


def with_losses(folder: Path, losses: list[float]) -> FakeTrainer:
    trainer = FakeTrainer(make_run(RunStore(folder)))
    trainer.writer.start_attempt(0)
    with trainer.writer.transaction():
        for step, loss in enumerate(losses, start=1):
            trainer.writer.commit(StepRecord(step, encode(pulse(1, step, loss=loss)), b"x"))
    return trainer


async def test_fewer_steps_keep_the_extremes(
    app: FastAPI, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    losses = [2.0 + math.sin(step / 50) for step in range(1_000)]
    losses[123], losses[700], losses[801] = 9.0, -4.0, float("nan")
    trainer = with_losses(tmp_path, losses)
    run = trainer.run
    told = (await ask(app, run, "steps?most=40")).json
    by_step = {item["step"]: item["loss"] for item in told["items"]}
    assert (told["extremes"], told["every"]) == (True, 1)
    assert len(by_step) <= 40
    assert {1, 124, 701, 802, 1_000} <= set(by_step)
    assert (by_step[124], by_step[701], by_step[802]) == (9.0, -4.0, None)
    assert list(by_step) == sorted(by_step)
    part = (await ask(app, run, "steps?from=100&to=150&most=20")).json
    assert 124 in [item["step"] for item in part["items"]]
    assert all(100 <= item["step"] <= 150 for item in part["items"])
    # The range has no more steps than `most`, so all are listed.
    all_there = (await ask(app, run, "steps?from=100&to=119&most=20")).json
    assert [item["step"] for item in all_there["items"]] == list(range(100, 120))
    plain = (await ask(app, run, "steps?every=10")).json
    assert (plain["every"], plain["extremes"], len(plain["items"])) == (10, False, 100)
    for bad in ("most=19", "most=5001", "most=40&every=2"):
        await ask(app, run, f"steps?{bad}", 422)
    # A run too long to search for extremes says so.
    monkeypatch.setattr("lamplighter.serving.reading.pulse_selection.LAST_INDEXED_STEP", 500)
    far = (await ask(app, run, "steps?most=40")).json
    assert (far["extremes"], far["every"], len(far["items"])) == (False, 25, 40)
    trainer.crash()


async def test_losses_are_read_once_and_follow_the_run(
    app: FastAPI, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainer = with_losses(tmp_path, [5.0] * 300)
    run = trainer.run
    read: list[tuple[int, int]] = []
    plain = StepsReader.pulses

    def counted(self: StepsReader, first: int, last: int, limit: int = 1_000) -> Any:
        read.append((first, last))
        return plain(self, first, last, limit)

    monkeypatch.setattr(StepsReader, "pulses", counted)
    await ask(app, run, "steps?most=20")
    assert read
    read.clear()
    await ask(app, run, "steps?most=30")
    assert read == []
    # A new attempt: superseded steps are read again, the others are not.
    trainer.writer.start_attempt(201)
    for step in range(201, 301):
        trainer.writer.commit(
            StepRecord(step, encode(pulse(2, step, loss=7.0 if step == 250 else 6.0)), b"x")
        )
    items = (await ask(app, run, "steps?most=20")).json["items"]
    assert min(first for first, _ in read) == 201
    assert 250 in [item["step"] for item in items]
    assert {item["loss"] for item in items if item["step"] > 200} == {6.0, 7.0}
    assert {item["loss"] for item in items if item["step"] <= 200} == {5.0}
    trainer.crash()


def test_extremes_are_kept_of_every_series() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal(5_000), rng.standard_normal(5_000)
    a[17], a[4_321], b[2_500], b[33] = 99, -99, 99, np.nan
    for most in (MIN_POINTS, 51, 500, 4_999):
        kept = keep_extremes([a, b], most)
        assert len(kept) <= most
        assert {0, 17, 33, 2_500, 4_321, 4_999} <= set(kept.tolist())
        assert (np.diff(kept) > 0).all()
    assert keep_extremes([a, b], 5_000).tolist() == list(range(5_000))
    assert keep_extremes([np.empty(0)], 20).tolist() == []
    assert len(keep_extremes([np.full(100, np.nan)], 20)) <= 20


def test_motion_of_a_vector_that_is_nothing_or_hardly_turns() -> None:
    rows = np.array([[1, 0], [1, 0], [0, 2], [0, 0], [1, 1e-5]], dtype=np.float32)
    found = measure_motion(rows)
    np.testing.assert_allclose(found.length, [1, 1, 2, 0, 1])
    np.testing.assert_allclose(found.displacement, [np.nan, 0, math.sqrt(5), 2, 1])
    np.testing.assert_allclose(found.turned[:3], [np.nan, 0, 90])
    assert np.isnan(found.turned[3:]).all()
    # An arc cosine would give 0 here.
    np.testing.assert_allclose(found.turned_since_first[4], math.degrees(1e-5), rtol=1e-3)
