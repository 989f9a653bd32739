"""The live socket as a browser uses it: a real server, real sockets, and a growing folder; a run that is resumed before its
last step.
"""

from __future__ import annotations

import asyncio
from itertools import pairwise
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
from lamplighter.wire.frames import decode
from lamplighter.wire.layout_frames import Layout, Method
from lamplighter.wire.pulse_frames import Pulse
from lamplighter.wire.row_frames import Census
from tests.support.folders import FakeTrainer, finished_run, layout, make_run, write_layouts
from tests.support.served import PacedTrainer, ServerThread, pulse_at, receive_until, status_is

pytestmark = pytest.mark.anyio


async def test_every_step_from_the_census_on(served: ServerThread, tmp_path: Path) -> None:
    run = make_run(RunStore(tmp_path))
    trainer = FakeTrainer(run).begin().train(25)
    with PacedTrainer(trainer, 100):
        for _ in range(2):
            async with served.watch(run.id) as ws:
                heard = await receive_until(ws, pulse_at(trainer.step + 30))
            assert [heard[0]["type"], type(heard[1])] == ["hello", Census]
            census = heard[1]
            pulses = [m for m in heard if isinstance(m, Pulse)]
            # There is never a gap, neither after the census nor between two pulses.
            assert pulses[0].first_step == census.step + 1
            assert all(b.first_step == a.step + 1 for a, b in pairwise(pulses))
            assert not any(p.merged for p in pulses)
            with StepsReader(run.steps_path) as reader:
                recorded = dict(reader.pulses(census.step + 1, pulses[-1].step))
                so_far = read_touches(reader, census.step)
                assert all(decode(recorded[p.step]).time == p.time for p in pulses)
            np.testing.assert_array_equal(census.touches, so_far.touches)
            np.testing.assert_array_equal(census.last_lit, so_far.last_lit)
    trainer.crash()


async def test_a_step_is_there_before_the_next(served: ServerThread, tmp_path: Path) -> None:
    run = make_run(RunStore(tmp_path))
    trainer = FakeTrainer(run).begin()
    async with served.watch(run.id) as ws:
        await receive_until(ws, lambda m: isinstance(m, Census))
        # `python -m benchmarks latency` measures how soon.
        for step in range(1, 201):
            trainer.train(1)
            heard = await receive_until(ws, pulse_at(step))
            assert [(m.step, m.merged) for m in heard if isinstance(m, Pulse)] == [(step, False)]
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
        heard = await receive_until(ws, pulse_at(5))
        assert [m.step for m in heard if isinstance(m, Pulse)] == [1, 2, 3, 4, 5]
    trainer.crash()


async def test_a_finished_run_is_sealed_under_the_eyes_of_its_viewers(
    served: ServerThread, tmp_path: Path
) -> None:
    run = make_run(RunStore(tmp_path))
    trainer = FakeTrainer(run).begin().train(20)
    async with served.watch(run.id, "pulse,layout") as ws:
        await receive_until(ws, lambda m: isinstance(m, Census))
        trainer.train(5)
        # A server that went on reading would prevent sealing for as long as the writer tries.
        assert await asyncio.to_thread(trainer.end)
        heard = await receive_until(ws, status_is("finished"))
        # The last pulse is not lost: the status follows it.
        assert max(m.step for m in heard if isinstance(m, Pulse)) == 25
        heard = await receive_until(ws, lambda m: isinstance(m, dict) and m["status"]["alive"] is False)
        assert not run.steps_path.with_name("steps.sqlite-wal").exists()
        # The run is continued.
        writer = StepsWriter(run.steps_path)
        writer.set_facts({"phase": "running", "steps": 200})
        trainer.writer = writer
        trainer.train(3)
        heard = await receive_until(ws, pulse_at(28))
        assert [m.step for m in heard if isinstance(m, Pulse)] == [26, 27, 28]
        writer.close()


async def test_layouts_measures_status_and_acknowledgements(served: ServerThread, tmp_path: Path) -> None:
    run = make_run(RunStore(tmp_path))
    trainer = FakeTrainer(run).begin().train(12)
    write_layouts(run, layout(1, 5), layout(1, 10), layout(1, 0, Method.LINEAR), layout(4, 12))
    with MeasuresWriter(run.measures_path) as measures:
        measures.commit(1, 10, {"purity": 0.25})
        async with served.watch(run.id, None) as ws:
            heard = await receive_until(ws, lambda m: isinstance(m, Layout) and m.method is Method.UMAP)
            assert heard[0]["channels"] == ["layout", "pulse"]
            shown = [(m.method, m.step) for m in heard if isinstance(m, Layout)]
            assert shown == [(Method.LINEAR, 0), (Method.UMAP, 10)]
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
    async with served.watch(run.id, "pulse,layout") as ws:
        heard = await receive_until(ws, lambda m: isinstance(m, Layout))
    assert [type(m).__name__ for m in heard] == ["dict", "Census", "Layout"]
    assert heard[0]["run"]["status"]["phase"] == "finished"
    assert heard[1].step == 35


async def test_a_new_attempt_begins_again_where_it_differs(served: ServerThread, tmp_path: Path) -> None:
    run = make_run(RunStore(tmp_path))
    trainer = FakeTrainer(run).begin().train(28)
    async with served.watch(run.id) as ws:
        await receive_until(ws, lambda m: isinstance(m, Census))
        trainer.train(4)
        await receive_until(ws, pulse_at(32))
        trainer.crash()
        again = FakeTrainer(run)
        again.matrices = trainer.matrices
        again.touches, again.last_lit = trainer.touches, trainer.last_lit
        again.start_attempt_after(20).train(6)
        heard = await receive_until(ws, pulse_at(26, attempt=2))
        frames = [m for m in heard if not isinstance(m, dict)]
        assert isinstance(frames[0], Census)
        assert (frames[0].attempt, frames[0].step) == (1, 20)
        pulses = [m for m in frames if isinstance(m, Pulse)]
        assert [(m.attempt, m.step) for m in pulses] == [(2, step) for step in range(21, 27)]
    again.crash()


async def test_a_new_attempt_that_changes_nothing_seen_just_goes_on(
    served: ServerThread, tmp_path: Path
) -> None:
    run = make_run(RunStore(tmp_path))
    trainer = FakeTrainer(run).begin().train(15)
    async with served.watch(run.id) as ws:
        await receive_until(ws, lambda m: isinstance(m, Census))
        trainer.start_attempt_after(15).train(3)
        heard = await receive_until(ws, pulse_at(18))
        frames = [m for m in heard if not isinstance(m, dict)]
        assert [(m.attempt, m.step) for m in frames] == [(2, 16), (2, 17), (2, 18)]
    trainer.crash()


async def test_superseded_measures_do_not_count(served: ServerThread, tmp_path: Path) -> None:
    run = make_run(RunStore(tmp_path))
    trainer = FakeTrainer(run).begin().train(28)
    with MeasuresWriter(run.measures_path) as measures:
        measures.commit(1, 10, {"purity": 0.25})
        async with served.watch(run.id, None) as ws:
            await receive_until(ws, lambda m: isinstance(m, Census))
            measures.commit(1, 20, {"purity": 0.5})
            await receive_until(ws, lambda m: isinstance(m, dict) and m["type"] == "measures")
            trainer.start_attempt_after(15).train(6)
            await receive_until(ws, pulse_at(21, attempt=2))
            measures.commit(1, 28, {"purity": 0.9})
            measures.commit(2, 20, {"purity": 0.75})
            heard = await receive_until(ws, lambda m: isinstance(m, dict) and m["type"] == "measures")
            assert heard[-1] == {"type": "measures", "step": 20, "values": {"purity": 0.75}}
    trainer.crash()
