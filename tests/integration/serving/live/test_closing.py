"""How the live socket ends, and whom it refuses."""

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
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.serving.live import run_follower
from lamplighter.web.settings import ServerSettings
from lamplighter.wire.row_frames import Census
from tests.support.folders import (
    FakeTrainer,
    finished_run,
    make_run,
)
from tests.support.served import (
    ServerThread,
    pulse_at,
    receive_until,
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
        await receive_until(ws, pulse_at(5))
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
