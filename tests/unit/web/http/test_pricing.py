"""Every route has a price: an answer is made only once its cost is stated, and a new route that states none is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.responses import Response

from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.serving.apps.app import ROUTE_MODULES
from lamplighter.web.capacity.thread_pools import Pool
from lamplighter.web.http.reply import Reply
from lamplighter.web.http.response_cost import Pricing, UnpricedAnswerError
from lamplighter.web.http.route_table import Access, Routes
from tests.support.asgi import HOST, call
from tests.support.folders import finished_run, layout, write_layouts
from tests.support.route_lists import PUSH, RUN, SET, STATED

UNPRICED = UnpricedAnswerError.__name__
FIXED = {
    ("GET", path)
    for path in ("/", "/app/{path:path}", "/static/{path:path}", "/vendor/plotly.min.js", "/healthz", "/launch", "/api/sessions",
                 "/api/session", "/api/docs", "/api/docs.css", "/api/openapi.json", f"{RUN}/difference/progress", f"{RUN}/exports",
                 f"{RUN}/exports/{{export}}", f"{RUN}/exports/{{export}}/file", "/api/class", "/api/class/answers.csv", "/api/class/lessons", "/api/lessons",
                 "/api/lessons/{part}/teacher", "/api/imports/{import}")
} | {
    ("POST", "/api/launches"), ("DELETE", "/api/sessions/{session}"), ("POST", "/launch"), ("POST", "/api/estimates"), ("POST", "/api/uploads"), ("PUT", "/api/imports/{import}"), ("DELETE", "/api/imports/{import}"), ("POST", f"{RUN}/requests"),
    ("POST", f"{RUN}/exports"), ("DELETE", RUN), ("DELETE", "/api/sets/{set}"), ("DELETE", f"{RUN}/exports/{{export}}"),
    ("DELETE", f"{RUN}/reprojection"), ("DELETE", f"{RUN}/output-map"), ("DELETE", f"{RUN}/examinations/{{examination}}"), ("POST", f"{RUN}/examiner"), ("WS", f"{RUN}/live"),
    ("PATCH", "/api/class"), ("POST", "/api/class/code"), ("DELETE", "/api/class/members"), ("DELETE", "/api/class/members/{member}"),
    ("PATCH", "/api/class/members/{member}"), ("POST", "/api/class/texts/{run}"), ("POST", "/api/class/view"),
    *PUSH, ("POST", "/api/class/question"), ("POST", "/api/class/lesson"), ("PATCH", "/api/class/question"), ("DELETE", "/api/class/question"),
}  # fmt: skip
"""Routes whose answers take the same for every run: no file of a run is read into them, or a bounded number of its
facts."""
STATED_ONCE_THERE_IS_ONE = {
    ("GET", f"{RUN}/difference"),
    ("GET", f"{RUN}/difference/rows"),
    ("GET", f"{RUN}/difference/layout"),
    ("GET", f"{RUN}/districts"),
    ("POST", "/api/runs"),
    ("POST", f"{RUN}/forks"),
    ("PATCH", RUN),
    ("POST", f"{RUN}/reprojection"),
    ("POST", f"{RUN}/output-map"),
    ("POST", f"{RUN}/examinations"),
    ("GET", f"{RUN}/examinations/{{examination}}"),
    *(("GET", f"{SET}{part}") for part in ("", "/curves", "/claims", "/spread", "/word")),
}
"""Those whose answers other tests ask for, since they need districts, a question, another run or a set, or start a
worker."""


def methods_and_paths(pricing: Pricing) -> set[tuple[str, str]]:
    return {
        (method, route.rule.path)
        for module in ROUTE_MODULES
        for route in module.routes.declared
        if route.pricing is pricing
        for method in route.rule.methods - {"HEAD"} or {"WS"}
    }


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    found = finished_run(tmp_path)
    write_layouts(found, layout(1, 0))
    return found


async def test_every_route_is_listed_with_its_price() -> None:
    assert methods_and_paths(Pricing.FIXED) == FIXED
    assert methods_and_paths(Pricing.STATED) == set(STATED) | STATED_ONCE_THERE_IS_ONE


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
