from __future__ import annotations

from pathlib import Path

import pytest
from fastapi import FastAPI

from lamplighter.model.batches import batch_positions
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_store import RunStore
from tests.support.folders import FakeTrainer, make_run, pulse
from tests.unit.serving.routes.api_calls import get

pytestmark = pytest.mark.anyio


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
