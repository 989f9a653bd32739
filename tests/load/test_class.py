"""A class of forty on real sockets: each gets every beat with the same bytes, and all are told when the
server stops.
"""

from __future__ import annotations

import asyncio
import signal
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import websockets

from lamplighter.runfolder.run_store import RunStore
from tests.support.application import Application
from tests.support.beat_page import BeatPage
from tests.support.classroom.class_client import CLASSROOM, ClassClient
from tests.support.folders import FakeTrainer, V, layout, make_run, write_layouts
from tests.support.served import PacedTrainer

VIEWERS, STEPS_PER_SECOND = 40, 60
CLOSING = 1012


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Seat:
    """One viewer of the class: it joins like a page, and keeps what it receives."""

    def __init__(self, application: Application) -> None:
        self._client = ClassClient(application)
        assert self._client.join() == 204
        self.page = BeatPage(V)
        self.envelopes: list[bytes] = []
        self.close_code: int | None = None
        self.arrived = asyncio.Event()

    async def watch(self, run: str) -> None:
        """Watch a run until the server closes the socket."""
        async with websockets.connect(
            f"ws://{self._client.authority}/api/runs/{run}/beats",
            origin=websockets.Origin(self._client.url),
            additional_headers={"Cookie": self._client.cookie},
            compression=None,
        ) as ws:
            with suppress(websockets.ConnectionClosed):
                while True:
                    data = await ws.recv()
                    self.page.receive(data)
                    if isinstance(data, bytes):
                        self.envelopes.append(data)
                    self.arrived.set()
        self.close_code = ws.close_code


@pytest.mark.anyio
async def test_forty_viewers_get_the_same_beats_and_the_close_message(tmp_path: Path) -> None:
    trainer = FakeTrainer(make_run(RunStore(tmp_path))).begin().train(3)
    write_layouts(trainer.run, layout(1, 0))
    words = ("serve", "--no-workers", *CLASSROOM)
    with Application(tmp_path, *words) as application:
        seats = [await asyncio.to_thread(Seat, application) for _ in range(VIEWERS)]
        watching = [asyncio.create_task(seat.watch(trainer.run.id)) for seat in seats]
        for seat in seats:
            await asyncio.wait_for(seat.arrived.wait(), 20)
        with PacedTrainer(trainer, STEPS_PER_SECOND):
            await _all_reach(seats, 150)
            described = await asyncio.to_thread(application.get, "/api/class")
            write_layouts(trainer.run, layout(1, trainer.step))
            await _all_reach(seats, 250)
        await _all_reach(seats, trainer.step)
        assert (described["connected"], len(described["members"])) == (VIEWERS, VIEWERS)
        application.process.send_signal(signal.SIGTERM)
        await asyncio.gather(*watching)
        assert await asyncio.to_thread(application.process.wait, 10) == 0
    assert {seat.close_code for seat in seats} == {CLOSING}
    assert "Traceback" not in application.log
    for seat in seats:
        assert len(seat.page.censuses) == 1, "a viewer fell behind"
        np.testing.assert_array_equal(seat.page.touches, trainer.touches)
        np.testing.assert_array_equal(seat.page.last_lit, trainer.last_lit)
        # All but the messages on joining.
        assert seat.envelopes[1:] == seats[0].envelopes[-len(seat.envelopes) + 1 :]
    trainer.crash()


async def _all_reach(seats: list[Seat], step: int) -> None:
    async with asyncio.timeout(30):
        for seat in seats:
            while seat.page.step < step:
                seat.arrived.clear()
                await seat.arrived.wait()
