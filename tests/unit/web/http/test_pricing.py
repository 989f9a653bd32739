"""Every route has a price: an answer is made only once its cost is stated, and a new route that states none is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.responses import Response

from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.web.capacity.thread_pools import Pool
from lamplighter.web.http.reply import Reply
from lamplighter.web.http.response_cost import UnpricedAnswerError
from lamplighter.web.http.route_table import Access, Routes
from tests.support.asgi import HOST, call
from tests.support.folders import finished_run, layout, write_layouts
from tests.support.route_lists import STATED

UNPRICED = UnpricedAnswerError.__name__


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    found = finished_run(tmp_path)
    write_layouts(found, layout(1, 0))
    return found


@pytest.mark.parametrize("path", STATED.values(), ids=[path for _, path in STATED])
async def test_the_cost_is_stated_before_anything_is_made(
    path: str, app: FastAPI, run: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    stated: list[int] = []

    def refuse(reply: Reply, cost: int, make: object, **_: Any) -> Response:
        stated.append(cost)
        return Response(status_code=200)

    url = path if path.startswith("/api") else f"/api/runs/{run.id}{path}"
    asked = await call(app, "GET", url, headers={"host": HOST})
    assert asked.status == 200, asked.body
    # A response that only looks as if it had been sent is not: its cost was never marked as stated.
    monkeypatch.setattr(Reply, "send", refuse)
    answer = await call(app, "GET", url, headers={"host": HOST})
    assert (answer.status, UNPRICED in answer.json["detail"]) == (500, True)
    assert len(stated) == 1


async def test_a_route_that_states_no_cost_sends_nothing(
    app: FastAPI, caplog: pytest.LogCaptureFixture
) -> None:
    routes = Routes("runs")

    @routes.get("/healthz/new", pool=Pool.CHEAP, access=Access.OPEN)
    def answer() -> Response:
        return Response(b"much")

    services = app.state.services
    services.gate.rules += [
        route.rule for route in routes.attach(app, services.pools, services.response_cache)
    ]
    refused = await call(app, "GET", "/healthz/new", headers={"host": HOST})
    assert (refused.status, UNPRICED in refused.json["detail"]) == (500, True)
    assert "answer states no cost" in caplog.text
