"""A run that was imported is continued only by who was told what that takes; one's own run goes on as ever."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI

from lamplighter.runfolder.importing.imported_run import IMPORTED_FACT
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.requests import RequestsReader
from lamplighter.runfolder.tables.steps import StepsWriter
from tests.support.asgi import Answer, call
from tests.support.folders import finished_run

pytestmark = pytest.mark.anyio


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
