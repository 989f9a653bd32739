"""The lines of a run over REST."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI

from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_store import RunStore
from lamplighter.runfolder.tables.lines import SpokenLine, encode_lines
from lamplighter.serving.routes import steps as step_routes
from tests.support.asgi import HOST, Answer, call
from tests.support.folders import FakeTrainer, V, make_run

SAID = [SpokenLine((1, 2), (3, 5), (0.25, 0.125), False), SpokenLine((1,), (V - 1,), (1.0,), True)]
AS_JSON = [
    {"prompt": [1, 2], "words": [3, 5], "probabilities": [0.25, 0.125], "sampled": False},
    {"prompt": [1], "words": [V - 1], "probabilities": [1.0], "sampled": True},
]


async def get(app: FastAPI, run: RunFolder, query: str = "", status: int = 200, **headers: str) -> Answer:
    answer = await call(app, "GET", f"/api/runs/{run.id}/lines{query}", {"host": HOST, **headers})
    assert answer.status == status, answer.body
    return answer


async def steps(app: FastAPI, run: RunFolder, query: str = "") -> list[tuple[int, int]]:
    return [(item["step"], item["attempt"]) for item in (await get(app, run, query)).json["items"]]


@pytest.fixture
def trainer(tmp_path: Path) -> Iterator[FakeTrainer]:
    made = FakeTrainer(make_run(RunStore(tmp_path))).begin()
    made.writer.add_lines(0, encode_lines(SAID))
    for step in (1, 2, 5):
        made.train(step - made.step)
        made.writer.add_lines(step, encode_lines(SAID))
    yield made
    made.crash()


async def test_all_of_them_by_step(
    app: FastAPI, trainer: FakeTrainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = [{"step": step, "attempt": 1, "lines": AS_JSON} for step in (0, 1, 2, 5)]
    assert (await get(app, trainer.run)).json == {"items": expected}
    # However many are read at once.
    monkeypatch.setattr(step_routes, "_SAID_AT_ONCE", 2)
    assert (await get(app, trainer.run, "?to=5")).json == {"items": expected}
    assert (await get(app, trainer.run, "?from=1&to=4")).json == {"items": expected[1:3]}
    assert (await get(app, trainer.run, "?from=3&to=4")).json == {"items": []}


async def test_superseded_lines_do_not_count(app: FastAPI, trainer: FakeTrainer) -> None:
    trainer.start_attempt_after(1).train(1)
    assert await steps(app, trainer.run) == [(0, 1), (1, 1)]
    trainer.writer.add_lines(2, encode_lines(SAID[:1]))
    assert await steps(app, trainer.run) == [(0, 1), (1, 1), (2, 2)]


async def test_an_answer_is_kept_until_more_is_said(app: FastAPI, trainer: FakeTrainer) -> None:
    first = await get(app, trainer.run)
    await get(app, trainer.run, status=304, **{"if-none-match": first.headers["etag"]})
    trainer.train(1)
    trainer.writer.add_lines(6, encode_lines(SAID))
    again = await get(app, trainer.run, **{"if-none-match": first.headers["etag"]})
    assert len(again.json["items"]) == 5
    assert "immutable" in (await get(app, trainer.run, "?to=2&attempt=1")).headers["cache-control"]
    # Those before the first step come a moment after the run has begun.
    assert "immutable" not in (await get(app, trainer.run, "?to=0&attempt=1")).headers["cache-control"]
    await get(app, trainer.run, "?to=2&attempt=2", 404)


async def test_too_many_are_refused_with_a_way_out(
    app: FastAPI, trainer: FakeTrainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(step_routes, "MAX_SAID", 3)
    assert "ask for fewer steps" in (await get(app, trainer.run, status=422)).json["detail"]
    assert await steps(app, trainer.run, "?to=4") == [(0, 1), (1, 1), (2, 1)]


async def test_damaged_lines_are_said_to_be_damaged(app: FastAPI, trainer: FakeTrainer) -> None:
    trainer.train(1)
    trainer.writer.add_lines(6, '[{"prompt":')
    answer = await get(app, trainer.run, status=409)
    assert "lines" in answer.json["detail"]
