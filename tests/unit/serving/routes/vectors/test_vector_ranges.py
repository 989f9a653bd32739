"""Vectors through steps: every format, what cannot be had, and what is sent as it is read."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi import FastAPI
from safetensors.numpy import load as load_safetensors

from lamplighter.analysis.analyst import tile_next_stretch
from lamplighter.runfolder.lineage import LineageChangedError
from lamplighter.runfolder.reading.matrix_history import MatrixHistory
from lamplighter.runfolder.run_store import RunStore
from lamplighter.runfolder.tables.steps import StepsWriter
from lamplighter.runfolder.tables.tiles import TilesWriter
from lamplighter.web.capacity.caller import PRESENTER
from lamplighter.web.capacity.limiter import Limiter
from tests.support.asgi import HOST, scope_of
from tests.support.folders import D, FakeTrainer, V, make_run
from tests.unit.serving.routes.recorded_steps import STEPS, arrow, ask, npy, vectors_of


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
    monkeypatch.setattr("lamplighter.serving.routes.vectors.MAX_BYTES", 10 * V * D * 4)
    detail = (await ask(app, run, "vectors?from=1&to=11", 422)).json["detail"]
    assert all(word in detail for word in ("from, to or every", "token_ids", "11 steps of 40 tokens"))
    assert npy(await ask(app, run, "vectors?from=1&to=10")).shape == (10, V, D)
    monkeypatch.setattr("lamplighter.web.http.response_cost.JSON_NUMBERS", 100)
    assert "format=npy" in (await ask(app, run, "vectors?to=9&format=json", 422)).json["detail"]
    monkeypatch.setattr("lamplighter.serving.routes.vectors.MAX_STEPS", 5)
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


async def test_later_tiling_does_not_change_the_result(
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
    monkeypatch.setattr("lamplighter.web.http.reply.LARGE_RESPONSE_BYTES", 1)
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
    monkeypatch.setattr("lamplighter.web.http.reply.LARGE_RESPONSE_BYTES", 1)
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
    monkeypatch.setattr("lamplighter.web.http.reply.LARGE_RESPONSE_BYTES", 1)
    limiter: Limiter = app.state.services.body_slots
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
