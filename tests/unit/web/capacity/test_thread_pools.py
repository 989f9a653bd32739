"""Pools of threads: each route has one, and work of one kind does not wait behind another."""

from __future__ import annotations

import asyncio
import inspect
import threading

import anyio.to_thread
import pytest
from fastapi import FastAPI
from starlette.responses import Response

from lamplighter.serving.apps.app import ROUTE_MODULES
from lamplighter.web.capacity.thread_pools import Pool, SingleFlight, ThreadPools
from lamplighter.web.http.response_cost import Pricing
from lamplighter.web.http.route_table import Access, Routes
from tests.support.asgi import call

ON_THE_LOOP = {
    "/healthz": "GET",
    "/launch": "POST",
    "/api/uploads": "POST",
    "/api/imports/{import}": "PUT",
    "/api/push/{run}/fragments/{fragment}": "PUT",
    "/api/runs/{run}/live": None,
    "/api/runs/{run}/frames": "GET",
}
"""Routes that wait only for the network, or for a dedicated thread."""


def test_every_route_names_its_threads() -> None:
    for route in [route for noun in ROUTE_MODULES for route in noun.routes.declared]:
        rule = route.rule
        if rule.path in ON_THE_LOOP and ON_THE_LOOP[rule.path] in (rule.methods or {None}):
            assert route.pool is Pool.NONE, rule.path
        elif rule.access is Access.CHANGE:
            assert route.pool is Pool.CHANGE, rule.path
        elif rule.access is Access.PUSH:
            assert route.pool is Pool.PUSH, rule.path
        elif rule.methods != {"POST"}:
            assert route.pool in (Pool.PAGE, Pool.CHEAP, Pool.DEAR), rule.path
        else:
            assert route.pool is not Pool.NONE, rule.path
        assert inspect.iscoroutinefunction(route.endpoint) == (route.pool is Pool.NONE)


def test_a_route_without_a_pool_cannot_be_declared() -> None:
    routes = Routes("x")

    def blocking() -> Response:
        return Response()

    async def not_blocking() -> Response:
        return Response()

    with pytest.raises(TypeError):
        routes.get("/x")(blocking)  # pyright: ignore
    with pytest.raises(TypeError, match="must name a pool"):
        routes.get("/x", pool=Pool.NONE)(blocking)
    with pytest.raises(TypeError, match="must name a pool"):
        routes.post("/x", pricing=Pricing.FIXED)(not_blocking)


async def test_other_work_continues_while_all_threads_of_a_pool_are_taken(
    app: FastAPI, bearer: dict[str, str]
) -> None:
    pools: ThreadPools = app.state.services.pools
    go_on = threading.Event()
    taken = threading.Semaphore(0)

    def block() -> None:
        taken.release()
        assert go_on.wait(20)

    async def all_taken(pool: Pool, count: int) -> list[asyncio.Task[None]]:
        tasks = [asyncio.create_task(pools.run_in(pool, block)) for _ in range(count + 5)]
        for _ in range(count):
            assert await asyncio.to_thread(taken.acquire, timeout=10)
        return tasks

    async with asyncio.timeout(20):
        tasks = await all_taken(Pool.DEAR, 4)
        assert (await call(app, "GET", "/api/runs")).status == 200
        tasks += await all_taken(Pool.CHEAP, 4)
        # As by readers of runs in a slow store: the page and the list of runs go on.
        for path in ("/", "/api/runs"):
            assert (await call(app, "GET", path)).status != 404
        tasks += await all_taken(Pool.PAGE, 3)
        tasks += await all_taken(Pool.PUSH, 2)
        assert (await call(app, "GET", "/healthz")).status == 200
        # The presenter can still read and change.
        assert (await call(app, "GET", "/api/runs", bearer)).status == 200
        assert (await call(app, "POST", "/api/launches", bearer)).status == 201
        # Joining sockets and sending answers do not use those threads.
        assert await anyio.to_thread.run_sync(lambda: 1) == 1
        waiting = asyncio.create_task(call(app, "GET", "/api/runs"))
        await asyncio.sleep(0.02)
        assert not waiting.done()
        go_on.set()
        assert (await waiting).status == 200
        await asyncio.gather(*tasks)


async def test_requests_for_a_running_computation_wait_without_a_thread() -> None:
    pools, work = ThreadPools(), SingleFlight()
    begun, go_on = threading.Event(), threading.Event()
    computed: list[int] = []

    def compute() -> int:
        with work.alone():
            if not computed:
                begun.set()
                assert go_on.wait(10)
                computed.append(7)
            return computed[0]

    async with asyncio.timeout(20):
        # More than the pool has threads.
        asking = [asyncio.create_task(pools.run_in(Pool.DEAR, compute)) for _ in range(12)]
        await asyncio.to_thread(begun.wait)
        await asyncio.sleep(0.1)
        assert await pools.run_in(Pool.DEAR, lambda: "free") == "free"
        assert not any(task.done() for task in asking)
        go_on.set()
        assert await asyncio.gather(*asking) == [7] * 12
    assert computed == [7]


async def test_a_waiting_request_takes_over_failed_work(anyio_backend: str) -> None:
    pools, work = ThreadPools(), SingleFlight()
    tried: list[int] = []
    go_on = threading.Event()

    def compute() -> int:
        with work.alone():
            tried.append(1)
            if len(tried) == 1:
                assert go_on.wait(10)
                raise ValueError
            return 7

    asking = [asyncio.create_task(pools.run_in(Pool.DEAR, compute)) for _ in range(3)]
    await asyncio.sleep(0.05)
    go_on.set()
    found = await asyncio.gather(*asking, return_exceptions=True)
    assert [error for error in found if isinstance(error, ValueError)]
    assert found.count(7) == 2
