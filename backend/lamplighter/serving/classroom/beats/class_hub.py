"""The viewers of a class.

Each watched run has one log; a viewer is a position in it, and a task that sends from there (`live/watched_run.py`).
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Generator
from dataclasses import dataclass
from functools import partial

import anyio
import anyio.to_thread
from pydantic import ValidationError
from starlette.websockets import WebSocket

from lamplighter.contract.sentences import say
from lamplighter.runfolder.errors import READ_ERRORS
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_store import NoSuchRunError
from lamplighter.serving.classroom.classroom import Classroom
from lamplighter.serving.classroom.relaying.owner import RELAY_EXTENSION, RelayLine
from lamplighter.serving.classroom.viewer_sessions import ViewerSession
from lamplighter.serving.live.folder_beats import CLASS
from lamplighter.serving.live.log_viewers import AT_ONCE
from lamplighter.serving.live.viewer import (
    CLOSE_NO_SUCH_RUN,
    CLOSE_UNREADABLE,
    SEND_SECONDS,
    Viewer,
    close_code_for,
    run_socket,
)
from lamplighter.serving.live.watched_run import WatchedRun
from lamplighter.serving.reading.run_catalog import RunCatalog
from lamplighter.serving.reading.run_problems import UNREADABLE
from lamplighter.serving.schemas.base import to_json_text
from lamplighter.serving.schemas.classroom import PredictionMessage

CLOSE_ENDED, CLOSE_TOO_MANY = 4403, 1008
_OTHER_RUNS = "this class watches as many runs as it may at a time"
MAX_SOCKETS = 4
"""Maximum sockets per session; another one replaces the oldest."""
MAX_RUNS = 16
"""Maximum runs that a class watches at a time, because each is followed by a thread. The presenter's run has
priority, then those with the most viewers, then the newest.
"""
_THREADS = 2
"""Maximum concurrent look-ups of runs and messages for joining viewers."""
_BEHIND_SECONDS = 1.0
"""Seconds after which a viewer counts as behind."""
_TELL_SECONDS = 0.25
"""Minimum seconds between two class messages."""


@dataclass(frozen=True)
class FoundRun:
    """A run, with facts that a thread has read, so that the event loop does not."""

    run: RunFolder
    created: float
    """Creation time in Unix seconds."""
    ours: bool
    """True if its text comes with the program."""


class ClassRun(WatchedRun):
    """A run that a class watches."""

    def __init__(self, found: FoundRun, catalog: RunCatalog, threads: anyio.CapacityLimiter) -> None:
        super().__init__(found.run, catalog, threads, CLASS)
        self.found = found

    def say_failure(self, code: int, reason: str) -> tuple[int, str]:
        return _say_to_class(code, reason)


class ClassHub:
    """The viewers of a server's class. Belongs to one event loop."""

    def __init__(self, catalog: RunCatalog, classroom: Classroom) -> None:
        self._catalog = catalog
        self._classroom = classroom
        self._send_seconds = SEND_SECONDS
        self.max_runs = MAX_RUNS
        """Maximum runs that the class watches at a time."""
        self._threads = anyio.CapacityLimiter(_THREADS)
        self._watched: dict[str, ClassRun] = {}
        self._sessions: dict[str, list[Viewer]] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._told_at = float("-inf")
        self._telling: asyncio.Task[None] | None = None
        self._change_noted = False
        classroom.on_change(self._note_change)

    async def serve(self, websocket: WebSocket, run_id: str, session: ViewerSession) -> None:
        """Serve one viewer until it disconnects or is closed."""
        self._loop = asyncio.get_running_loop()
        await websocket.accept()
        try:
            found = await anyio.to_thread.run_sync(self._find_run, run_id, limiter=self._threads)
        except NoSuchRunError as error:
            await websocket.close(CLOSE_NO_SUCH_RUN, str(error))
            return
        except (*READ_ERRORS, ValueError) as error:
            await websocket.close(*_say_to_class(*close_code_for(error)))
            return
        if not self._classroom.open_socket(session.id):
            await websocket.close(CLOSE_ENDED, "the class is full")
            return
        viewer = Viewer(session.id)
        try:
            if not self._make_room(found):
                await websocket.close(CLOSE_TOO_MANY, _OTHER_RUNS)
                return
            with self._watch(found, viewer) as watched:
                self._tell(watched, viewer, {})
                relay: RelayLine | None = websocket.scope.get("extensions", {}).get(RELAY_EXTENSION)
                feed = watched.feed if relay is None else partial(relay.feed, watched)
                await run_socket(
                    websocket,
                    viewer.ended,
                    sending=feed(websocket, viewer, self._send_seconds),
                    listening=self._listen(websocket, viewer),
                )
        finally:
            self._classroom.close_socket(session.id)

    def counts(self) -> tuple[int, int]:
        """Return how many sessions have an open socket, and how many of these are more than a second behind.

        This method and the next three are thread-safe.
        """
        behind = {
            viewer.session_id
            for watched in list(self._watched.values())
            for viewer in list(watched.viewers)
            if viewer.session_id and watched.lag(viewer) > _BEHIND_SECONDS
        }
        return len(self._sessions), len(behind)

    def connected_ids(self) -> set[str]:
        return set(self._sessions)

    def watched_runs(self) -> set[str]:
        return set(self._watched)

    async def close(self) -> None:
        """Close every socket, and wait up to 2 s for each run's files to close."""
        if self._telling is not None:
            self._telling.cancel()
        ending = list(self._watched.values())
        for watched in ending:
            watched.stop()
            for viewer in watched.viewers:
                viewer.request_close(1012, "the server is going")
        for watched in ending:
            await anyio.to_thread.run_sync(watched.wait_ended, 2.0)

    def _find_run(self, run_id: str) -> FoundRun:
        run = self._catalog.find_run(run_id)
        try:
            return FoundRun(run, run.created, self._classroom.read_ours(run))
        except FileNotFoundError:
            raise NoSuchRunError(say("run_moved", run=run.id)) from None

    def _make_room(self, found: FoundRun) -> bool:
        """Return whether the class may watch a run, if necessary in place of a lower-priority run."""
        if found.run.id in self._watched or len(self._watched) < self.max_runs:
            return True
        presented = self._classroom.presented_run

        def rank(one: FoundRun, sessions: int) -> tuple[bool, int, float]:
            return one.run.id == presented, sessions, one.created

        # A session with several sockets must not displace a run that the class watches.
        ranks = {
            run_id: rank(watched.found, len({viewer.session_id for viewer in watched.viewers} - {""}))
            for run_id, watched in self._watched.items()
        }
        least = min(ranks, key=lambda run_id: ranks[run_id])
        if rank(found, 1) <= ranks[least]:
            return False
        # Before its viewers have left: the next one may arrive earlier.
        watched = self._watched.pop(least)
        watched.stop()
        for viewer in watched.viewers:
            viewer.request_close(CLOSE_TOO_MANY, _OTHER_RUNS)
        return True

    @contextlib.contextmanager
    def _watch(self, found: FoundRun, viewer: Viewer) -> Generator[ClassRun]:
        """Register a viewer with a run; when the last viewer leaves, the run is no longer followed."""
        run = found.run
        watched = self._watched.get(run.id)
        if watched is None or watched.failed:
            watched = ClassRun(found, self._catalog, self._threads)
            self._watched[run.id] = watched
            watched.start()
        watched.viewers.add(viewer)
        sockets = self._sessions.setdefault(viewer.session_id, [])
        sockets.append(viewer)
        for oldest in sockets[:-MAX_SOCKETS]:
            oldest.request_close(CLOSE_TOO_MANY, "this viewer has opened too many pages")
        try:
            yield watched
        finally:
            watched.viewers.discard(viewer)
            sockets.remove(viewer)
            if not sockets and self._sessions.get(viewer.session_id) is sockets:
                del self._sessions[viewer.session_id]
            if not watched.viewers:
                watched.stop()
                if self._watched.get(run.id) is watched:
                    del self._watched[run.id]

    async def _listen(self, websocket: WebSocket, viewer: Viewer) -> None:
        """Read a viewer's messages until it leaves. Anything but a prediction is ignored."""
        while True:
            message = await websocket.receive()
            if message["type"] == "websocket.disconnect":
                return
            try:
                prediction = PredictionMessage.model_validate_json(message.get("text") or "")
            except ValidationError:
                continue
            self._classroom.predict(viewer.session_id, prediction)

    def _note_change(self) -> None:
        """Note a change of the class. Called on any thread, at any rate."""
        loop = self._loop
        if loop is None or self._change_noted:
            return
        self._change_noted = True
        # The event loop may have ended before the class.
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(self._take_change)

    def _take_change(self) -> None:
        self._change_noted = False
        for session_id, sockets in self._sessions.items():
            if self._classroom.session(session_id) is None:
                for viewer in sockets:
                    viewer.request_close(CLOSE_ENDED, "this session was ended")
        if self._telling is None:
            self._telling = asyncio.create_task(self._tell_all())

    async def _tell_all(self) -> None:
        """Give every viewer its class message, or schedule it if the last one was too recent."""
        loop = asyncio.get_running_loop()
        await asyncio.sleep(max(0.0, self._told_at + _TELL_SECONDS - loop.time()))
        # Later changes need another message.
        self._told_at, self._telling = loop.time(), None
        for watched in list(self._watched.values()):
            viewers = list(watched.viewers)
            for start in range(0, len(viewers), AT_ONCE):
                texts: dict[object, str] = {}
                for viewer in viewers[start : start + AT_ONCE]:
                    self._tell(watched, viewer, texts)
                await asyncio.sleep(0)

    def _tell(self, watched: ClassRun, viewer: Viewer, texts: dict[object, str]) -> None:
        """Give a viewer its class message. A relay learns only whether it may have the text. `texts` caches messages by
        what differs between viewers.
        """
        text = self._classroom.is_text_given(watched.run.id, ours=watched.found.ours)
        if not viewer.session_id:
            viewer.text = text
            viewer.news.set()
            return
        message = self._classroom.message_for(viewer.session_id, text=text)
        if message is None:
            viewer.request_close(CLOSE_ENDED, "this session was ended")
            return
        key = (message.role, message.answer, message.written)
        if key not in texts:
            texts[key] = to_json_text(message)
        viewer.text, viewer.to_tell = message.text, texts[key]
        viewer.news.set()


def _say_to_class(code: int, reason: str) -> tuple[int, str]:
    """Return the class's close code and reason for those of the presenter."""
    return code, UNREADABLE if code == CLOSE_UNREADABLE else reason
