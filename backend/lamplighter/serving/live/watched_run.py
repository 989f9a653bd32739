"""One run that is watched: the log that feeds its viewers, the place of each in it, and the messages they share.

Every message is made once. A viewer that keeps up gets every publication; one that lags skips to the newest
state, which is also made once for all who need it, including new viewers. A stalled viewer has no queue that
could grow and delays no other viewer; it is dropped after `SEND_SECONDS`.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from typing import Protocol

import anyio
import anyio.to_thread
from starlette.websockets import WebSocket

from lamplighter.runfolder.errors import READ_ERRORS
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_name import plain_run_name
from lamplighter.serving.fanout.contract import START, Entry, Fanout
from lamplighter.serving.live.beat_log import BeatLog, State
from lamplighter.serving.live.viewer import Viewer, close_code_for, send_in_time
from lamplighter.serving.reading.run_catalog import RunCatalog
from lamplighter.serving.schemas.base import to_json_text
from lamplighter.serving.schemas.messages import HelloMessage
from lamplighter.serving.schemas.runs import without_text

AT_ONCE = 20
"""Viewers served before the event loop gets a turn: this takes two milliseconds, all 500 would take fifty."""
_HELLO_SECONDS = 1.0
"""Maximum age in seconds of the run description that a new viewer gets."""
_CHANNEL = "beats"


_PATIENCE = 2.0
"""Seconds that a message may wait before its viewer skips to the newest."""


class Beats(Protocol):
    """What publishes the beats of a run into its log, between `start` and `stop`."""

    def start(self) -> None: ...

    def stop(self) -> None: ...

    def wait_ended(self, timeout: float | None = None) -> bool: ...


class WatchedRun:
    """A run with its viewers. Belongs to the event loop."""

    def __init__(
        self,
        run: RunFolder,
        catalog: RunCatalog,
        fanout: Fanout,
        threads: anyio.CapacityLimiter,
        make_beats: Callable[[BeatLog, Callable[[int, str], None]], Beats],
    ) -> None:
        """Prepare to follow a run. `threads` make messages for joining viewers; `make_beats` gets the log, and a
        callback for a close code and a reason.
        """
        self.run = run
        self.viewers: set[Viewer] = set()
        self.skips = 0
        """Number of times a lagging viewer skipped to the newest state."""
        self.failed = False
        self._catalog = catalog
        self._threads = threads
        self._making = asyncio.Lock()
        self._hello: dict[bool, str] = {}
        self._hello_until = float("-inf")
        loop = self._loop = asyncio.get_running_loop()
        self.log = BeatLog(fanout, run.id, lambda: _call_on_loop(loop, self.wake_viewers))
        self._beats = make_beats(
            self.log, lambda code, reason: _call_on_loop(loop, lambda: self._fail(code, reason))
        )

    def start(self) -> None:
        self._beats.start()

    def stop(self) -> None:
        self.log.close()
        self._beats.stop()

    def wait_ended(self, timeout: float) -> None:
        self._beats.wait_ended(timeout)

    def wake_viewers(self) -> None:
        """Wake the viewers in groups, so that the event loop can do other work between them."""
        self._wake(list(self.viewers))

    def _wake(self, viewers: list[Viewer]) -> None:
        for viewer in viewers[:AT_ONCE]:
            viewer.news.set()
        if len(viewers) > AT_ONCE:
            self._loop.call_soon(self._wake, viewers[AT_ONCE:])

    def say_failure(self, code: int, reason: str) -> tuple[int, str]:
        """Return the close code and the reason that viewers are told."""
        return code, reason

    async def feed(self, websocket: WebSocket, viewer: Viewer, send_seconds: float) -> None:
        """Send a viewer `hello`, and then all it lacks, as fast as it reads. Raises CloseConnection if it takes more
        than `send_seconds` for a message.
        """
        try:
            hello = await self.hello(text=viewer.text)
        except (*READ_ERRORS, ValueError) as error:
            viewer.request_close(*self.say_failure(*close_code_for(error)))
            await asyncio.Event().wait()
            return
        await send_in_time(websocket, hello, send_seconds)
        while True:
            viewer.news.clear()
            if not await self._send_next(websocket, viewer, send_seconds):
                await viewer.news.wait()

    async def _send_next(self, websocket: WebSocket, viewer: Viewer, send_seconds: float) -> bool:
        if viewer.to_tell != viewer.told:
            told = viewer.to_tell
            await send_in_time(websocket, told, send_seconds)
            viewer.told = told
            return True
        waiting = self.waiting_for(viewer)
        is_late = waiting is None or (len(waiting) > 1 and time.monotonic() - waiting[0].time > _PATIENCE)
        position, state = self.log.newest_state(text=viewer.text)
        if is_late and (viewer.position is None or position > viewer.position):
            self.skips += viewer.position is not None
            data = await self.joining(state, text=viewer.text) if position != START else None
        elif waiting:
            position, data = waiting[0].seq, waiting[0].data
        else:
            return False
        if data:
            await send_in_time(websocket, data, send_seconds)
        viewer.position = position
        return True

    async def hello(self, *, text: bool) -> str:
        """Return the first message to a viewer; without `text`, it contains nothing that a person wrote. Raises
        READ_ERRORS or ValueError if the run cannot be read.
        """
        async with self._making:
            if time.monotonic() > self._hello_until:
                self._hello = await anyio.to_thread.run_sync(self._describe, limiter=self._threads)
                self._hello_until = time.monotonic() + _HELLO_SECONDS
        return self._hello[text]

    async def joining(self, state: State, *, text: bool) -> bytes:
        """Return the message with the full state for new viewers, made once for all of them."""
        async with self._making:
            made = state.made_envelope(text=text)
            if made is not None:
                return made
            return await anyio.to_thread.run_sync(lambda: state.envelope(text=text), limiter=self._threads)

    def waiting_for(self, viewer: Viewer) -> list[Entry] | None:
        """Return what was published after a viewer's position. None if it has none, or some of it is no longer
        kept.
        """
        return None if viewer.position is None else self.log.since(viewer.position, text=viewer.text)

    def lag(self, viewer: Viewer) -> float:
        """Return how many seconds a joined viewer's next message has waited; 0 if there is none."""
        if viewer.position is None:
            return 0.0
        waiting = self.waiting_for(viewer)
        if waiting is None:
            return float("inf")
        return time.monotonic() - waiting[0].time if waiting else 0.0

    def _describe(self) -> dict[bool, str]:
        details = self._catalog.read_fully(self.run)
        whole = HelloMessage(run=details, channels=[_CHANNEL])
        withheld = whole.model_copy(update={"run": without_text(details, plain_run_name(self.run))})
        return {True: to_json_text(whole), False: to_json_text(withheld)}

    def _fail(self, code: int, reason: str) -> None:
        self.failed = True
        for viewer in self.viewers:
            viewer.request_close(*self.say_failure(code, reason))


def _call_on_loop(loop: asyncio.AbstractEventLoop, call: Callable[[], None]) -> None:
    # The run follower may outlive the loop by one poll.
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(call)
