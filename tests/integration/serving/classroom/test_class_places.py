"""Which sockets and runs a class has places for: a real server and sockets."""

from __future__ import annotations

import asyncio
import errno
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import Any

import pytest

from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_store import RunStore
from lamplighter.serving.classroom import classroom as classroom_module
from lamplighter.serving.classroom.beats.class_hub import MAX_SOCKETS, ClassHub
from lamplighter.serving.live.watched_run import WatchedRun
from tests.integration.serving.classroom.viewers import (
    ClassViewer,
    closed_with,
    reaches,
)
from tests.support.beat_page import BeatPage
from tests.support.folders import FakeTrainer, make_run
from tests.support.served import ServerThread

pytestmark = pytest.mark.anyio


async def test_one_viewer_has_a_few_sockets_and_no_more(server: ServerThread, trainer: FakeTrainer):
    viewer = ClassViewer(server)
    async with viewer.watch(trainer.run.id) as oldest:
        # A socket counts from when it is sent the run, which on a busy machine is later than when it was opened.
        await viewer.receive_until(oldest, reaches(5))
        sockets = [viewer.watch(trainer.run.id) for _ in range(MAX_SOCKETS)]
        for one in sockets:
            await viewer.receive_until(await one.__aenter__(), reaches(5))
        assert (await closed_with(oldest))[0] == 1008
        for one in sockets:
            await one.__aexit__(None, None, None)


def greeted(page: BeatPage) -> bool:
    return "class" in page.kinds()


async def test_a_class_watches_the_presenters_run_and_the_newest_others(
    server: ServerThread, folder: Path, hub: ClassHub
):
    hub.max_runs = 2
    store = RunStore(folder)
    runs = [make_run(store) for _ in range(4)]
    presented, old, new, newest = sorted(runs, key=lambda run: run.created)
    classroom = server.services.classroom
    classroom.show_view(f"run={presented.id}&step=3")
    # Where the presenter looks counts only while the class is led there.
    assert classroom.presented_run is None
    classroom.following = True
    viewer = ClassViewer(server)
    async with viewer.watch(presented.id) as first:
        await viewer.receive_until(first, greeted)
        async with viewer.watch(new.id) as second:
            await viewer.receive_until(second, greeted)
            async with viewer.watch(old.id) as third:
                assert (await closed_with(third))[0] == 1008
            async with viewer.watch(newest.id) as fourth:
                await viewer.receive_until(fourth, greeted)
                assert (await closed_with(second))[0] == 1008
                assert server.services.class_hub.watched_runs() == {presented.id, newest.id}
        await first.ping()
    classroom.following = False


async def test_one_session_throws_no_two_off_their_run_and_a_burst_watches_no_more_runs(
    server: ServerThread, folder: Path, hub: ClassHub, monkeypatch: pytest.MonkeyPatch
):
    hub.max_runs = 2
    store = RunStore(folder)
    old, *newer = sorted((make_run(store) for _ in range(5)), key=lambda run: run.created)
    most = 0
    start = WatchedRun.__init__

    def count_runs(self: WatchedRun, *args: Any) -> None:
        nonlocal most
        start(self, *args)
        most = max(most, len(hub.watched_runs()) + 1)

    one, other, greedy = (ClassViewer(server) for _ in range(3))
    async with one.watch(old.id) as first, other.watch(old.id) as second, AsyncExitStack() as burst:
        for viewer, ws in ((one, first), (other, second)):
            await viewer.receive_until(ws, greeted)
        monkeypatch.setattr(WatchedRun, "__init__", count_runs)
        sockets = await asyncio.gather(*(burst.enter_async_context(greedy.watch(run.id)) for run in newer))
        for ws in sockets:
            with suppress(TimeoutError):
                await closed_with(ws, 0.3)
        assert (most, old.id in hub.watched_runs()) == (2, True)
        await first.ping()


async def test_a_viewer_without_a_place_does_not_end_another_run(
    server: ServerThread, folder: Path, hub: ClassHub, monkeypatch: pytest.MonkeyPatch
):
    hub.max_runs = 1
    store = RunStore(folder)
    old, new = sorted((make_run(store) for _ in range(2)), key=lambda run: run.created)
    viewer, late = ClassViewer(server), ClassViewer(server)
    async with viewer.watch(old.id) as first:
        await viewer.receive_until(first, greeted)
        monkeypatch.setattr(server.services.classroom._sessions, "most", 1)
        async with late.watch(new.id) as second:
            assert await closed_with(second) == (4403, "the class is full")
        with pytest.raises(TimeoutError):
            await closed_with(first, 0.3)
        assert (hub.watched_runs(), hub.counts()[0]) == ({old.id}, 1)


async def test_a_temporarily_unreadable_run_does_not_count_as_a_users(
    server: ServerThread, trainer: FakeTrainer, monkeypatch: pytest.MonkeyPatch
):
    viewer = ClassViewer(server)

    def fail(run: RunFolder) -> bool:
        raise OSError(errno.EMFILE, "too many open files")

    with monkeypatch.context() as crowded:
        crowded.setattr(classroom_module, "is_our_text", fail)
        async with viewer.watch(trainer.run.id) as ws:
            # The page tries again.
            assert (await closed_with(ws))[0] == 1011
    async with viewer.watch(trainer.run.id) as ws:
        await viewer.receive_until(ws, greeted)
    assert viewer.told()["text"] is True
