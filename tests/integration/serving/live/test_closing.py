"""How the live socket ends, and whom it refuses.

The live socket where something is missing: tables, a disk that answers.
The lines that a model says, on the live socket of a real server.
"""

from __future__ import annotations

import asyncio
import errno
import shutil
import threading
from pathlib import Path

import psutil
import pytest
import websockets

from lamplighter.runfolder.run_store import RunStore
from lamplighter.runfolder.tables.lines import SpokenLine, encode_lines
from lamplighter.runfolder.tables.requests import Request
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.serving.live import run_follower
from lamplighter.serving.reading.run_catalog import RunCatalog
from lamplighter.web.settings import ServerSettings
from lamplighter.wire.layout_frames import Layout
from lamplighter.wire.row_frames import Census
from tests.support.folders import (
    FakeTrainer,
    finished_run,
    layout,
    make_run,
    write_layouts,
)
from tests.support.served import (
    ServerThread,
    beat_at,
    receive_until,
    status_is,
    texts,
)

pytestmark = pytest.mark.anyio


async def wait_for_close(ws: websockets.ClientConnection) -> websockets.Close:
    """Wait until the server closes a socket. Returns its code and reason."""
    with pytest.raises(websockets.ConnectionClosed) as caught:
        await receive_until(ws, lambda _: False)
    assert caught.value.rcvd is not None
    return caught.value.rcvd


async def test_close_codes(served: ServerThread, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "recipe.json").write_text('{"format": 9}')
    damaged = finished_run(tmp_path)
    damaged.steps_path.write_bytes(damaged.steps_path.read_bytes()[:4096] + b"\xff" * 50_000)
    in_the_way = make_run(RunStore(tmp_path))
    in_the_way.steps_path.mkdir()
    refused = (("none", 4404), ("..", 4404), ("broken", 4409), (damaged.id, 4409), (in_the_way.id, 4409))
    for run, code in refused:
        async with served.watch(run) as ws:
            closed = await wait_for_close(ws)
            assert closed.code == code, run
            assert closed.reason


async def test_temporary_errors_close_so_that_viewers_reconnect(
    served: ServerThread, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = finished_run(tmp_path)

    def too_many(path: Path) -> StepsReader:
        if path == full.steps_path:
            raise OSError(errno.EMFILE, "too many open files")
        return StepsReader(path)

    monkeypatch.setattr(run_follower, "StepsReader", too_many)
    async with served.watch(full.id) as ws:
        assert (await wait_for_close(ws)).code == 1011


async def test_a_run_moved_to_the_trash_closes_its_viewers(served: ServerThread, tmp_path: Path) -> None:
    run = finished_run(tmp_path)
    async with served.watch(run.id) as ws:
        await receive_until(ws, lambda m: isinstance(m, Census))
        shutil.move(run.path, tmp_path / ".trash")
        assert (await wait_for_close(ws)).code == 4404


async def test_messages_of_viewers_are_ignored_and_must_be_short(
    served: ServerThread, tmp_path: Path
) -> None:
    run = make_run(RunStore(tmp_path))
    trainer = FakeTrainer(run).begin().train(3)
    async with served.watch(run.id) as ws:
        await receive_until(ws, lambda m: isinstance(m, Census))
        for said in ("hello", '{"kind": "stop"}', b"\x00" * 900):
            await ws.send(said)
        trainer.train(2)
        await receive_until(ws, beat_at(5))
        await ws.send("x" * 4_200)
        assert (await wait_for_close(ws)).code == 1009
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
        assert (await wait_for_close(ws)).code == 1012


async def test_viewers_that_come_and_go_leave_nothing_behind(served: ServerThread, tmp_path: Path) -> None:
    run = make_run(RunStore(tmp_path))
    trainer = FakeTrainer(run).begin().train(5)
    process = psutil.Process()

    async def come_and_go(times: int) -> None:
        for number in range(times):
            async with served.watch(run.id) as ws:
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


async def test_damaged_layouts_and_measures_hide_no_step(served: ServerThread, tmp_path: Path) -> None:
    run = make_run(RunStore(tmp_path))
    trainer = FakeTrainer(run).begin().train(5)
    run.layouts_path.write_bytes(b"no database at all " * 500)
    run.measures_path.write_bytes(b"no database at all " * 500)
    async with served.watch(run.id) as ws:
        heard = await receive_until(ws, lambda m: isinstance(m, Census))
        assert heard[-1].step == 5
        for number in range(6, 12):
            trainer.train(1)
            trainer.writer.add_applied(Request("abc", number, 0.0, "pause", {}), 1, number)
            heard = await receive_until(ws, lambda m: isinstance(m, dict) and m["type"] == "acknowledged")
            assert heard[-1]["step"] == number
            assert any(beat_at(number)(m) for m in heard) or await receive_until(ws, beat_at(number))
        # The layouts are made again.
        run.layouts_path.unlink()
        write_layouts(run, layout(1, 10))
        heard = await receive_until(ws, lambda m: isinstance(m, Layout))
        assert heard[-1].step == 10
    trainer.crash()


async def test_ids_read_before_a_failure_are_reported(
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
        heard += [] if any(map(beat_at(8), heard)) else await receive_until(ws, beat_at(8))
        assert [m["request"] for m in texts(heard, "acknowledged")] == ["abc:7"]
    trainer.crash()


async def test_a_viewer_reads_along(served: ServerThread, tmp_path: Path) -> None:
    run = make_run(RunStore(tmp_path))
    text = encode_lines([SpokenLine((1, 2), (3,), (0.5,), False)])
    async with served.watch(run.id) as ws:
        await receive_until(ws, lambda message: is_text(message, "hello"))
        trainer = FakeTrainer(run).begin()
        trainer.writer.add_lines(0, text)
        first = (await receive_until(ws, lambda message: is_text(message, "lines")))[-1]
        assert first == {
            "type": "lines",
            "step": 0,
            "attempt": 1,
            "lines": [{"prompt": [1, 2], "words": [3], "probabilities": [0.5], "sampled": False}],
        }
        trainer.train(2)
        trainer.writer.add_lines(2, text)
        assert (await receive_until(ws, lambda message: is_text(message, "lines")))[-1]["step"] == 2
    trainer.crash()


def is_text(message: object, kind: str) -> bool:
    return isinstance(message, dict) and message.get("type") == kind
