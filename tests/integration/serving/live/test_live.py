"""The live socket as a browser uses it: a real server, real sockets, and a folder that grows meanwhile."""

from __future__ import annotations

import asyncio
import errno
import shutil
import threading
from itertools import pairwise
from pathlib import Path

import numpy as np
import psutil
import pytest
import websockets

from lamplighter.runfolder.reading.snapshot import read_touches
from lamplighter.runfolder.run_store import RunStore
from lamplighter.runfolder.tables.layouts import LayoutsWriter
from lamplighter.runfolder.tables.measures import MeasuresWriter
from lamplighter.runfolder.tables.requests import Request
from lamplighter.runfolder.tables.steps import StepsWriter
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.serving.live import run_follower
from lamplighter.serving.reading.run_catalog import RunCatalog
from lamplighter.serving.settings import ServerSettings
from lamplighter.wire.frames import decode
from lamplighter.wire.layout_frames import Layout, Method
from lamplighter.wire.pulse_frames import Pulse
from lamplighter.wire.row_frames import Census, Rows
from tests.integration.serving.served import (
    PacedTrainer,
    ServerThread,
    pulse_at,
    receive_until,
    status_is,
    texts,
)
from tests.unit.serving.folders import (
    BATCH_TOKENS,
    FakeTrainer,
    V,
    finished_run,
    layout,
    make_run,
    write_layouts,
)

pytestmark = pytest.mark.anyio


async def test_every_step_from_the_census_on(served: ServerThread, tmp_path: Path) -> None:
    run = make_run(RunStore(tmp_path))
    trainer = FakeTrainer(run).begin().train(25)
    with PacedTrainer(trainer, 100):
        for _ in range(4):
            async with served.watch(run.id, "pulse,rows") as ws:
                heard = await receive_until(ws, pulse_at(trainer.step + 30))
            assert [heard[0]["type"], *map(type, heard[1:3])] == ["hello", Census, Rows]
            census, matrix = heard[1], heard[2]
            pulses = [m for m in heard if isinstance(m, Pulse)]
            rows = [m for m in heard[3:] if isinstance(m, Rows)]
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
            # The rows add up to the exact matrix.
            vectors = matrix.vectors.copy()
            assert matrix.step == census.step
            for one in rows:
                vectors[one.token_ids] = one.vectors
            np.testing.assert_array_equal(vectors, trainer.matrices[rows[-1].step])
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
    async with served.watch(run.id, "pulse,layout,rows") as ws:
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


async def test_a_new_attempt_begins_again_where_it_differs(served: ServerThread, tmp_path: Path) -> None:
    run = make_run(RunStore(tmp_path))
    trainer = FakeTrainer(run).begin().train(28)
    async with served.watch(run.id, "pulse,rows") as ws:
        await receive_until(ws, lambda m: isinstance(m, Rows))
        trainer.train(4)
        await receive_until(ws, lambda m: isinstance(m, Rows) and m.step == 32)
        trainer.crash()
        again = FakeTrainer(run)
        again.matrices = trainer.matrices
        again.touches, again.last_lit = trainer.touches, trainer.last_lit
        again.start_attempt_after(20).train(6)
        heard = await receive_until(ws, lambda m: isinstance(m, Rows) and (m.attempt, m.step) == (2, 26))
        frames = [m for m in heard if not isinstance(m, dict)]
        assert isinstance(frames[0], Census)
        assert (frames[0].attempt, frames[0].step) == (1, 20)
        pulses = [m for m in frames if isinstance(m, Pulse)]
        assert [(m.attempt, m.step) for m in pulses] == [(2, step) for step in range(21, 27)]
        matrix = next(m for m in frames if isinstance(m, Rows) and m.whole)
        vectors = matrix.vectors.copy()
        for one in (m for m in frames if isinstance(m, Rows) and not m.whole):
            vectors[one.token_ids] = one.vectors
        np.testing.assert_array_equal(vectors, again.matrices[26])
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


async def test_where_moved_rows_are_not_kept_keyframes_come(served: ServerThread, tmp_path: Path) -> None:
    run = make_run(RunStore(tmp_path))
    trainer = FakeTrainer(run, rows=False).begin().train(13)
    async with served.watch(run.id, "rows") as ws:
        heard = await receive_until(ws, lambda m: isinstance(m, Rows))
        assert heard[-1].step == 10
        trainer.train(20)
        heard = await receive_until(ws, lambda m: isinstance(m, Rows) and m.step == 30)
        assert all(m.whole for m in heard if isinstance(m, Rows))
        np.testing.assert_array_equal(heard[-1].vectors, trainer.matrices[30])
    trainer.crash()


async def test_one_who_fell_behind_what_is_kept_gets_the_whole_matrix(
    served: ServerThread, tmp_path: Path
) -> None:
    run = make_run(RunStore(tmp_path))
    trainer = FakeTrainer(run).begin().train(13)
    async with served.watch(run.id, "pulse,rows") as ws:
        await receive_until(ws, lambda m: isinstance(m, Rows))
        # One transaction, so that the follower falls behind by many steps, whose moved rows the trainer then
        # drops.
        with trainer.writer.transaction():
            trainer.train(142)
            connection = trainer.writer._connection  # pyright: ignore[reportPrivateUsage]
            connection.execute("DELETE FROM rows WHERE id & 0xFFFFFFFF BETWEEN 20 AND 100")
        heard = await receive_until(ws, lambda m: isinstance(m, Rows) and m.step >= 155)
        trainer.train(3)
        heard += await receive_until(ws, lambda m: isinstance(m, Rows) and m.step == 158)
        rows = [m for m in heard if isinstance(m, Rows)]
        # Rows before the hole arrive as usual (the matrix replaces those still in the queue); after it comes
        # the whole matrix.
        assert [m.step for m in rows if m.step >= 20] == [155, 156, 157, 158]
        (whole,) = (m for m in rows if m.whole)
        np.testing.assert_array_equal(whole.vectors, trainer.matrices[155])
        pulses = [m for m in heard if isinstance(m, Pulse)]
        assert pulses[0].first_step == 14
        assert all(b.first_step == a.step + 1 for a, b in pairwise(pulses))
    trainer.crash()


async def test_a_finished_run_is_shown_whole(served: ServerThread, tmp_path: Path) -> None:
    run = finished_run(tmp_path, 35)
    write_layouts(run, layout(1, 35))
    async with served.watch(run.id, "pulse,layout,rows") as ws:
        heard = await receive_until(ws, lambda m: isinstance(m, Layout))
    assert [type(m).__name__ for m in heard] == ["dict", "Census", "Rows", "Layout"]
    assert heard[0]["run"]["status"]["phase"] == "finished"
    assert heard[1].step == 35


async def test_close_codes(served: ServerThread, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "recipe.json").write_text('{"format": 2}')
    damaged = finished_run(tmp_path)
    damaged.steps_path.write_bytes(damaged.steps_path.read_bytes()[:4096] + b"\xff" * 50_000)
    for run, code in (("none", 4404), ("..", 4404), ("broken", 4409), (damaged.id, 4409)):
        async with served.watch(run) as ws:
            with pytest.raises(websockets.ConnectionClosed) as caught:
                await receive_until(ws, lambda _: False)
            assert caught.value.rcvd is not None
            assert caught.value.rcvd.code == code, run
            assert caught.value.rcvd.reason


async def test_what_passes_closes_so_that_viewers_come_back(
    served: ServerThread, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_the_way = make_run(RunStore(tmp_path))
    in_the_way.steps_path.mkdir()  # The file exists and cannot be opened.
    full = finished_run(tmp_path)

    def too_many(path: Path) -> StepsReader:
        if path == full.steps_path:
            raise OSError(errno.EMFILE, "too many open files")
        return StepsReader(path)

    monkeypatch.setattr(run_follower, "StepsReader", too_many)
    for run in (in_the_way, full):
        async with served.watch(run.id) as ws:
            with pytest.raises(websockets.ConnectionClosed) as caught:
                await receive_until(ws, lambda _: False)
            assert caught.value.rcvd is not None
            assert caught.value.rcvd.code == 1011


async def test_damaged_layouts_and_measures_hide_no_step(served: ServerThread, tmp_path: Path) -> None:
    run = make_run(RunStore(tmp_path))
    trainer = FakeTrainer(run).begin().train(5)
    run.layouts_path.write_bytes(b"no database at all " * 500)
    run.measures_path.write_bytes(b"no database at all " * 500)
    async with served.watch(run.id, None) as ws:
        heard = await receive_until(ws, lambda m: isinstance(m, Census))
        assert heard[-1].step == 5
        for number in range(6, 12):
            trainer.train(1)
            trainer.writer.add_applied(Request("abc", number, 0.0, "pause", {}), 1, number)
            heard = await receive_until(ws, lambda m: isinstance(m, dict) and m["type"] == "acknowledged")
            assert [m.step for m in heard if isinstance(m, Pulse)] == [number]
        # The layouts are made again.
        run.layouts_path.unlink()
        write_layouts(run, layout(1, 10))
        heard = await receive_until(ws, lambda m: isinstance(m, Layout))
        assert heard[-1].step == 10
    trainer.crash()


async def test_what_was_read_before_a_failure_is_told(
    served: ServerThread, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make_run(RunStore(tmp_path))
    trainer = FakeTrainer(run).begin().train(5)
    async with served.watch(run.id) as ws:
        await receive_until(ws, lambda m: isinstance(m, Census))
        real, failures = RunCatalog.status, iter(range(2))

        def fails_twice(library: RunCatalog, *args: object) -> object:
            if next(failures, None) is not None:
                raise OSError(errno.EIO, "the disk hesitates")
            return real(library, *args)  # pyright: ignore[reportArgumentType]

        monkeypatch.setattr(RunCatalog, "status", fails_twice)
        trainer.train(3)
        trainer.writer.add_applied(Request("abc", 7, 0.0, "pause", {}), 1, 8)
        trainer.writer.set_facts({"phase": "paused"})
        heard = await receive_until(ws, status_is("paused"))
        assert [m.step for m in heard if isinstance(m, Pulse)] == [6, 7, 8]
        assert [m["request"] for m in texts(heard, "acknowledged")] == ["abc:7"]
    trainer.crash()


async def test_a_run_moved_to_the_trash_closes_its_viewers(served: ServerThread, tmp_path: Path) -> None:
    run = finished_run(tmp_path)
    async with served.watch(run.id) as ws:
        await receive_until(ws, lambda m: isinstance(m, Census))
        shutil.move(run.path, tmp_path / ".trash")
        with pytest.raises(websockets.ConnectionClosed) as caught:
            await receive_until(ws, lambda _: False)
        assert caught.value.rcvd is not None
        assert caught.value.rcvd.code == 4404


async def test_what_viewers_say_is_ignored_and_must_be_short(served: ServerThread, tmp_path: Path) -> None:
    run = make_run(RunStore(tmp_path))
    trainer = FakeTrainer(run).begin().train(3)
    async with served.watch(run.id) as ws:
        await receive_until(ws, lambda m: isinstance(m, Census))
        for said in ("hello", '{"kind": "stop"}', b"\x00" * 900):
            await ws.send(said)
        trainer.train(2)
        await receive_until(ws, pulse_at(5))
        await ws.send("x" * 1_100)
        with pytest.raises(websockets.ConnectionClosed) as caught:
            await receive_until(ws, lambda _: False)
        assert caught.value.rcvd is not None
        assert caught.value.rcvd.code == 1009
    trainer.crash()


async def test_a_foreign_page_gets_no_socket(served: ServerThread, tmp_path: Path) -> None:
    run = finished_run(tmp_path)
    for origin in ("http://evil.example", "null", f"http://127.0.0.1:{served.port + 1}"):
        with pytest.raises(websockets.InvalidStatus) as caught:
            async with served.watch(run.id, origin=origin):
                pass
        assert caught.value.response.status_code == 403
    async with served.watch(run.id, origin=f"http://127.0.0.1:{served.port}") as ws:
        await receive_until(ws, lambda m: isinstance(m, Census))


async def test_the_server_going_is_said(tmp_path: Path) -> None:
    server = ServerThread(ServerSettings(tmp_path, port=0, roles=())).start()
    run = finished_run(tmp_path)
    async with server.watch(run.id) as ws:
        await receive_until(ws, lambda m: isinstance(m, Census))
        await asyncio.to_thread(server.stop)
        with pytest.raises(websockets.ConnectionClosed) as caught:
            await receive_until(ws, lambda _: False)
        assert caught.value.rcvd is not None
        assert caught.value.rcvd.code == 1012


async def test_viewers_who_come_and_go_leave_nothing_behind(served: ServerThread, tmp_path: Path) -> None:
    run = make_run(RunStore(tmp_path))
    trainer = FakeTrainer(run).begin().train(5)
    process = psutil.Process()

    async def come_and_go(times: int) -> None:
        for number in range(times):
            async with served.watch(run.id, "pulse,layout,rows") as ws:
                if number % 3:
                    await receive_until(ws, lambda m: isinstance(m, Census))

    async def settled() -> tuple[int, int]:
        for _ in range(100):
            await asyncio.sleep(0.05)
            if not any(t.name.startswith("tail of") for t in threading.enumerate()):
                break
        return process.num_fds(), process.num_threads()

    await come_and_go(5)
    files, threads = await settled()
    await come_and_go(50)
    after = await settled()
    # Allow a few more: SQLite keeps the descriptors of a locked file for reuse, as many as were open at once.
    assert after[0] <= files + 8
    assert after[1] <= threads + 2
    trainer.crash()


async def test_merging_keeps_the_promise_about_text(served: ServerThread, tmp_path: Path) -> None:
    """A viewer that stops reading for a while gets every acknowledgement, and merged pulses without a gap."""
    run = make_run(RunStore(tmp_path))
    trainer = FakeTrainer(run).begin()
    async with served.watch(run.id, "pulse,rows", max_queue=1, close_timeout=0.2) as ws:
        heard = await receive_until(ws, lambda m: isinstance(m, Census))
        # More than all buffers on the way hold: the kernel's, the client's and the send queue's.
        for number in range(6_000):
            trainer.train_one()
            if number % 500 == 0:
                trainer.writer.add_applied(Request("abc", number + 1, 0.0, "pace", {}), 1, trainer.step)
            if number % 20 == 0:
                await asyncio.sleep(0)
        heard += await receive_until(ws, pulse_at(6_000), 20)
    trainer.crash()
    pulses = [m for m in heard if isinstance(m, Pulse)]
    assert any(p.merged for p in pulses)
    assert pulses[0].first_step == 1
    assert all(b.first_step == a.step + 1 for a, b in pairwise(pulses))
    assert sum(int(p.batch_counts.sum()) for p in pulses) == 6_000 * BATCH_TOKENS
    assert [m["request"] for m in texts(heard, "acknowledged")] == [
        f"abc:{n + 1}" for n in range(0, 6_000, 500)
    ]
    assert all(p.vocabulary == V for p in pulses)
