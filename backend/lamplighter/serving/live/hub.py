"""The viewers of every run.

Each watched run has a follower; each viewer has a send queue and a sender task. A viewer replaying the past
gets a playback session, and from the run follower only `hello`, status and acknowledgements.

A slow viewer delays only its own sender. A viewer that reads nothing for `SEND_SECONDS` is dropped together
with its connection, because a peer that does not read can hold a half-closed socket for ever.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine, Generator, Mapping

import anyio
import anyio.to_thread
from starlette.websockets import WebSocket

from lamplighter.runfolder.errors import READ_ERRORS
from lamplighter.runfolder.reading.playback import NoSuchStepError, PlaybackCursor
from lamplighter.runfolder.reading.shared_timeline import SharedTimelines
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_store import NoSuchRunError
from lamplighter.serving.live.playback_session import (
    CLOSE_CANNOT_BE_PLAYED,
    PlaybackRequestError,
    PlaybackSession,
    close_code_for,
    parse_interval,
    parse_playback_request,
)
from lamplighter.serving.live.run_follower import RunFollower
from lamplighter.serving.live.send_queue import OF_THE_PRESENT, BeatQueue, SendQueue, ViewerMessage
from lamplighter.serving.live.viewer import (
    CLOSE_NO_SUCH_RUN,
    SEND_SECONDS,
    Viewer,
    parse_channels,
    run_socket,
    send_in_time,
)
from lamplighter.serving.reading.run_catalog import RunCatalog

log = logging.getLogger(__name__)


_JOINING = 2
"""Maximum concurrent look-ups of viewers' runs, in separate threads."""
_READERS = 2
"""Maximum playback sessions that read run files at once."""


class _WatchedRun:
    """One watched run: its follower and its viewers."""

    def __init__(self, run: RunFolder, catalog: RunCatalog, loop: asyncio.AbstractEventLoop) -> None:
        self.viewers: set[Viewer] = set()
        self.failed = False
        self.timelines = SharedTimelines()
        self.follower: RunFollower[Viewer] = RunFollower(
            run,
            catalog,
            on_messages=lambda messages: _call_on_loop(loop, lambda: self._deliver(messages)),
            on_joined=lambda viewer, messages: _call_on_loop(loop, lambda: self._joined(viewer, messages)),
            on_failed=lambda code, reason: _call_on_loop(loop, lambda: self._fail(code, reason)),
        )

    def _deliver(self, messages: list[ViewerMessage]) -> None:
        for viewer in self.viewers:
            if viewer.joined and viewer.playing:
                viewer.enqueue([m for m in messages if m.kind in OF_THE_PRESENT])
            elif viewer.joined:
                viewer.enqueue(messages)

    def _joined(self, viewer: Viewer, messages: list[ViewerMessage] | None) -> None:
        viewer.joined = True
        if viewer.first_live_messages is not None and messages is not None:
            viewer.playing = False
            viewer.enqueue(viewer.first_live_messages)
        viewer.enqueue(messages or [])
        if viewer.join_answer is not None and not viewer.join_answer.done():
            viewer.join_answer.set_result(messages is not None)

    async def send_hello(self, viewer: Viewer) -> None:
        """Send `hello` to a viewer that is about to replay the past."""
        viewer.playing = True
        viewer.join_answer = asyncio.get_running_loop().create_future()
        self.follower.send_hello(viewer, viewer.channels)
        await viewer.join_answer

    async def join(self, viewer: Viewer, cursor: PlaybackCursor, messages: list[ViewerMessage]) -> bool:
        """Switch a viewer that was played up to `cursor` to live, after the given messages. Returns False if more
        must be played first.
        """
        viewer.first_live_messages = messages
        viewer.join_answer = asyncio.get_running_loop().create_future()
        self.follower.join(viewer, viewer.channels, cursor=cursor)
        return await viewer.join_answer

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
        self._readers = anyio.CapacityLimiter(_READERS)
        self.playing = 0
        """Number of viewers in playback."""

    async def serve(self, websocket: WebSocket, run_id: str, query: Mapping[str, str]) -> None:
        """Serve one viewer until it disconnects or is closed. `query`: the parameters `channels`, `interval`,
        `from`, `to`, `speed`, `set`.
        """
        await websocket.accept()
        channels = parse_channels(query)
        try:
            request = parse_playback_request(query)
            interval = parse_interval(query, channels)
        except PlaybackRequestError as error:
            await websocket.close(CLOSE_CANNOT_BE_PLAYED, str(error))
            return
        try:
            run = await anyio.to_thread.run_sync(self._catalog.find_run, run_id, limiter=self._joining)
        except NoSuchRunError as error:
            await websocket.close(CLOSE_NO_SUCH_RUN, str(error))
            return
        viewer = Viewer(channels, SendQueue(beats=None if interval is None else BeatQueue(interval)))
        with self._watch(run, viewer) as watched_run:
            if request is None:
                watched_run.follower.join(viewer, viewer.channels)
                await self._serve_viewer(websocket, viewer)
                return
            session = PlaybackSession(
                run,
                viewer.channels,
                request,
                enqueue=viewer.enqueue,
                wait_for_room=viewer.wait_for_room,
                join=lambda cursor, messages: watched_run.join(viewer, cursor, messages),
                readers=self._readers,
                shared=watched_run.timelines,
            )
            await self._serve_viewer(websocket, viewer, self._play(watched_run, viewer, session))

    async def close(self) -> None:
        """Stop every run follower, and wait up to 2 s for each to close its files."""
        followers = [watched_run.follower for watched_run in self._watched_runs.values()]
        for watched_run in self._watched_runs.values():
            watched_run.follower.stop()
            for viewer in watched_run.viewers:
                viewer.request_close(1012, "the server is going")
        for follower in followers:
            await anyio.to_thread.run_sync(follower.wait_ended, 2.0)

    async def _play(self, watched_run: _WatchedRun, viewer: Viewer, session: PlaybackSession) -> None:
        await watched_run.send_hello(viewer)
        self.playing += 1
        try:
            await session.play()
        except (*READ_ERRORS, NoSuchStepError, ValueError) as error:
            viewer.request_close(*close_code_for(error))
        except Exception:
            log.exception("playing to a viewer")
            viewer.request_close(1011, "an error in the server")
        finally:
            self.playing -= 1

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

    async def _serve_viewer(
        self, websocket: WebSocket, viewer: Viewer, playing: Coroutine[object, object, None] | None = None
    ) -> None:
        await run_socket(
            websocket,
            viewer.ended,
            sending=self._send(websocket, viewer),
            listening=_wait_for_disconnect(websocket),
            playing=playing,
        )

    async def _send(self, websocket: WebSocket, viewer: Viewer) -> None:
        while True:
            data = await viewer.queue.get()
            viewer.dequeued.set()
            await send_in_time(websocket, data, self._send_seconds)


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
