"""The viewers of every run.

Each watched run has a follower; each viewer has a send queue and a sender task. Programs are no viewers: they pull
(`routes/frames.py`).

A slow viewer delays only its own sender. A viewer that reads nothing for `SEND_SECONDS` is dropped together
with its connection, because a peer that does not read can hold a half-closed socket for ever.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Generator, Mapping

import anyio
import anyio.to_thread
from starlette.websockets import WebSocket

from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_store import NoSuchRunError
from lamplighter.serving.live.run_follower import RunFollower
from lamplighter.serving.live.send_queue import BeatQueue, SendQueue, ViewerMessage
from lamplighter.serving.live.viewer import (
    CLOSE_CANNOT_BE_SHOWN,
    CLOSE_NO_SUCH_RUN,
    SEND_SECONDS,
    QueryError,
    Viewer,
    parse_channels,
    parse_interval,
    run_socket,
    send_in_time,
)
from lamplighter.serving.reading.run_catalog import RunCatalog

_JOINING = 2
"""Maximum concurrent look-ups of viewers' runs, in separate threads."""


class _WatchedRun:
    """One watched run: its follower and its viewers."""

    def __init__(self, run: RunFolder, catalog: RunCatalog, loop: asyncio.AbstractEventLoop) -> None:
        self.viewers: set[Viewer] = set()
        self.failed = False
        self.follower: RunFollower[Viewer] = RunFollower(
            run,
            catalog,
            on_messages=lambda messages: _call_on_loop(loop, lambda: self._deliver(messages)),
            on_joined=lambda viewer, messages: _call_on_loop(loop, lambda: self._joined(viewer, messages)),
            on_failed=lambda code, reason: _call_on_loop(loop, lambda: self._fail(code, reason)),
        )

    def _deliver(self, messages: list[ViewerMessage]) -> None:
        for viewer in self.viewers:
            if viewer.joined:
                viewer.enqueue(messages)

    def _joined(self, viewer: Viewer, messages: list[ViewerMessage]) -> None:
        viewer.joined = True
        viewer.enqueue(messages)

    def _fail(self, code: int, reason: str) -> None:
        self.failed = True
        for viewer in self.viewers:
            viewer.request_close(code, reason)


class Hub:
    """The watched runs of a server. Belongs to one event loop."""

    def __init__(self, catalog: RunCatalog) -> None:
        self._catalog = catalog
        self._send_seconds = SEND_SECONDS
        self._watched_runs: dict[str, _WatchedRun] = {}
        self._joining = anyio.CapacityLimiter(_JOINING)

    async def serve(self, websocket: WebSocket, run_id: str, query: Mapping[str, str]) -> None:
        """Serve one viewer until it disconnects or is closed. `query`: the parameters `channels` and `interval`."""
        await websocket.accept()
        channels = parse_channels(query)
        try:
            interval = parse_interval(query, channels)
        except QueryError as error:
            await websocket.close(CLOSE_CANNOT_BE_SHOWN, str(error))
            return
        try:
            run = await anyio.to_thread.run_sync(self._catalog.find_run, run_id, limiter=self._joining)
        except NoSuchRunError as error:
            await websocket.close(CLOSE_NO_SUCH_RUN, str(error))
            return
        viewer = Viewer(channels, SendQueue(beats=None if interval is None else BeatQueue(interval)))
        with self._watch(run, viewer) as watched_run:
            watched_run.follower.join(viewer, viewer.channels)
            await run_socket(
                websocket,
                viewer.ended,
                sending=self._send(websocket, viewer),
                listening=_wait_for_disconnect(websocket),
            )

    async def close(self) -> None:
        """Stop every run follower, and wait up to 2 s for each to close its files."""
        followers = [watched_run.follower for watched_run in self._watched_runs.values()]
        for watched_run in self._watched_runs.values():
            watched_run.follower.stop()
            for viewer in watched_run.viewers:
                viewer.request_close(1012, "the server is going")
        for follower in followers:
            await anyio.to_thread.run_sync(follower.wait_ended, 2.0)

    @contextlib.contextmanager
    def _watch(self, run: RunFolder, viewer: Viewer) -> Generator[_WatchedRun]:
        """Register a viewer with a run; when the last viewer leaves, the run's follower stops."""
        watched_run = self._watched_runs.get(run.id)
        if watched_run is None or watched_run.failed:
            watched_run = _WatchedRun(run, self._catalog, asyncio.get_running_loop())
            self._watched_runs[run.id] = watched_run
            watched_run.follower.start()
        watched_run.viewers.add(viewer)
        try:
            yield watched_run
        finally:
            watched_run.viewers.discard(viewer)
            if not watched_run.viewers:
                watched_run.follower.stop()
                if self._watched_runs.get(run.id) is watched_run:
                    del self._watched_runs[run.id]

    async def _send(self, websocket: WebSocket, viewer: Viewer) -> None:
        while True:
            await send_in_time(websocket, await viewer.queue.get(), self._send_seconds)


async def _wait_for_disconnect(websocket: WebSocket) -> None:
    """Wait until the viewer disconnects. Its messages are ignored."""
    while True:
        message = await websocket.receive()
        if message["type"] == "websocket.disconnect":
            return


def _call_on_loop(loop: asyncio.AbstractEventLoop, call: Callable[[], None]) -> None:
    # The run follower may outlive the loop by one poll.
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(call)
