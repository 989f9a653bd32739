from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from fastapi import FastAPI

from lamplighter.runfolder.run_store import RunStore
from lamplighter.serving.routes import tokens
from tests.support.folders import FakeTrainer, V, finished_run, make_run
from tests.unit.serving.routes.api_calls import get


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
    monkeypatch.setattr(tokens, "MAX_TOKENS", 5)
    await get(app, f"/api/runs/{run.id}/pairs?token_ids=0,1,2,3,4")
    refused = await get(app, f"/api/runs/{run.id}/pairs?token_ids=0,1,2,3,4,5", 422)
    assert "at most 5 tokens" in refused.json["detail"]
