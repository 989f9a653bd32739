"""Forks by REST: the price beforehand, the fork, its description, and what is refused.

A run that was imported is continued only by who was told what that takes; one's own run goes on as ever.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI

from lamplighter.runfolder.importing.imported_run import IMPORTED_FACT
from lamplighter.runfolder.phase import Phase
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_store import RunStore
from lamplighter.runfolder.tables.requests import RequestsReader
from lamplighter.runfolder.tables.steps import StepsWriter
from lamplighter.serving.schemas.runs import ForkOrigin, RunResponse, without_text
from lamplighter.training.worker import train
from tests.support.asgi import Answer, call
from tests.support.folders import finished_run
from tests.support.runs import make_run, small_text
from tests.unit.serving.routes.api_calls import send


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    run = make_run(tmp_path_factory.mktemp("trained"), steps=40)
    assert train(run) is Phase.FINISHED
    return run


@pytest.fixture
def parent(trained: RunFolder, tmp_path: Path) -> RunFolder:
    return RunFolder(Path(shutil.copytree(trained.path, tmp_path / trained.id)))


async def fork(app: FastAPI, bearer: dict[str, str], run: RunFolder, **body: Any) -> Answer:
    return await send(app, "POST", f"/api/runs/{run.id}/forks", bearer, body)


async def test_price_and_fork(
    app: FastAPI, bearer: dict[str, str], parent: RunFolder, tmp_path: Path
) -> None:
    price = (await call(app, "GET", f"/api/runs/{parent.id}/forks/24", bearer)).json
    assert price["bytes"] > 10_000
    assert 0 < price["replay_seconds"] < 60
    expected = {"step": 24, "state_step": 20, "replay_steps": 4, "learning_rate": 0.003, "steps": 500}
    assert {name: price[name] for name in expected} == expected
    made = await fork(app, bearer, parent, step=24, changes={"optimiser.learning_rate": 0.01}, steps=9)
    assert made.status == 201, made.json
    assert made.headers["location"] == f"/api/runs/{made.json['id']}"
    origin = {
        "run": parent.id,
        "step": 24,
        "name": "small.txt",
        "changes": [{"field": "optimiser.learning_rate", "before": 0.003, "after": 0.01}],
    }
    assert made.json["parent"] == origin
    assert made.json["name"] == "small.txt from 24, learning rate 0.01"
    assert made.json["recipe"]["optimiser"]["learning_rate"] == 0.01
    listed = (await call(app, "GET", "/api/runs", bearer)).json["items"]
    assert {run["id"]: run["parent"] for run in listed} == {parent.id: None, made.json["id"]: origin}
    assert train(RunStore(tmp_path).find(made.json["id"])) is Phase.FINISHED


async def test_a_text_is_uploaded_first(app: FastAPI, bearer: dict[str, str], parent: RunFolder) -> None:
    upload = (
        await call(app, "POST", "/api/uploads?name=other.txt", bearer, small_text(seed=5).encode())
    ).json["upload"]
    made = await fork(app, bearer, parent, step=3, changes={"corpus.kind": "text"}, upload=upload)
    assert made.status == 201, made.json
    assert made.json["recipe"]["corpus"]["name"] == "other.txt"
    gone = await fork(app, bearer, parent, step=3, changes={"corpus.kind": "text"}, upload=upload)
    assert (gone.status, gone.json["errors"][0]["field"]) == (422, "upload")


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({"step": 41}, 422, "step"),
        ({"step": -1}, 422, "step"),
        ({"step": 2, "steps": 0}, 422, "steps"),
        ({"step": 2, "name": "\u200b"}, 422, "name"),
        ({"step": 2, "changes": {"model.dim": 8}}, 422, "changes"),
        ({"step": 2, "changes": {"sequences": 8.5}}, 422, "changes.sequences"),
        ({"step": 2, "changes": {"optimiser.learning_rate": {}}}, 422, "changes.optimiser.learning_rate"),
        ({"step": 2, "changes": {"corpus.kind": "text"}}, 422, "upload"),
        ({"step": 2, "changes": {str(n): n for n in range(17)}}, 422, "changes"),
    ],
)
async def test_refused(
    app: FastAPI, bearer: dict[str, str], parent: RunFolder, body: dict[str, Any], status: int, field: str
) -> None:
    refused = await fork(app, bearer, parent, **body)
    assert (refused.status, refused.json["errors"][0]["field"]) == (status, field), refused.json
    assert [run.id for run in RunStore(parent.path.parent).runs()] == [parent.id]


async def test_a_run_that_has_not_begun(app: FastAPI, bearer: dict[str, str], tmp_path: Path) -> None:
    run = make_run(tmp_path)
    assert (await fork(app, bearer, run, step=0)).status == 409
    assert (await call(app, "GET", f"/api/runs/{run.id}/forks/0", bearer)).status == 409


async def test_an_imported_run_is_forked_once_that_is_confirmed(
    app: FastAPI, bearer: dict[str, str], parent: RunFolder
) -> None:
    with StepsWriter(parent.steps_path) as writer:
        writer.set_facts({IMPORTED_FACT: 1.0})
    refused = await fork(app, bearer, parent, step=3)
    assert (refused.status, refused.json["errors"][0]["field"]) == (409, "confirmed")
    assert "Forking it takes 1 CPU thread" in refused.json["detail"]
    assert (await fork(app, bearer, parent, step=3, confirmed=True)).status == 201


async def test_a_fork_is_not_made_of_a_recipe(
    app: FastAPI, bearer: dict[str, str], parent: RunFolder
) -> None:
    made = await fork(app, bearer, parent, step=3)
    sent = {**bearer, "content-type": "application/json"}
    body = json.dumps({"recipe": made.json["recipe"]}).encode()
    refused = await call(app, "POST", "/api/runs", sent, body)
    assert (refused.status, refused.json["errors"][0]["field"]) == (422, "recipe.parent")


async def test_viewers_without_the_text_get_no_name_of_the_parent(
    app: FastAPI, bearer: dict[str, str], parent: RunFolder
) -> None:
    made = RunResponse.model_validate((await fork(app, bearer, parent, step=3)).json)
    withheld = without_text(made, "A text")
    assert isinstance(withheld.parent, ForkOrigin)
    assert withheld.parent.name == ""
    assert "small.txt" not in withheld.model_dump_json()


@pytest.fixture
def imported(tmp_path: Path) -> RunFolder:
    run = finished_run(tmp_path)
    with StepsWriter(run.steps_path) as writer:
        writer.set_facts({IMPORTED_FACT: 1.0})
        writer.close(sealed=True)
    return run


async def ask(app: FastAPI, run: RunFolder, bearer: dict[str, str], **more: Any) -> Answer:
    body = json.dumps({"kind": "continue", "steps": 5} | more).encode()
    headers = bearer | {"content-type": "application/json"}
    return await call(app, "POST", f"/api/runs/{run.id}/requests", headers=headers, body=body)


async def test_it_is_refused_with_what_it_takes(
    app: FastAPI, imported: RunFolder, bearer: dict[str, str]
) -> None:
    for refused in (await ask(app, imported, bearer), await ask(app, imported, bearer, confirmed=False)):
        said = refused.json["detail"]
        assert refused.status == 409
        for part in ("was imported", "1 CPU thread", "MB of memory", "2 layers of width 4", "confirmed=true"):
            assert part in said
        assert [fault["field"] for fault in refused.json["errors"]] == ["confirmed"]
    assert RequestsReader(imported.path).read_new() == []


async def test_it_goes_on_once_that_is_accepted(
    app: FastAPI, imported: RunFolder, bearer: dict[str, str]
) -> None:
    assert (await ask(app, imported, bearer, confirmed="yes")).status == 422
    assert (await ask(app, imported, bearer, confirmed=True)).status == 202
    (request,) = RequestsReader(imported.path).read_new()
    assert (request.kind, request.body) == ("continue", {"steps": 5})


async def test_ones_own_run_needs_no_acceptance(app: FastAPI, tmp_path: Path, bearer: dict[str, str]) -> None:
    assert (await ask(app, finished_run(tmp_path), bearer)).status == 202
