"""HTTP caching: unchanged answers are not sent again, and answers marked immutable never change."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from fastapi import FastAPI

from lamplighter.runfolder.reading.matrix_history import MatrixHistory
from lamplighter.runfolder.run_store import RunStore
from tests.support.asgi import HOST, Answer, call
from tests.support.folders import FakeTrainer, layout, make_run, write_layouts

KEPT = (
    "steps?from=1&to=14",
    "steps?from=1&to=34&most=20",
    "steps/14",
    "steps/14/text",
    "snapshots/14",
    "snapshots/14?token_ids=3",
    "vectors?from=1&to=14",
    "vectors?from=1&to=14&token_ids=1&every=3",
    "tokens/3/path?to=14",
    "tokens/3/path?to=14&of=motion",
)
"""Paths whose answers may be cached for ever once they name the attempt."""
TAGGED = (*KEPT, "steps", "vectors", "snapshots", "snapshots?limit=1", "layouts", "layouts/14", "places", "norms",
          "tokens/3/path", "tokens/3/path?of=places")  # fmt: skip


@pytest.fixture
def trainer(tmp_path: Path) -> Iterator[FakeTrainer]:
    trainer = FakeTrainer(make_run(RunStore(tmp_path))).begin().train(35)
    write_layouts(trainer.run, layout(1, 5), layout(1, 14))
    yield trainer
    trainer.crash()


async def ask(app: FastAPI, trainer: FakeTrainer, path: str, **headers: str) -> Answer:
    return await call(app, "GET", f"/api/runs/{trainer.run.id}/{path}", {"host": HOST, **headers})


def with_attempt(path: str, attempt: int = 1) -> str:
    return f"{path}{'&' if '?' in path else '?'}attempt={attempt}"


@pytest.mark.parametrize("path", TAGGED)
async def test_a_cached_response_is_not_sent_again(app: FastAPI, trainer: FakeTrainer, path: str) -> None:
    first = await ask(app, trainer, path)
    assert (first.status, first.headers["cache-control"]) == (200, "no-cache")
    tag = first.headers["etag"]
    for given in (tag, f"W/{tag}", f'"x", {tag}', f'W/"a,b" , W/{tag}', "*"):
        answer = await ask(app, trainer, path, **{"if-none-match": given})
        assert (answer.status, answer.body) == (304, b""), given
        assert answer.headers["etag"] == tag
        assert answer.headers["vary"] == "Accept"
    for given in ('"x"', tag.strip('"'), "W/*", "", '"', f'"{tag}'):
        answer = await ask(app, trainer, path, **{"if-none-match": given})
        assert (answer.status, answer.body) == (200, first.body), given


async def test_nothing_is_rebuilt_for_it(
    app: FastAPI, trainer: FakeTrainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    tags = {path: (await ask(app, trainer, path)).headers["etag"] for path in TAGGED}

    def no(*_: object, **__: object) -> None:
        raise AssertionError("something was rebuilt")

    for name in ("snapshot", "snapshots", "token_history"):
        monkeypatch.setattr(MatrixHistory, name, no)
    for path, tag in tags.items():
        assert (await ask(app, trainer, path, **{"if-none-match": tag})).status == 304


@pytest.mark.parametrize("path", [path for path in TAGGED if path not in KEPT])
async def test_a_growing_answer_changes_its_tag(app: FastAPI, trainer: FakeTrainer, path: str) -> None:
    before = await ask(app, trainer, path)
    trainer.train(10)
    write_layouts(trainer.run, layout(1, 14), layout(1, 40))
    assert (await ask(app, trainer, path, **{"if-none-match": before.headers["etag"]})).status == 200


@pytest.mark.parametrize("path", KEPT)
async def test_a_finished_step_of_an_attempt_never_changes(
    app: FastAPI, trainer: FakeTrainer, path: str
) -> None:
    before = await ask(app, trainer, with_attempt(path))
    assert before.status == 200
    assert before.headers["cache-control"] == "private, max-age=31536000, immutable"
    trainer.train(10)
    # A new attempt begins after the last requested step, so the answer is unchanged.
    trainer.start_attempt_after(34).train(3)
    after = await ask(app, trainer, with_attempt(path))
    assert (after.status, after.headers["etag"], after.body) == (200, before.headers["etag"], before.body)
    # This attempt takes over the last requested step, so the answer now belongs to another attempt.
    trainer.start_attempt_after(10).train(30)
    refused = await ask(app, trainer, with_attempt(path))
    assert refused.status == 409
    assert "attempt=3" in refused.json["detail"]
    again = await ask(app, trainer, with_attempt(path, 3), **{"if-none-match": before.headers["etag"]})
    assert again.status == 200
    assert again.headers["etag"] != before.headers["etag"]


async def test_formats_rows_and_steps_have_their_own_tags(app: FastAPI, trainer: FakeTrainer) -> None:
    paths = ["snapshots/14", "snapshots/14?format=npy", "snapshots/14?format=npy&token_ids=3", "snapshots/15",
             "snapshots/14?format=npy&token_ids=4", "vectors?to=14", "vectors?to=14&every=2", "tokens/3/path",
             "tokens/4/path", "tokens/3/path?of=motion", "tokens/3/path?of=motion&most=20"]  # fmt: skip
    tags = [(await ask(app, trainer, path)).headers["etag"] for path in paths]
    assert len(set(tags)) == len(paths)


async def test_an_attempt_that_does_not_hold_the_step(app: FastAPI, trainer: FakeTrainer) -> None:
    trainer.start_attempt_after(20).train(3)
    for path, status, said in (
        ("snapshots/14?attempt=1", 200, ""),
        ("snapshots/14?attempt=2", 409, "attempt=1"),
        ("snapshots/22?attempt=1", 409, "attempt=2"),
        ("snapshots/22?attempt=2", 200, ""),
        ("snapshots/22?attempt=3", 404, "no attempt 3"),
        ("snapshots/30?attempt=1", 404, "the last is 23"),
        ("steps/30?attempt=2", 404, "the last is 23"),
        ("vectors?attempt=2", 422, "to"),
        ("steps?attempt=2", 422, "to"),
        ("layouts/14?attempt=1", 200, ""),
        ("layouts/15?attempt=1", 404, "14"),
        ("layouts/14?attempt=2", 409, "attempt=1"),
        ("tokens/3/path?of=places&attempt=1&to=14", 422, "without attempt"),
        ("snapshots/14?attempt=0", 422, "attempt"),
    ):
        answer = await ask(app, trainer, path)
        assert answer.status == status, path
        if said:
            assert said in answer.json["detail"], path
    frame = await ask(app, trainer, "snapshots/22?attempt=2&format=npy")
    np.testing.assert_array_equal(np.load(io.BytesIO(frame.body)), trainer.matrices[22])


async def test_a_run_of_the_same_name_is_another(app: FastAPI, trainer: FakeTrainer) -> None:
    tag = (await ask(app, trainer, "snapshots/14")).headers["etag"]
    recipe = trainer.run.path / "recipe.json"
    os.utime(recipe, (1, 1))
    assert (await ask(app, trainer, "snapshots/14", **{"if-none-match": tag})).status == 200


@pytest.mark.parametrize("path", TAGGED)
async def test_head(app: FastAPI, trainer: FakeTrainer, path: str) -> None:
    full = await ask(app, trainer, path)
    head = await call(app, "HEAD", f"/api/runs/{trainer.run.id}/{path}", {"host": HOST})
    assert head.status == 200
    for name in ("etag", "content-type", "content-length", "cache-control"):
        assert head.headers[name] == full.headers[name]
