"""The number of connections that the open files of a process allow.

Frames and bytes that a viewer may send.
The share of one viewer: requests and sockets under way at once, and how often it may ask.
The pace of a request body: a least rate at every moment, and one on average in proportion to its length.
"""

from __future__ import annotations

import asyncio
from asyncio import AbstractEventLoop
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from lamplighter.platform import worker_limits
from lamplighter.web.capacity import thread_pools
from lamplighter.web.capacity.caller import ANYONE, Caller
from lamplighter.web.connections.http_protocol import RequestClock
from lamplighter.web.connections.limits import ConnectionLimits, fit_limits
from lamplighter.web.connections.viewer_protocol import InboundQuota
from lamplighter.web.connections.viewer_share import REQUESTS, SOCKETS, ViewerShareMiddleware
from lamplighter.web.settings import SettingsError
from tests.support.asgi import HOST, ORIGIN, call, launch
from tests.support.classroom.class_apps import CLASS_HOST, PUPIL, make_class_apps


@pytest.mark.parametrize(
    ("descriptors", "total"),
    [(128, 32), (256, 160), (1_024, 768), (4_096, 3_072), (16_384, 4_096), (1_000_000, 4_096), (None, 4_096)],
)
def test_connections_leave_files_for_the_rest(descriptors: int | None, total: int) -> None:
    assert fit_limits(descriptors).total == total


@pytest.mark.parametrize("descriptors", [20, 64, 127])
def test_too_few_files_are_refused_with_what_to_do(descriptors: int) -> None:
    with pytest.raises(SettingsError, match=rf"may open {descriptors}, .*ulimit -n 1024"):
        fit_limits(descriptors)


class FakeResource:
    RLIMIT_NOFILE = 7
    RLIM_INFINITY = -1

    def __init__(self, soft: int, hard: int, allowed: int) -> None:
        self.limits = (soft, hard)
        self.allowed = allowed

    def getrlimit(self, _: int) -> tuple[int, int]:
        return self.limits

    def setrlimit(self, _: int, limits: tuple[int, int]) -> None:
        if limits[0] > self.allowed:
            raise ValueError("current limit exceeds maximum limit")
        self.limits = limits


@pytest.mark.parametrize(
    ("soft", "hard", "allowed", "after"),
    [
        (256, 1_000_000, 1_000_000, 16_384),
        (256, 4_096, 4_096, 4_096),
        (256, 256, 256, 256),
        (65_536, 1_000_000, 1_000_000, 65_536),
        (256, -1, 10_240, 8_192),  # macOS
        (256, -1, 256, 256),
        (-1, -1, 0, 16_384),
    ],
)
def test_the_limit_is_raised_as_far_as_the_system_allows(
    monkeypatch: pytest.MonkeyPatch, soft: int, hard: int, allowed: int, after: int
) -> None:
    system: Any = FakeResource(soft, hard, allowed)
    monkeypatch.setattr(worker_limits, "resource", system)
    assert worker_limits.raise_descriptor_limit() == after
    assert system.limits[1] == hard


def test_a_system_without_such_a_limit_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_limits, "resource", None)
    assert worker_limits.raise_descriptor_limit() is None
    assert fit_limits(None) == ConnectionLimits()


def test_frames_and_bytes_are_counted_in_spans() -> None:
    now = [100.0]
    quota = InboundQuota(3, 50, 10.0, clock=lambda: now[0])
    assert [quota.allows_frame() for _ in range(4)] == [True, True, True, False]
    assert [quota.allows_bytes(25) for _ in range(3)] == [True, True, False]
    now[0] += 9.9
    assert not quota.allows_frame()
    now[0] += 0.1
    assert [quota.allows_frame() for _ in range(4)] == [True, True, True, False]
    assert quota.allows_bytes(50)
    assert not quota.allows_bytes(1)


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
    monkeypatch.setattr(thread_pools, "CREDIT_SECONDS", 0.01)
    app, go_on, _ = waiting_app()
    app._credit = thread_pools.ViewerCredit(lambda: 0.0)
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


LIMITS = ConnectionLimits(body_seconds=10, body_rate=1_000, whole_body_seconds=100, fair_body_rate=50_000)


class Alarms:
    """An event loop that is only a clock."""

    def __init__(self) -> None:
        self.ring: Callable[[], None] = lambda: None

    def call_later(self, seconds: float, callback: Callable[[], None]) -> Alarms:
        assert seconds == LIMITS.body_seconds
        self.ring = callback
        return self

    def cancel(self) -> None:
        self.ring = lambda: None


@pytest.mark.parametrize(
    ("declared", "came", "ended"),
    [
        (20_000, [10_000, 10_000], 0),
        (20_000, [9_999], 1),
        (1_000_000, [99_999], 1),
        (1_000_000, [300_000, 10_000, 10_000, 79_999], 4),
        (1_000_000, [300_000, 10_000, 10_000, 80_000], 0),
        (1_000_000, [300_000, 9_999], 2),
        (1_000_000_000, [500_000, 500_000], 0),
        (1_000_000_000, [500_000, 499_999], 2),
        (None, [500_000, 499_999], 2),
    ],
)
def test_paces(declared: int | None, came: list[int], ended: int) -> None:
    alarms, slow, windows = Alarms(), list[int](), 0
    clock = RequestClock(
        cast(AbstractEventLoop, alarms),
        LIMITS,
        on_late_head=lambda: None,
        on_slow_body=lambda: slow.append(windows),
        may_wait=lambda: False,
    )
    clock.expect_body(declared)
    for count in came:
        windows += 1
        clock.add_body_bytes(count)
        alarms.ring()
    assert slow == ([ended] if ended else [])


def test_while_this_server_does_not_read_the_clock_stands_still() -> None:
    alarms, slow = Alarms(), list[int]()
    clock = RequestClock(
        cast(AbstractEventLoop, alarms),
        LIMITS,
        on_late_head=lambda: None,
        on_slow_body=lambda: slow.append(1),
        may_wait=lambda: False,
    )
    clock.expect_body(1_000_000)
    for _ in range(5):
        clock.excuse()
        alarms.ring()
    clock.add_body_bytes(100_000)
    alarms.ring()
    assert not slow
