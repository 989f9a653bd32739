"""The frames of a run as programs pull them: a real server, requests that wait, and a folder that may still grow."""

from __future__ import annotations

import asyncio
import json
import shutil
import threading
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx2
import numpy as np
import pytest

import lamplighter
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_store import RunStore
from lamplighter.runfolder.tables.layouts import LayoutsWriter
from lamplighter.wire.envelope import decode_envelope
from lamplighter.wire.frames import Frame, decode, encode
from lamplighter.wire.layout_frames import Layout
from lamplighter.wire.pulse_frames import Pulse
from lamplighter.wire.row_frames import Census, Rows
from tests.support.folders import FakeTrainer, finished_run, layout, make_run, write_layouts
from tests.support.served import PacedTrainer, ServerThread

pytestmark = pytest.mark.anyio

ALL = "pulse,layout,rows"


class Program:
    """A program that pulls one run, and holds its place."""

    def __init__(self, served: ServerThread, run: RunFolder, channels: str = ALL, **query: Any) -> None:
        self.query = {"channels": channels} | {{"first": "from"}.get(k, k): v for k, v in query.items()}
        self.state: dict[str, Any] = {}
        self._url = f"http://127.0.0.1:{served.port}/api/runs/{run.id}/frames"

    async def ask(self, wait: float = 0) -> httpx2.Response:
        async with httpx2.AsyncClient(timeout=20) as client:
            return await client.get(self._url, params={"wait": wait} | self.query)

    async def pull(self, wait: float = 0) -> list[Frame]:
        answer = await self.ask(wait)
        assert answer.status_code == 200, answer.text
        text, *frames = decode_envelope(answer.content)
        self.state = json.loads(text)
        if self.state["place"] is not None:
            self.query["after"] = self.state["place"]
        return [decode(frame) for frame in frames if isinstance(frame, bytes)]

    async def pull_all(self) -> list[Frame]:
        pulled: list[Frame] = []
        while frames := await self.pull():
            pulled += frames
        return pulled


def rebuild(frames: list[Frame], matrices: dict[int, np.ndarray]) -> list[int]:
    """Check that the rows give the recorded matrix after every frame. Returns the steps of the frames."""
    vectors: np.ndarray | None = None
    steps: list[int] = []
    for rows in (frame for frame in frames if isinstance(frame, Rows)):
        if rows.whole:
            vectors = rows.vectors.copy()
        assert vectors is not None
        vectors[rows.token_ids] = rows.vectors
        np.testing.assert_array_equal(vectors, matrices[rows.step])
        steps.append(rows.step)
    return steps


async def test_pulled_a_few_at_a_time_they_are_those_of_the_folder(
    served: ServerThread, tmp_path: Path
) -> None:
    run = finished_run(tmp_path, 300)
    write_layouts(run, layout(1, 0), layout(1, 40), layout(1, 200))
    program = Program(served, run, first=12)
    answers = [await program.pull() for _ in range(3)]
    assert [answer[-1].step for answer in answers] == [140, 268, 300]
    assert not program.state["more"]
    assert not await program.pull()
    assert program.state == {"place": program.query["after"], "step": 300, "more": False, "over": True}
    played = list(lamplighter.open(run.path).play(12, channels=ALL.split(",")))
    assert [encode(frame) for answer in answers for frame in answer] == [encode(frame) for frame in played]


async def test_a_step_ends_the_wait(served: ServerThread, tmp_path: Path) -> None:
    run = make_run(RunStore(tmp_path))
    trainer = FakeTrainer(run).begin().train(3)
    program = Program(served, run, "pulse")
    assert [frame.step for frame in await program.pull(10)] == [3]
    for step in range(4, 12):
        waiting = asyncio.ensure_future(program.pull(10))
        await asyncio.sleep(0.1)
        assert not waiting.done()
        trainer.train(1)
        assert [(type(f), f.step) for f in await waiting] == [(Pulse, step)]
    assert not program.state["over"]
    begun = time.monotonic()
    assert await program.pull(1) == []
    assert time.monotonic() - begun >= 1
    # Many wait in one thread, which ends with the last of them.
    waiting = [asyncio.ensure_future(program.pull(10)) for _ in range(8)]
    await asyncio.sleep(0.2)
    assert [t.name for t in threading.enumerate()].count("file changes") == 1
    trainer.train(1)
    assert {tuple(f.step for f in frames) for frames in await asyncio.gather(*waiting)} == {(12,)}
    await asyncio.sleep(0.2)
    assert "file changes" not in {t.name for t in threading.enumerate()}
    trainer.crash()


async def test_a_running_run_is_caught_up_with_without_a_gap_or_a_double(
    served: ServerThread, tmp_path: Path
) -> None:
    run = make_run(RunStore(tmp_path))
    trainer = FakeTrainer(run).begin().train(60)
    write_layouts(run, layout(1, 20), layout(1, 55))
    program = Program(served, run, first=7)
    frames: list[Frame] = []
    with PacedTrainer(trainer, 100):
        while not frames or frames[-1].step < 120:
            frames += await program.pull(5)
    pulses = [frame for frame in frames if isinstance(frame, Pulse)]
    assert pulses[0].first_step == 8
    assert all(b.first_step == a.step + 1 for a, b in pairwise(pulses))
    assert [frame.step for frame in frames if isinstance(frame, Layout)] == [20, 55]
    assert rebuild(frames, trainer.matrices) == list(range(7, pulses[-1].step + 1))
    # A layout of an earlier step that comes late, and one that a newer one has overtaken.
    await program.pull_all()
    write_layouts(run, layout(1, 90))
    assert [frame.step for frame in await program.pull(5)] == [90]
    write_layouts(run, layout(1, 70))
    assert await program.pull() == []
    trainer.crash()


async def test_one_that_wants_the_newest_alone_misses_the_others(
    served: ServerThread, tmp_path: Path
) -> None:
    run = make_run(RunStore(tmp_path))
    trainer = FakeTrainer(run).begin().train(5)
    program = Program(served, run, newest="true")
    await program.pull()
    trainer.train(1)
    assert [(type(f), f.step) for f in await program.pull()] == [(Pulse, 6), (Rows, 6)]
    trainer.train(40)
    write_layouts(run, layout(1, 10), layout(1, 30))
    pulled = await program.pull()
    assert [(type(f), f.step) for f in pulled] == [(Layout, 30), (Rows, 45), (Pulse, 46), (Rows, 46)]
    assert rebuild(pulled, trainer.matrices) == [45, 46]
    trainer.crash()


async def test_a_superseded_attempt_begins_again(served: ServerThread, tmp_path: Path) -> None:
    run = make_run(RunStore(tmp_path))
    trainer = FakeTrainer(run).begin().train(45)
    write_layouts(run, layout(1, 40))
    program = Program(served, run, first=30)
    assert [frame.step for frame in await program.pull_all() if isinstance(frame, Layout)] == [40]
    trainer.crash()
    again = FakeTrainer(run)
    again.matrices = {**trainer.matrices}
    again.touches, again.last_lit = trainer.touches, trainer.last_lit
    again.start_attempt_after(38).train(30)
    pulled = await program.pull_all()
    assert isinstance(pulled[0], Census)
    assert (pulled[0].attempt, pulled[0].step) == (1, 38)
    pulses = [(frame.attempt, frame.step) for frame in pulled if isinstance(frame, Pulse)]
    assert pulses == [(2, step) for step in range(39, 69)]
    rebuild(pulled, again.matrices)
    # An attempt that changes nothing that was sent just goes on.
    again.start_attempt_after(68).train(2)
    assert [(f.attempt, f.step) for f in await program.pull() if isinstance(f, Pulse)] == [(3, 69), (3, 70)]
    again.crash()


async def test_where_steps_are_not_exact_the_keyframes_come(served: ServerThread, tmp_path: Path) -> None:
    run = make_run(RunStore(tmp_path))
    trainer = FakeTrainer(run, rows=False).begin().train(25)
    trainer.rows = True
    trainer.train(5)
    trainer.rows = False
    program = Program(served, run, "rows", first=13)
    pulled = await program.pull_all()
    trainer.train(5)
    trainer.end()
    pulled += await program.pull_all()
    # Moved rows alone, after a step whose matrix is unknown, would not add up to any recorded matrix.
    assert [(f.step, f.whole) for f in pulled if isinstance(f, Rows)] == [(10, True), (20, True), (30, True)]
    rebuild(pulled, trainer.matrices)


async def test_a_run_is_waited_for_and_sealed_under_the_eyes_of_a_program(
    served: ServerThread, tmp_path: Path
) -> None:
    run = make_run(RunStore(tmp_path))
    program = Program(served, run, "pulse", first=0)
    assert await program.pull() == []
    assert program.state == {"place": None, "step": 0, "more": False, "over": False}
    waiting = asyncio.ensure_future(program.pull(10))
    await asyncio.sleep(0.1)
    trainer = FakeTrainer(run)
    # Between these two calls the run has no state to show yet.
    trainer.writer.start_attempt(0)
    await asyncio.sleep(0.3)
    assert not waiting.done()
    trainer.writer.add_keyframe(0, trainer._keyframe(), trainer._census())  # pyright: ignore[reportPrivateUsage]
    assert [(type(f), f.step) for f in await waiting] == [(Census, 0)]
    trainer.train(5)
    assert [f.step for f in await program.pull(5)] == [1, 2, 3, 4, 5]
    waiting = asyncio.ensure_future(program.pull(10))
    # A server that went on reading would prevent sealing for as long as the writer tries.
    assert await asyncio.to_thread(trainer.end)
    assert await waiting == []
    assert program.state["over"]
    assert not run.steps_path.with_name("steps.sqlite-wal").exists()


async def test_a_place_of_another_record_gets_the_newest_state(served: ServerThread, tmp_path: Path) -> None:
    run = finished_run(tmp_path, 35)
    for place in ("7-3-1-0-0-0-0-0-0", "1-4000000000-1-0-0-0-0-0-0"):
        program = Program(served, run, "pulse", after=place)
        assert [(type(f), f.step) for f in await program.pull()] == [(Census, 35)]


@pytest.mark.parametrize(
    ("query", "status", "says"),
    [
        ({"first": "-1"}, 422, "from"),
        ({"first": "1e3"}, 422, "from"),
        ({"first": 4294967296}, 422, "from"),
        ({"first": 36}, 404, "between 0 and 35"),
        ({"channels": "gradient"}, 422, "any of pulse, layout, rows"),
        ({"after": "1-2-3"}, 422, "after"),
        ({"after": "1-2-1-0-0-0-0-0-0\n"}, 422, "after"),
        ({"wait": 31}, 422, "wait"),
        ({"wait": -1}, 422, "wait"),
    ],
)
async def test_rejects_requests(
    served: ServerThread, tmp_path: Path, query: dict[str, Any], status: int, says: str
) -> None:
    program = Program(served, finished_run(tmp_path, 35), **query)
    answer = await program.ask()
    assert answer.status_code == status
    assert says in answer.json()["detail"]


async def test_runs_that_are_missing_damaged_or_go(served: ServerThread, tmp_path: Path) -> None:
    damaged = finished_run(tmp_path)
    damaged.steps_path.write_bytes(damaged.steps_path.read_bytes()[:4096] + b"\xff" * 50_000)
    assert (await Program(served, damaged).ask()).status_code == 409
    assert (await Program(served, RunFolder(tmp_path / "none")).ask()).status_code == 404
    gone = make_run(RunStore(tmp_path))
    trainer = FakeTrainer(gone).begin()
    program = Program(served, gone)
    await program.pull()
    waiting = asyncio.ensure_future(program.ask(10))
    await asyncio.sleep(0.1)
    trainer.crash()
    shutil.move(gone.path, tmp_path / ".trash")
    assert (await waiting).status_code == 404


async def test_damaged_layouts_hide_no_step(served: ServerThread, tmp_path: Path) -> None:
    run = make_run(RunStore(tmp_path))
    trainer = FakeTrainer(run).begin().train(5)
    run.layouts_path.write_bytes(b"no database at all " * 500)
    program = Program(served, run, "pulse,layout")
    assert [f.step for f in await program.pull()] == [5]
    trainer.train(1)
    assert [f.step for f in await program.pull(5)] == [6]
    # The layouts are made again.
    run.layouts_path.unlink()
    with LayoutsWriter(run.layouts_path) as writer:
        writer.commit(layout(1, 6))
    assert [(type(f), f.step) for f in await program.pull(5)] == [(Layout, 6)]
    trainer.crash()
