"""Many viewers of one run, some slow, some coming and going: viewers that keep up miss none of it."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from lamplighter.runfolder.run_store import RunStore
from lamplighter.web.settings import ServerSettings
from lamplighter.wire.row_frames import Census
from tests.support.beat_page import BeatPage
from tests.support.folders import FakeTrainer, V, make_run
from tests.support.served import PacedTrainer, ServerThread, receive_until

SECONDS = 4.0


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.mark.anyio
async def test_viewers_that_keep_up_count_every_step(tmp_path: Path) -> None:
    server = ServerThread(ServerSettings(tmp_path, port=0, roles=())).start()
    run = make_run(RunStore(tmp_path))
    trainer = FakeTrainer(run).begin()

    async def keep_up(until: float) -> None:
        async with server.watch(run.id, close_timeout=0.2) as ws:
            # The page refuses a beat that does not follow the one before.
            page = BeatPage(V)
            while time.monotonic() < until:
                page.receive(await ws.recv())
        assert len(page.beats) > 5

    async def be_slow(until: float) -> None:
        async with server.watch(run.id, max_queue=1, close_timeout=0.2) as ws:
            while time.monotonic() < until:
                await ws.recv()
                await asyncio.sleep(0.1)

    async def come_and_go(until: float) -> None:
        while time.monotonic() < until:
            async with server.watch(run.id, close_timeout=0.2) as ws:
                await receive_until(ws, lambda m: isinstance(m, Census))

    with PacedTrainer(trainer, 70):
        until = time.monotonic() + SECONDS
        jobs = [keep_up(until) for _ in range(10)] + [be_slow(until) for _ in range(5)]
        await asyncio.gather(*jobs, come_and_go(until))
    trainer.crash()
    await asyncio.to_thread(server.stop)
