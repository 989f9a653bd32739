"""Requests for a withheld text: the disk access of each uses the viewer's turns, like all its requests."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest

from lamplighter.runfolder.run_store import RunStore
from lamplighter.web.capacity.caller import Caller
from lamplighter.web.capacity.thread_pools import Pool
from tests.support.classroom.class_apps import CLASS_HOST, PUPIL, make_class_apps
from tests.support.folders import FakeTrainer, make_run

pytestmark = pytest.mark.anyio


async def test_a_refusal_waits_only_for_its_own_viewers_turn(tmp_path: Path) -> None:
    apps = make_class_apps(tmp_path)
    run = FakeTrainer(make_run(RunStore(tmp_path))).begin().train(2).run
    apps.classroom.give_text(run, False)
    session, greedy = apps.join()
    _, other = apps.join()
    go_on = threading.Event()

    async def ask(cookie: str) -> int:
        headers = [(b"host", CLASS_HOST.encode()), (b"cookie", cookie.encode())]
        return (await apps.gate.admit("http", "GET", f"/api/runs/{run.id}/lines", headers, PUPIL)).status

    def block() -> bool:
        return go_on.wait(20)

    async with asyncio.timeout(20):
        pools, caller = apps.services.pools, Caller(session=session)
        works = [asyncio.create_task(pools.run_in(Pool.PAGE, block, caller=caller)) for _ in range(2)]
        await asyncio.sleep(0)
        asked = [asyncio.create_task(ask(greedy)) for _ in range(48)]
        while pools.waiting(Pool.PAGE, caller) < 48:  # noqa: ASYNC110  (they come in by themselves)
            await asyncio.sleep(0)
        assert await ask(greedy) == 429
        assert await ask(other) == 403
        go_on.set()
        assert set(await asyncio.gather(*asked)) == {403}
        assert all(await asyncio.gather(*works))
