"""The guard that the tests of the server run under: it must find what it is there for."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from lamplighter.runfolder.sqlite.database import open_writer
from tests.support.machine.disk_accesses import LoopGuard


def query(path: Path) -> None:
    open_writer(path / "x.sqlite", "CREATE TABLE t(x);").close()


@pytest.mark.parametrize(
    ("use", "kind"),
    [
        (lambda path: (path / "x").write_text("x"), "open"),
        (lambda path: path.exists(), "stat"),
        (os.lstat, "lstat"),
        (lambda path: list(path.iterdir()), "os.listdir"),
        (lambda path: list(os.scandir(path)), "os.scandir"),
        (lambda path: (path / "sub").mkdir(), "os.mkdir"),
        (query, "sqlite"),
    ],
)
async def test_a_use_of_the_disk_on_the_loop_is_found(
    tmp_path: Path, use: Callable[[Path], object], kind: str
) -> None:
    async def careless() -> None:
        await asyncio.sleep(0)
        use(tmp_path)

    guard = LoopGuard()
    await guard.call(careless())
    assert any(found.startswith(f"{kind} {tmp_path}") for found in guard.found), guard.found
    with pytest.raises(AssertionError, match="on the event loop"):
        guard.check()


async def test_a_thread_may_use_the_disk_and_so_may_the_test_itself(tmp_path: Path) -> None:
    async def careful() -> str:
        asyncio.get_running_loop().call_soon((tmp_path / "x").write_text, "x")
        return await asyncio.to_thread((Path(__file__)).read_text)

    guard = LoopGuard()
    assert "careful" in await guard.call(careful())
    assert (tmp_path / "x").read_text() == "x"
    guard.check()


async def test_a_cancelled_call_is_cancelled() -> None:
    ended: list[str] = []

    async def wait() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            ended.append("ended")

    task = asyncio.create_task(LoopGuard().call(wait()))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended == ["ended"]
