"""The distance that rows moved between two steps, over REST."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from fastapi import FastAPI

from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_store import RunStore
from lamplighter.serving.routes import tokens
from tests.support.asgi import HOST, Answer, call
from tests.support.folders import KEYFRAME_EVERY, TOKENS, FakeTrainer, V, finished_run, make_run
from tests.unit.serving.routes.api_calls import get


@pytest.fixture
def trainer(tmp_path: Path) -> Iterator[FakeTrainer]:
    made = FakeTrainer(make_run(RunStore(tmp_path))).begin().train(30)
    yield made
    made.crash()


async def ask(app: FastAPI, run: RunFolder, query: str, status: int = 200, held: str | None = None) -> Answer:
    headers = {"host": HOST} | ({} if held is None else {"if-none-match": held})
    answer = await call(app, "GET", f"/api/runs/{run.id}/displacements{query}", headers)
    assert answer.status == status, answer.body
    return answer


def numbers(answer: Answer) -> np.ndarray:
    return np.load(io.BytesIO(answer.body), allow_pickle=False)


async def test_every_row_by_the_matrices_of_the_two_steps(app: FastAPI, trainer: FakeTrainer) -> None:
    for first, last in ((7, 23), (0, 30), (12, 12)):
        found = numbers(await ask(app, trainer.run, f"?from={first}&to={last}&format=npy"))
        assert (found.dtype, found.shape) == (np.float32, (V,))
        change = trainer.matrices[last].astype(np.float64) - trainer.matrices[first]
        np.testing.assert_allclose(found, np.linalg.norm(change, axis=1), rtol=1e-6)
    said = (await ask(app, trainer.run, "?from=7&to=23&most=3")).json
    whole = numbers(await ask(app, trainer.run, "?from=7&to=23&format=npy"))
    assert (said["attempt"], said["from"], said["to"], said["rows"]) == (1, 7, 23, V)
    assert said["moved"] == int((whole > 0).sum()) < V
    best = np.argsort(-whole, kind="stable")[:3]
    assert [item["token_id"] for item in said["items"]] == best.tolist()
    assert [item["token"] for item in said["items"]] == [TOKENS[i] for i in best]
    assert said["items"][0]["distance"] == pytest.approx(float(whole[best[0]]))
    everything = (await ask(app, trainer.run, "?from=7&to=23&most=10000")).json["items"]
    assert len(everything) == said["moved"]


async def test_left_out_it_is_from_the_start_to_the_newest(app: FastAPI, trainer: FakeTrainer) -> None:
    answer = await ask(app, trainer.run, "")
    assert (answer.json["from"], answer.json["to"]) == (0, 30)
    assert (answer.headers["x-lamplighter-from"], answer.headers["x-lamplighter-step"]) == ("0", "30")


async def test_a_step_that_is_not_kept_is_refused_or_the_nearest_before_it_taken(
    app: FastAPI, tmp_path: Path
) -> None:
    run = finished_run(tmp_path, rows=False)
    refused = await ask(app, run, f"?from=3&to={2 * KEYFRAME_EVERY}", 404)
    assert "3" in refused.json["detail"]
    await ask(app, run, f"?to={2 * KEYFRAME_EVERY + 1}", 404)
    near = (await ask(app, run, "?from=13&to=29&nearest=true")).json
    assert (near["from"], near["to"]) == (10, 20)
    # Both may resolve to one step: then no row moved.
    same = (await ask(app, run, "?from=23&to=29&nearest=true")).json
    assert (same["from"], same["to"], same["moved"], same["items"]) == (20, 20, 0, [])


async def test_answers_are_kept_as_long_as_they_are_true(app: FastAPI, trainer: FakeTrainer) -> None:
    run = trainer.run
    first = await ask(app, run, "?from=5&to=20")
    assert first.headers["cache-control"] == "no-cache"
    await ask(app, run, "?from=5&to=20", 304, first.headers["etag"])
    for other in ("?from=5&to=21", "?from=6&to=20", "?from=5&to=20&format=npy", "?from=5&to=20&most=3"):
        assert (await ask(app, run, other)).headers["etag"] != first.headers["etag"]
    assert "immutable" in (await ask(app, run, "?from=5&to=20&attempt=1")).headers["cache-control"]
    near = await ask(app, run, "?from=5&to=20&attempt=1&nearest=true")
    assert near.headers["cache-control"] == "no-cache"
    # A new attempt takes over the second of the two steps: another answer with another tag.
    trainer.start_attempt_after(10).train(15)
    again = await ask(app, run, "?from=5&to=20", held=first.headers["etag"])
    assert again.json["attempt"] == 2
    change = trainer.matrices[20].astype(np.float64) - trainer.matrices[5]
    found = numbers(await ask(app, run, "?from=5&to=20&format=npy"))
    np.testing.assert_allclose(found, np.linalg.norm(change, axis=1), rtol=1e-6)
    await ask(app, run, "?from=5&to=20&attempt=1", 409)
    await ask(app, run, "?from=5&to=20&attempt=3", 404)
    await ask(app, run, "?from=5&attempt=2", 422)


async def test_neighbours(app: FastAPI, tmp_path: Path) -> None:
    run = make_run(RunStore(tmp_path))
    trainer = FakeTrainer(run).begin().train(12)
    near = (await get(app, f"/api/runs/{run.id}/neighbours?token_id=3&k=5&step=12")).json
    units = trainer.matrix / np.linalg.norm(trainer.matrix, axis=1, keepdims=True)
    order = [int(i) for i in np.argsort(-(units @ units[3])) if i != 3][:5]
    assert [item["token_id"] for item in near["items"]] == order
    assert near["items"][0]["cosine"] == pytest.approx(float(units[order[0]] @ units[3]), abs=1e-5)
    assert (near["step"], near["exact"]) == (12, True)
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
    trainer.crash()


async def test_pairs_of_more_tokens_than_are_measured(
    app: FastAPI, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = finished_run(tmp_path)
    monkeypatch.setattr(tokens, "MAX_TOKENS", 5)
    await get(app, f"/api/runs/{run.id}/pairs?token_ids=0,1,2,3,4")
    refused = await get(app, f"/api/runs/{run.id}/pairs?token_ids=0,1,2,3,4,5", 422)
    assert "at most 5 tokens" in refused.json["detail"]
