"""Past steps, maps and districts as frames over REST, byte for byte as those who follow the run get them.

Districts over the live socket: when they are found, for later viewers, and in playback.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx2
import numpy as np
import pytest

import lamplighter
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_store import RunStore
from lamplighter.runfolder.tables.layouts import LayoutsWriter
from lamplighter.wire.district_frames import Districts
from lamplighter.wire.frames import Frame, decode_as, encode
from lamplighter.wire.pulse_frames import Pulse
from lamplighter.wire.row_frames import Census
from tests.support.district_answers import districts
from tests.support.folders import FakeTrainer, finished_run, make_run
from tests.support.served import ServerThread, receive_until

pytestmark = pytest.mark.anyio


async def get(served: ServerThread, run: RunFolder, path: str) -> httpx2.Response:
    async with httpx2.AsyncClient(timeout=20) as client:
        return await client.get(f"http://127.0.0.1:{served.port}/api/runs/{run.id}/{path}")


def played(run: RunFolder, first: int, last: int, kind: type[Frame], channel: str = "pulse") -> list[bytes]:
    """Return the frames of a kind from one step to another, as a program is sent them."""
    return [
        encode(frame)
        for frame in lamplighter.open(run.path).play(first, last, channels=channel)
        if isinstance(frame, kind)
    ]


async def test_they_are_those_of_the_stream(served: ServerThread, tmp_path: Path) -> None:
    run = make_run(RunStore(tmp_path))
    trainer = FakeTrainer(run).begin().train(30)
    # The second attempt takes over the steps from 21 on.
    trainer.start_attempt_after(20).train(15)
    pulses = played(run, 12, 28, Pulse)
    told = await get(served, run, "steps?from=13&to=28&every=1&format=frame")
    assert told.headers["content-type"] == "application/octet-stream"
    assert told.content == b"".join(pulses)
    assert len(pulses) == 16
    # With the census of the step before, as the stream begins.
    (census,) = played(run, 12, 12, Census)
    path = "steps?from=13&to=28&every=1&format=frame&census=true&attempt=2"
    told = await get(served, run, path)
    assert told.content == census + b"".join(pulses)
    assert decode_as(told.content[: len(census)], Census).step == 12
    assert "immutable" in told.headers["cache-control"]
    trainer.crash()


async def test_the_first_stretch_and_what_is_refused(served: ServerThread, tmp_path: Path) -> None:
    run = make_run(RunStore(tmp_path))
    assert (await get(served, run, "steps?format=frame")).content == b""
    trainer = FakeTrainer(run).begin()
    path = "steps?from=1&to=32&every=1&format=frame&census=true"
    told = await get(served, run, path)
    census = decode_as(told.content, Census)
    assert (census.step, int(census.touches.sum())) == (0, 0)
    trainer.train(25)
    told = await get(served, run, path.replace("from=1", "from=24"))
    size = len((await get(served, run, "steps?from=24&format=frame")).content)
    census = decode_as(told.content[: len(told.content) - size], Census)
    assert census.step == 23
    touched = decode_as(trainer._census(), Census).touches.sum()  # pyright: ignore[reportPrivateUsage]
    assert 0 < census.touches.sum() < touched
    for bad, code in (("steps?census=true", 422), ("steps?format=frame&census=true&attempt=9&to=3", 404)):
        assert (await get(served, run, bad)).status_code == code
    trainer.crash()


async def test_districts_and_when_they_were_found(served: ServerThread, tmp_path: Path) -> None:
    run = make_run(RunStore(tmp_path))
    assert (await get(served, run, "districts/steps")).json() == {"items": []}
    trainer = FakeTrainer(run).begin().train(20)
    with LayoutsWriter(run.layouts_path) as writer:
        for step in (3, 8, 20):
            writer.commit_districts(districts(step, f"at {step}"), [])
    trainer.start_attempt_after(10).train(5)
    told = await get(served, run, "districts/steps")
    assert told.json() == {"items": [{"attempt": 1, "step": 3}, {"attempt": 1, "step": 8}]}
    (stream,) = played(run, 9, 9, Districts, "layout")
    told = await get(served, run, "districts?step=9&format=frame")
    assert told.content == stream
    assert (await get(served, run, "districts?step=2&format=frame")).status_code == 404
    trainer.crash()


async def test_rows_ever_lit(served: ServerThread, tmp_path: Path) -> None:
    run = make_run(RunStore(tmp_path))
    trainer = FakeTrainer(run).begin().train(25)

    async def check() -> None:
        items = (await get(served, run, "steps?most=100")).json()["items"]
        batches = {
            step: np.unique(
                np.random.default_rng([1 if step <= 15 or trainer.writer.attempt == 1 else 2, step]).integers(
                    0, 40, 6
                )
            )
            for step in range(1, 26)
        }
        for item in items:
            seen = {int(i) for step in range(1, item["step"] + 1) for i in batches[step]}
            assert item["ever_rows"] == len(seen), item["step"]

    await check()
    # Rows lit only by a superseded step no longer count.
    trainer.start_attempt_after(15).train(10)
    await check()
    items = (await get(served, run, "steps?every=1")).json()["items"]
    assert {item["ever_rows"] for item in items} == {None}
    trainer.crash()


def found(message: Any) -> bool:
    return isinstance(message, Districts)


def seen(heard: list[Any]) -> list[tuple[int, tuple[str, ...]]]:
    return [(m.step, m.names) for m in heard if isinstance(m, Districts)]


async def test_live_and_when_an_attempt_supersedes_them(served: ServerThread, tmp_path: Path) -> None:
    run = make_run(RunStore(tmp_path))
    trainer = FakeTrainer(run).begin().train(20)
    with LayoutsWriter(run.layouts_path) as writer:
        writer.commit_districts(districts(5, "old"), [])
        writer.commit_districts(districts(15, "animals"), [])
        writer.commit_districts(districts(16, "of no attempt", attempt=4), [])
        async with served.watch(run.id) as one:
            assert seen(await receive_until(one, found)) == [(15, ("animals",))]
            writer.commit_districts(districts(20, "animals", "colours"), [])
            assert seen(await receive_until(one, found)) == [(20, ("animals", "colours"))]
            # The second attempt begins after step 10, so the districts of step 5 count again.
            trainer.start_attempt_after(10).train(3)
            assert seen(await receive_until(one, found)) == [(5, ("old",))]
        async with served.watch(run.id) as other:
            assert seen(await receive_until(other, found)) == [(5, ("old",))]
    trainer.crash()


def test_played_with_their_steps(tmp_path: Path) -> None:
    run = finished_run(tmp_path)
    with LayoutsWriter(run.layouts_path) as writer:
        for step in (3, 8, 20, 30):
            writer.commit_districts(districts(step, f"at {step}"), [])
    heard = list(lamplighter.open(run.path).play(10, 25))
    assert seen(heard) == [(8, ("at 8",)), (20, ("at 20",))]
    at = next(i for i, m in enumerate(heard) if isinstance(m, Districts) and m.step == 20)
    pulses = [m.step for m in heard[:at] if isinstance(m, Pulse)]
    assert pulses == list(range(11, 21))
