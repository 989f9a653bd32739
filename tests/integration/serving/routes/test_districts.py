"""Districts over the live socket: when they are found, for later viewers, and in playback."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lamplighter.runfolder.run_store import RunStore
from lamplighter.runfolder.tables.layouts import LayoutsWriter
from lamplighter.wire.district_frames import Districts
from lamplighter.wire.pulse_frames import Pulse
from tests.support.district_answers import districts
from tests.support.folders import FakeTrainer, finished_run, make_run
from tests.support.served import ServerThread, receive_until

pytestmark = pytest.mark.anyio


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
        async with served.watch(run.id, "layout") as one:
            assert seen(await receive_until(one, found)) == [(15, ("animals",))]
            writer.commit_districts(districts(20, "animals", "colours"), [])
            assert seen(await receive_until(one, found)) == [(20, ("animals", "colours"))]
            # The second attempt begins after step 10, so the districts of step 5 count again.
            trainer.start_attempt_after(10).train(3)
            assert seen(await receive_until(one, found)) == [(5, ("old",))]
        async with served.watch(run.id, "layout") as other:
            assert seen(await receive_until(other, found)) == [(5, ("old",))]
    trainer.crash()


async def test_played_with_their_steps(served: ServerThread, tmp_path: Path) -> None:
    run = finished_run(tmp_path)
    with LayoutsWriter(run.layouts_path) as writer:
        for step in (3, 8, 20, 30):
            writer.commit_districts(districts(step, f"at {step}"), [])
    async with served.play(run.id, "pulse,layout", first=10, to=25, speed="full") as ws:
        heard = await receive_until(ws, lambda m: isinstance(m, dict) and m["type"] == "end")
    assert seen(heard) == [(8, ("at 8",)), (20, ("at 20",))]
    at = next(i for i, m in enumerate(heard) if isinstance(m, Districts) and m.step == 20)
    pulses = [m.step for m in heard[:at] if isinstance(m, Pulse)]
    assert pulses == list(range(11, 21))
