"""The live socket as a browser uses it: a real server, real sockets, and a growing folder; a run that is resumed before its
last step.
"""

from __future__ import annotations

import asyncio
import json
import threading
from pathlib import Path

import numpy as np
import pytest

from lamplighter.runfolder.reading.snapshot import read_touches
from lamplighter.runfolder.run_store import RunStore
from lamplighter.runfolder.tables.layouts import LayoutsWriter
from lamplighter.runfolder.tables.measures import MeasuresWriter
from lamplighter.runfolder.tables.requests import Request
from lamplighter.runfolder.tables.steps import StepsWriter
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.wire.beat_frames import Beat
from lamplighter.wire.frames import encode
from lamplighter.wire.layout_frames import Layout, Method
from lamplighter.wire.row_frames import Census
from tests.support.beat_page import BeatPage
from tests.support.folders import FakeTrainer, V, finished_run, layout, make_run, write_layouts
from tests.support.served import PacedTrainer, ServerThread, beat_at, receive_until, status_is

pytestmark = pytest.mark.anyio


async def test_counts_are_those_of_every_step(served: ServerThread, tmp_path: Path) -> None:
    run = make_run(RunStore(tmp_path))
    trainer = FakeTrainer(run).begin().train(25)
    page = BeatPage(V)
    with PacedTrainer(trainer, 100):
        async with served.watch(run.id) as ws, asyncio.timeout(10):
            assert json.loads(await ws.recv())["type"] == "hello"
            while len(page.beats) < 4:
                page.receive(await ws.recv())
    assert page.step > page.censuses[0].step + 50
    passed = [step for text in page.texts if text["type"] == "passed" for step in text["steps"]]
    assert sorted(passed + [beat.step for beat in page.beats]) == list(
        range(page.censuses[0].step + 1, page.step + 1)
    )
    with StepsReader(run.steps_path) as reader:
        so_far = read_touches(reader, page.step)
    np.testing.assert_array_equal(page.touches, so_far.touches)
    np.testing.assert_array_equal(page.last_lit, so_far.last_lit)
    trainer.crash()


async def test_pages_of_one_run_share_one_log(served: ServerThread, tmp_path: Path) -> None:
    run = make_run(RunStore(tmp_path))
    trainer = FakeTrainer(run).begin().train(25)
    async with served.watch(run.id) as one, served.watch(run.id) as other:
        for ws in (one, other):
            await receive_until(ws, lambda m: isinstance(m, Census))
        trainer.train(1)
        heard = [await receive_until(ws, beat_at(26)) for ws in (one, other)]
        assert [encode(m[-1]) for m in heard[:1]] == [encode(m[-1]) for m in heard[1:]]
        names = [thread.name for thread in threading.enumerate()]
        assert names.count(f"follower of {run.id}") == 1
        # One who comes later has the counts before the newest beat, and the beat.
        async with served.watch(run.id) as late:
            _, census, beat = await receive_until(late, beat_at(26))
            assert (census.step, beat.first_step, beat.step) == (25, 26, 26)
    trainer.crash()


async def test_a_run_watched_before_it_begins(served: ServerThread, tmp_path: Path) -> None:
    run = make_run(RunStore(tmp_path), prepared=False)
    async with served.watch(run.id) as ws:
        heard = await receive_until(ws, lambda m: m["type"] == "hello")
        assert heard[0]["run"]["status"]["phase"] == "waiting"
        assert "layers" not in heard[0]["run"]
        trainer = FakeTrainer(run)
        trainer.writer.set_facts({"phase": "preparing", "message": "reading the corpus"})
        heard = await receive_until(ws, status_is("preparing"))
        assert heard[-1]["status"]["message"] == "reading the corpus"
        trainer.begin()
        heard = await receive_until(ws, lambda m: isinstance(m, Census))
        assert heard[-1].step == 0
        trainer.train(5)
        await receive_until(ws, beat_at(5))
    trainer.crash()


async def test_a_finished_run_is_sealed_under_the_eyes_of_its_viewers(
    served: ServerThread, tmp_path: Path
) -> None:
    run = make_run(RunStore(tmp_path))
    trainer = FakeTrainer(run).begin().train(20)
    async with served.watch(run.id) as ws:
        await receive_until(ws, lambda m: isinstance(m, Census))
        trainer.train(5)
        # A server that went on reading would prevent sealing for as long as the writer tries.
        assert await asyncio.to_thread(trainer.end)
        heard = await receive_until(ws, status_is("finished"))
        heard += await receive_until(ws, lambda m: isinstance(m, dict) and m["status"]["alive"] is False)
        assert not run.steps_path.with_name("steps.sqlite-wal").exists()
        # The last step is not lost.
        if not any(isinstance(m, Beat) and m.step == 25 for m in heard):
            await receive_until(ws, beat_at(25))
        # The run is continued.
        writer = StepsWriter(run.steps_path)
        writer.set_facts({"phase": "running", "steps": 200})
        trainer.writer = writer
        trainer.train(3)
        await receive_until(ws, beat_at(28))
        writer.close()


async def test_layouts_measures_status_and_acknowledgements(served: ServerThread, tmp_path: Path) -> None:
    run = make_run(RunStore(tmp_path))
    trainer = FakeTrainer(run).begin().train(12)
    write_layouts(run, layout(1, 5), layout(1, 10), layout(1, 0, Method.LINEAR), layout(4, 12))
    with MeasuresWriter(run.measures_path) as measures:
        measures.commit(1, 10, {"purity": 0.25})
        async with served.watch(run.id) as ws:
            heard = await receive_until(ws, lambda m: isinstance(m, Layout))
            heard += await receive_until(ws, lambda m: isinstance(m, Layout))
            shown = [(m.method, m.step) for m in heard if isinstance(m, Layout)]
            assert sorted(shown) == [(Method.LINEAR, 0), (Method.UMAP, 10)]
            measures.commit(1, 12, {"purity": 0.5})
            heard = await receive_until(ws, lambda m: isinstance(m, dict) and m["type"] == "measures")
            assert heard[-1] == {"type": "measures", "step": 12, "values": {"purity": 0.5}}
            with LayoutsWriter(run.layouts_path) as drawn:
                drawn.commit(layout(1, 12))
                heard = await receive_until(ws, lambda m: isinstance(m, Layout))
                assert heard[-1].step == 12
            trainer.writer.add_applied(Request("abc", 7, 0.0, "pause", {}), 1, 13)
            heard = await receive_until(ws, lambda m: isinstance(m, dict) and m["type"] == "acknowledged")
            assert heard[-1] == {"type": "acknowledged", "request": "abc:7", "kind": "pause", "step": 13}
            with LayoutsWriter(run.layouts_path) as drawn:
                drawn.add_applied(Request("abc", 8, 0.0, "map", {"neighbours": 9}), 1, 12)
                heard = await receive_until(ws, lambda m: isinstance(m, dict) and m["type"] == "acknowledged")
            assert heard[-1] == {"type": "acknowledged", "request": "abc:8", "kind": "map", "step": 12}
            trainer.writer.set_facts({"phase": "paused"})
            await receive_until(ws, status_is("paused"))
    trainer.crash()


async def test_a_finished_run_is_shown_whole(served: ServerThread, tmp_path: Path) -> None:
    run = finished_run(tmp_path, 35)
    write_layouts(run, layout(1, 35))
    async with served.watch(run.id) as ws:
        heard = await receive_until(ws, lambda m: isinstance(m, Layout))
    assert heard[0]["run"]["status"]["phase"] == "finished"
    assert [(type(m).__name__, m.step) for m in heard if not isinstance(m, dict)] == [
        ("Census", 35),
        ("Layout", 35),
    ]


async def test_a_new_attempt_begins_again_where_it_differs(served: ServerThread, tmp_path: Path) -> None:
    run = make_run(RunStore(tmp_path))
    trainer = FakeTrainer(run).begin().train(28)
    async with served.watch(run.id) as ws:
        await receive_until(ws, lambda m: isinstance(m, Census))
        trainer.train(4)
        await receive_until(ws, beat_at(32))
        trainer.crash()
        again = FakeTrainer(run)
        again.matrices = trainer.matrices
        again.touches, again.last_lit = trainer.touches, trainer.last_lit
        again.start_attempt_after(20).train(6)
        heard = await receive_until(ws, beat_at(26, attempt=2))
        frames = [m for m in heard if not isinstance(m, dict)]
        assert isinstance(frames[0], Census)
        assert (frames[0].attempt, frames[0].step) == (1, 20)
        beats = [m for m in frames if isinstance(m, Beat)]
        assert {m.attempt for m in beats} == {2}
        assert (beats[0].first_step, beats[-1].step) == (21, 26)
    again.crash()


async def test_a_new_attempt_that_changes_nothing_seen_just_goes_on(
    served: ServerThread, tmp_path: Path
) -> None:
    run = make_run(RunStore(tmp_path))
    trainer = FakeTrainer(run).begin().train(15)
    async with served.watch(run.id) as ws:
        await receive_until(ws, lambda m: isinstance(m, Census))
        trainer.start_attempt_after(15).train(3)
        heard = await receive_until(ws, beat_at(18))
        beats = [m for m in heard if not isinstance(m, dict)]
        assert {(type(m), m.attempt) for m in beats} == {(Beat, 2)}
        assert (beats[0].first_step, beats[-1].step) == (16, 18)
    trainer.crash()


async def test_superseded_measures_do_not_count(served: ServerThread, tmp_path: Path) -> None:
    run = make_run(RunStore(tmp_path))
    trainer = FakeTrainer(run).begin().train(28)
    with MeasuresWriter(run.measures_path) as measures:
        measures.commit(1, 10, {"purity": 0.25})
        async with served.watch(run.id) as ws:
            await receive_until(ws, lambda m: isinstance(m, Census))
            measures.commit(1, 20, {"purity": 0.5})
            await receive_until(ws, lambda m: isinstance(m, dict) and m["type"] == "measures")
            trainer.start_attempt_after(15).train(6)
            await receive_until(ws, beat_at(21, attempt=2))
            measures.commit(1, 28, {"purity": 0.9})
            measures.commit(2, 20, {"purity": 0.75})
            heard = await receive_until(ws, lambda m: isinstance(m, dict) and m["type"] == "measures")
            assert heard[-1] == {"type": "measures", "step": 20, "values": {"purity": 0.75}}
    trainer.crash()
