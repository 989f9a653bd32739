"""The share of one viewer: requests and sockets under way at once, and how often it may ask."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from lamplighter.web.capacity import viewer_credit
from lamplighter.web.capacity.caller import ANYONE, Caller
from lamplighter.web.connections.viewer_share import REQUESTS, SOCKETS, ViewerShareMiddleware
from tests.support.asgi import HOST, ORIGIN, call, launch
from tests.support.classroom.class_apps import CLASS_HOST, PUPIL, make_class_apps

pytestmark = pytest.mark.anyio


async def ask(app: Any, session: str | None, kind: str = "http") -> dict[str, Any]:
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        raise AssertionError

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    scope = {"type": kind, "state": {"viewer": session}, "extensions": {"websocket.http.response": {}}}
    await app(scope, receive, send)
    return sent[0]


def waiting_app() -> tuple[ViewerShareMiddleware, asyncio.Event, Callable[[], int]]:
    go_on = asyncio.Event()
    under_way = 0

    async def wait(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal under_way
        under_way += 1
        await go_on.wait()
        await Response()(scope, receive, send)

    return ViewerShareMiddleware(wait, excess_seconds=0.0), go_on, lambda: under_way


@pytest.mark.parametrize(("kind", "most"), [("http", REQUESTS), ("websocket", SOCKETS)])
async def test_excess_requests_are_refused_only_for_that_viewer(kind: str, most: int) -> None:
    app, go_on, under_way = waiting_app()
    async with asyncio.timeout(10):
        asked = [asyncio.create_task(ask(app, "greedy", kind)) for _ in range(most)]
        asked += [asyncio.create_task(ask(app, name, kind)) for name in ("other", None)]
        await asyncio.sleep(0)
        refused = await ask(app, "greedy", kind)
        assert refused["status"] == 429
        assert (b"retry-after", b"5") in refused["headers"]
        assert under_way() == most + 2
        go_on.set()
        assert {answer["status"] for answer in await asyncio.gather(*asked)} == {200}
        assert (await ask(app, "greedy", kind))["status"] == 200
    assert not app._under_way


async def test_clients_that_never_pause_are_slowed_down(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(viewer_credit, "CREDIT_SECONDS", 0.01)
    app, go_on, _ = waiting_app()
    app._credit = viewer_credit.ViewerCredit(lambda: 0.0)
    go_on.set()
    rested: list[float] = []
    sleep = asyncio.sleep

    async def note(seconds: float) -> None:
        rested.append(seconds)
        await sleep(0)

    monkeypatch.setattr("lamplighter.web.connections.viewer_share.asyncio.sleep", note)
    for _ in range(20):
        await ask(app, "greedy")
    assert len(rested) == 9
    await ask(app, "other")
    assert len(rested) == 9


async def test_the_presenters_cookie_alone_makes_no_viewer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    apps = make_class_apps(tmp_path)
    pools, callers = apps.services.pools, list[Caller]()
    run_in = pools.run_in

    async def note(pool: Any, work: Any, *, caller: Caller) -> Any:
        callers.append(caller)
        return await run_in(pool, work, caller=caller)

    monkeypatch.setattr(pools, "run_in", note)
    link = apps.services.gate.issue_launch_url().removeprefix(ORIGIN)
    _, page = await launch(apps.presenting, link)
    session, cookie = apps.join()
    callers.clear()
    # As for a picture or a download, where the page cannot send the key.
    await call(apps.presenting, "GET", "/api/runs", {"host": HOST, "cookie": page["cookie"]})
    await call(apps.watching, "GET", "/api/runs", {"host": CLASS_HOST, "cookie": cookie}, peer=PUPIL)
    assert callers == [ANYONE, Caller(session=session)]
