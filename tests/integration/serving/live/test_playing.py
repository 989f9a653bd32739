"""A run played from a given step: a real server, real sockets, and a folder that may still grow."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
import websockets
from websockets.asyncio.client import ClientConnection

from lamplighter.runfolder.reading.snapshot import read_touches
from lamplighter.runfolder.run_store import RunStore
from lamplighter.runfolder.tables.layouts import LayoutsReader
from lamplighter.runfolder.tables.measures import MeasuresWriter
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.serving.live import send_queue
from lamplighter.wire.frames import Kind, decode
from lamplighter.wire.layout_frames import Layout, Method
from lamplighter.wire.merge import merge_pulses
from lamplighter.wire.pulse_frames import Pulse
from lamplighter.wire.row_frames import Census, Rows
from tests.support.folders import FakeTrainer, finished_run, layout, make_run, write_layouts
from tests.support.served import (
    PacedTrainer,
    PlayersClock,
    ServerThread,
    pulse_at,
    receive_until,
    status_is,
    texts,
    wait_until_unfollowed,
)

pytestmark = pytest.mark.anyio

ALL = "pulse,layout,rows"


def is_text(kind: str) -> Any:
    return lambda m: isinstance(m, dict) and m["type"] == kind


async def raw_to_end(ws: ClientConnection) -> list[bytes | str]:
    got: list[bytes | str] = []
    async with asyncio.timeout(20):
        while True:
            got.append(await ws.recv())
            if isinstance(got[-1], str) and json.loads(got[-1])["type"] == "end":
                return got


def frames_of(raw: list[bytes | str], kind: Kind) -> list[bytes]:
    return [data for data in raw if isinstance(data, bytes) and data[5] == kind]


def rebuild(heard: list[Any], matrices: dict[int, np.ndarray]) -> list[int]:
    """Check that the rows give the recorded matrix after every frame. Returns the steps of the frames."""
    vectors: np.ndarray | None = None
    steps: list[int] = []
    for rows in (m for m in heard if isinstance(m, Rows)):
        if rows.whole:
            vectors = rows.vectors.copy()
        assert vectors is not None
        vectors[rows.token_ids] = rows.vectors
        np.testing.assert_array_equal(vectors, matrices[rows.step])
        steps.append(rows.step)
    return steps


async def test_playback_equals_the_record(served: ServerThread, tmp_path: Path) -> None:
    run = make_run(RunStore(tmp_path))
    trainer = FakeTrainer(run).begin().train(45)
    trainer.writer.add_event(20, "learning_rate", "less")
    trainer.train(25)
    write_layouts(
        run,
        layout(1, 0, Method.LINEAR),
        layout(1, 3),
        layout(1, 11),
        layout(1, 30),
        layout(1, 60, Method.LINEAR),
    )
    with MeasuresWriter(run.measures_path) as measures:
        for step in (10, 20, 40):
            measures.commit(1, step, {"purity": step / 100})
    assert trainer.end()
    async with served.play(run.id, ALL, first=12, speed="full") as ws:
        raw = await raw_to_end(ws)
    with StepsReader(run.steps_path) as reader, LayoutsReader(run.layouts_path) as drawn:
        assert frames_of(raw, Kind.PULSE) == [data for _, data in reader.pulses(13, 70)]
        kept = {(e.method, e.step): drawn.layout_record(e.id) for e in drawn.layout_entries()}
        so_far = read_touches(reader, 12)
    heard = [json.loads(m) if isinstance(m, str) else decode(m) for m in raw]
    assert [type(m) for m in heard[:5]] == [dict, Census, Layout, Layout, Rows]
    assert heard[0]["type"] == "hello"
    np.testing.assert_array_equal(heard[1].touches, so_far.touches)
    np.testing.assert_array_equal(heard[1].last_lit, so_far.last_lit)
    linear, umap = Method.LINEAR, Method.UMAP
    wanted = [kept[at] for at in ((linear, 0), (umap, 11), (umap, 30), (linear, 60))]
    assert frames_of(raw, Kind.LAYOUT) == wanted
    assert rebuild(heard, trainer.matrices) == list(range(12, 71))
    # Every message comes in its place among the steps.
    at = {m.step: n for n, m in enumerate(heard) if isinstance(m, Pulse)}
    places = {(type(m).__name__, m.step): n for n, m in enumerate(heard) if isinstance(m, Layout | Rows)}
    assert at[30] < places["Rows", 30] < places["Layout", 30] < at[31]
    assert [(m["step"], m["values"]) for m in texts(heard, "measures")] == [
        (20, {"purity": 0.2}),
        (40, {"purity": 0.4}),
    ]
    (less, finished) = texts(heard, "event")
    assert (less["kind"], less["step"], less["message"]) == ("learning_rate", 20, "less")
    assert at[20] < heard.index(less) < at[21]
    assert finished["kind"] == "finished"
    assert heard[-1] == {"type": "end", "step": 70}


async def test_to_a_step_and_no_further(served: ServerThread, tmp_path: Path) -> None:
    run = finished_run(tmp_path, 35)
    async with served.play(run.id, first=0, to=9, speed="full") as ws:
        heard = await receive_until(ws, is_text("end"))
        assert heard[-1] == {"type": "end", "step": 9}
        assert [m.step for m in heard if isinstance(m, Census | Pulse)] == list(range(10))
        with pytest.raises(TimeoutError):
            await receive_until(ws, lambda m: not is_text("status")(m), 0.3)


async def test_the_pace_is_kept(
    served: ServerThread, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = finished_run(tmp_path, 60)
    clock = PlayersClock(monkeypatch)
    async with served.play(run.id, first=10, to=50, speed=40) as ws:
        heard = await receive_until(ws, is_text("end"))
    assert [m.step for m in heard if isinstance(m, Pulse)] == list(range(11, 51))
    assert not any(m.merged for m in heard if isinstance(m, Pulse))
    assert clock.passed == pytest.approx(40 / 40)
    # The pace holds even where no step has a message for the viewer.
    async with served.play(run.id, "layout", first=10, to=30, speed=40) as ws:
        heard = await receive_until(ws, is_text("end"))
    assert not [m for m in heard if not isinstance(m, dict)]
    assert clock.passed == pytest.approx(40 / 40 + 20 / 40)


async def test_a_running_run_is_joined_live_without_a_gap_or_a_double(
    served: ServerThread, tmp_path: Path
) -> None:
    run = make_run(RunStore(tmp_path))
    trainer = FakeTrainer(run).begin().train(60)
    write_layouts(run, layout(1, 20), layout(1, 55))
    with PacedTrainer(trainer, 60):
        for speed in ("full", 300):
            async with served.play(run.id, ALL, first=7, speed=speed) as ws:
                heard = await receive_until(ws, is_text("live"))
                heard += await receive_until(ws, pulse_at(trainer.step + 20))
            frames = [m for m in heard if not isinstance(m, dict)]
            pulses = [m for m in frames if isinstance(m, Pulse)]
            assert pulses[0].first_step == 8
            assert all(b.first_step == a.step + 1 for a, b in pairwise(pulses))
            assert not any(p.merged for p in pulses) or speed != "full"
            (live,) = texts(heard, "live")
            assert pulses[-1].step > live["step"]
            assert [m.step for m in frames if isinstance(m, Layout)] == [20, 55]
            steps = rebuild(heard, trainer.matrices)
            assert steps == sorted(set(steps))
            assert steps[0] == 7
    trainer.crash()


async def test_a_run_that_ends_while_it_is_played_goes_on_to_its_end(
    served: ServerThread, tmp_path: Path
) -> None:
    run = make_run(RunStore(tmp_path))
    trainer = FakeTrainer(run).begin().train(30)
    async with served.play(run.id, first=0, speed=60) as ws:
        await receive_until(ws, pulse_at(5))
        # The file is not held open between two reads, so it can be sealed during playback.
        trainer.train(10)
        assert await asyncio.to_thread(trainer.end)
        heard = await receive_until(ws, is_text("end"))
        assert heard[-1]["step"] == 40
        assert not run.steps_path.with_name("steps.sqlite-wal").exists()
        # From then on the socket is live: a continuation of the run is shown.
        again = FakeTrainer(run)
        again.matrices = trainer.matrices
        again.start_attempt_after(40)
        again.writer.set_facts({"phase": "running"})
        again.train(3)
        heard = await receive_until(ws, pulse_at(43, attempt=2))
        assert [m.step for m in heard if isinstance(m, Pulse)] == [41, 42, 43]
    again.crash()


async def test_a_superseded_attempt_begins_again(served: ServerThread, tmp_path: Path) -> None:
    run = make_run(RunStore(tmp_path))
    trainer = FakeTrainer(run).begin().train(80)
    async with served.play(run.id, "pulse,rows", first=30, speed=40) as ws:
        heard = await receive_until(ws, pulse_at(45))
        trainer.crash()
        again = FakeTrainer(run)
        again.matrices = {**trainer.matrices}
        again.touches, again.last_lit = trainer.touches, trainer.last_lit
        again.start_attempt_after(38).train(30)
        heard = await receive_until(ws, lambda m: isinstance(m, Rows) and (m.attempt, m.step) == (2, 60))
    censuses = [n for n, m in enumerate(heard) if isinstance(m, Census)]
    assert len(censuses) == 1
    assert (heard[censuses[0]].attempt, heard[censuses[0]].step) == (1, 38)
    after = heard[censuses[0] :]
    pulses = [m for m in after if isinstance(m, Pulse)]
    assert [(m.attempt, m.step) for m in pulses] == [(2, step) for step in range(39, pulses[-1].step + 1)]
    rebuild(after, again.matrices)
    again.crash()


async def test_a_superseded_past_is_not_played(served: ServerThread, tmp_path: Path) -> None:
    run = make_run(RunStore(tmp_path))
    trainer = FakeTrainer(run).begin().train(28)
    write_layouts(run, layout(1, 25), layout(2, 22))
    trainer.start_attempt_after(20).train(10)
    trainer.end()
    async with served.play(run.id, ALL, first=15, speed="full") as ws:
        heard = await receive_until(ws, is_text("end"))
    attempts = [(m.attempt, m.step) for m in heard if isinstance(m, Pulse)]
    assert attempts == [(1, step) for step in range(16, 21)] + [(2, step) for step in range(21, 31)]
    assert [(m.attempt, m.step) for m in heard if isinstance(m, Layout)] == [(2, 22)]


async def test_where_steps_are_not_exact_the_keyframes_come(served: ServerThread, tmp_path: Path) -> None:
    run = make_run(RunStore(tmp_path))
    trainer = FakeTrainer(run, rows=False).begin().train(25)
    trainer.rows = True
    trainer.train(5)
    trainer.rows = False
    trainer.train(5)
    trainer.end()
    async with served.play(run.id, "rows", first=13, speed="full") as ws:
        heard = await receive_until(ws, is_text("end"))
    rows = [(m.step, m.whole) for m in heard if isinstance(m, Rows)]
    # Moved rows alone, after a step whose matrix is unknown, would not add up to any recorded matrix.
    assert rows == [(10, True), (20, True), (30, True)]
    rebuild(heard, trainer.matrices)


async def test_a_slow_viewer_gets_merged_steps_at_a_pace_and_all_of_them_at_full_speed(
    served: ServerThread, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = finished_run(tmp_path, 6_000)
    merged = threading.Event()

    def merge(pulses: Sequence[Pulse]) -> Pulse:
        merged.set()
        return merge_pulses(pulses)

    monkeypatch.setattr(send_queue, "merge_pulses", merge)
    for speed in (100_000, "full"):
        url = f"{served.url(run.id)}&from=0&speed={speed}"
        async with websockets.connect(url, compression=None, max_queue=1) as ws:
            heard = await receive_until(ws, lambda m: isinstance(m, Pulse))
            # Until all buffers on the way are full: the kernel's, the client's and the send queue's.
            if speed == "full":
                # Nothing tells that a player waits.
                await asyncio.sleep(1.5)
            else:
                assert await asyncio.to_thread(merged.wait, 15)
            heard += await receive_until(ws, is_text("end"), 30)
        pulses = [m for m in heard if isinstance(m, Pulse)]
        assert pulses[0].first_step == 1
        assert pulses[-1].step == 6_000
        assert all(b.first_step == a.step + 1 for a, b in pairwise(pulses))
        assert any(p.merged for p in pulses) == (speed != "full")


async def test_a_viewer_that_stops_reading_is_dropped_with_its_player(
    served: ServerThread, tmp_path: Path
) -> None:
    served.services.hub._send_seconds = 0.5  # pyright: ignore[reportPrivateUsage]
    run = finished_run(tmp_path, 6_000)
    url = f"{served.url(run.id)}&from=0&speed=full"
    async with websockets.connect(url, compression=None, max_queue=1, close_timeout=0.2) as ws:
        await ws.recv()
        await wait_until_unfollowed(run.id)


async def test_players_that_come_and_go_leave_nothing_behind(served: ServerThread, tmp_path: Path) -> None:
    run = finished_run(tmp_path, 200)
    process = psutil.Process()

    async def come_and_go(times: int) -> int:
        for number in range(times):
            async with served.play(
                run.id, ALL, first=number % 50, speed=(0.01, 50, "full")[number % 3]
            ) as ws:
                await receive_until(ws, lambda m: isinstance(m, Census))
        await wait_until_unfollowed(run.id)
        return process.num_fds()

    files = await come_and_go(5)
    # Allow a few more: the server's sockets close a little later.
    assert await come_and_go(40) <= files + 8


async def test_a_run_that_has_not_begun_is_waited_for(served: ServerThread, tmp_path: Path) -> None:
    run = make_run(RunStore(tmp_path))
    async with served.play(run.id, first=0, speed="full") as ws:
        await receive_until(ws, is_text("hello"))
        trainer = FakeTrainer(run)
        # Between these two calls the run has no state to show yet.
        trainer.writer.start_attempt(0)
        await asyncio.sleep(0.3)
        trainer.writer.add_keyframe(0, trainer._keyframe(), trainer._census())  # pyright: ignore[reportPrivateUsage]
        trainer.train(5)
        heard = await receive_until(ws, pulse_at(5))
        assert [m.step for m in heard if isinstance(m, Census | Pulse)] == list(range(6))
        trainer.writer.set_facts({"phase": "paused"})
        await receive_until(ws, status_is("paused"))
    trainer.crash()


@pytest.mark.parametrize(
    ("wish", "says"),
    [
        ({"first": "-1"}, "whole number"),
        ({"first": "1e3"}, "whole number"),
        ({"first": "4294967296"}, "whole number"),
        ({"first": "\u0663"}, "whole number"),
        ({"first": 5, "to": 4}, "before"),
        ({"first": 5, "to": "x"}, "`to` must be"),
        ({"first": 0, "speed": 0}, "steps a second"),
        ({"first": 0, "speed": "-1"}, "steps a second"),
        ({"first": 0, "speed": "nan"}, "steps a second"),
        ({"first": 0, "speed": "inf"}, "steps a second"),
        ({"first": 0, "speed": "1e9"}, "steps a second"),
        ({"speed": 5}, "need `from`"),
        ({"to": 5}, "need `from`"),
        ({"first": 36}, "between 0 and 35"),
    ],
)
async def test_rejects_unplayable_requests(
    served: ServerThread, tmp_path: Path, wish: dict[str, Any], says: str
) -> None:
    run = finished_run(tmp_path, 35)
    async with served.play(run.id, **wish) as ws:
        with pytest.raises(websockets.ConnectionClosed) as caught:
            await receive_until(ws, lambda _: False)
    assert caught.value.rcvd is not None
    assert caught.value.rcvd.code == 4400
    assert says in caught.value.rcvd.reason


async def test_no_such_run_and_a_damaged_one(served: ServerThread, tmp_path: Path) -> None:
    damaged = finished_run(tmp_path)
    damaged.steps_path.write_bytes(damaged.steps_path.read_bytes()[:4096] + b"\xff" * 50_000)
    for run, code in (("none", 4404), (damaged.id, 4409)):
        async with served.play(run, first=0) as ws:
            with pytest.raises(websockets.ConnectionClosed) as caught:
                await receive_until(ws, lambda _: False)
            assert caught.value.rcvd is not None
            assert caught.value.rcvd.code == code
