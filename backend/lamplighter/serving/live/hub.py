"""The pages of a server's presenter: each watched run has one log, and a viewer is a position in it."""

from __future__ import annotations

import contextlib
from collections.abc import Generator

import anyio
import anyio.to_thread
from starlette.websockets import WebSocket

from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_store import NoSuchRunError
from lamplighter.serving.live.folder_beats import PRESENTER
from lamplighter.serving.live.viewer import CLOSE_NO_SUCH_RUN, SEND_SECONDS, Viewer, run_socket
from lamplighter.serving.live.watched_run import WatchedRun
from lamplighter.serving.reading.run_catalog import RunCatalog

_THREADS = 2
"""Maximum concurrent look-ups of runs and messages for joining viewers."""


class Hub:
    """The watched runs of a server. Belongs to one event loop."""

    def __init__(self, catalog: RunCatalog) -> None:
        self._catalog = catalog
        self._send_seconds = SEND_SECONDS
        self._watched: dict[str, WatchedRun] = {}
        self._threads = anyio.CapacityLimiter(_THREADS)

    async def serve(self, websocket: WebSocket, run_id: str) -> None:
        """Serve one viewer until it disconnects or is closed."""
        await websocket.accept()
        try:
            run = await anyio.to_thread.run_sync(self._catalog.find_run, run_id, limiter=self._threads)
        except NoSuchRunError as error:
            await websocket.close(CLOSE_NO_SUCH_RUN, str(error))
            return
        viewer = Viewer(text=True)
        with self._watch(run, viewer) as watched:
            await run_socket(
                websocket,
                viewer.ended,
                sending=watched.feed(websocket, viewer, self._send_seconds),
                listening=_wait_for_disconnect(websocket),
            )

    async def close(self) -> None:
        """Close every socket, and wait up to 2 s for each run's files to close."""
        ending = list(self._watched.values())
        for watched in ending:
            watched.stop()
            for viewer in watched.viewers:
                viewer.request_close(1012, "the server is going")
        for watched in ending:
            await anyio.to_thread.run_sync(watched.wait_ended, 2.0)

    @contextlib.contextmanager
    def _watch(self, run: RunFolder, viewer: Viewer) -> Generator[WatchedRun]:
        """Register a viewer with a run; when the last viewer leaves, the run is no longer followed."""
        watched = self._watched.get(run.id)
        if watched is None or watched.failed:
            watched = WatchedRun(run, self._catalog, self._threads, PRESENTER)
            self._watched[run.id] = watched
            watched.start()
        watched.viewers.add(viewer)
        try:
            yield watched
        finally:
            watched.viewers.discard(viewer)
            if not watched.viewers:
                watched.stop()
                if self._watched.get(run.id) is watched:
                    del self._watched[run.id]


async def _wait_for_disconnect(websocket: WebSocket) -> None:
    """Wait until the viewer disconnects. Its messages are ignored."""
    while True:
        message = await websocket.receive()
        if message["type"] == "websocket.disconnect":
            return
