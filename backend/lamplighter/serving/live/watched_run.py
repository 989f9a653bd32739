"""One run that is watched: the log that feeds its viewers, and the messages they share.

Every message is made once, and so is the newest state for all who need it: new viewers, and those that lag.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable

import anyio
import anyio.to_thread
from starlette.websockets import WebSocket

from lamplighter.runfolder.errors import READ_ERRORS
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_name import plain_run_name
from lamplighter.serving.live.beat_log import BeatLog
from lamplighter.serving.live.channel_log import START, Entry, Sequence
from lamplighter.serving.live.folder_beats import Audience, FolderBeats
from lamplighter.serving.live.log_viewers import LogViewers
from lamplighter.serving.live.viewer import Viewer, close_code_for, send_in_time
from lamplighter.serving.reading.run_catalog import RunCatalog
from lamplighter.serving.schemas.base import to_json_text
from lamplighter.serving.schemas.messages import HelloMessage
from lamplighter.serving.schemas.runs import without_text

_HELLO_SECONDS = 1.0
"""Maximum age in seconds of the run description that a new viewer gets."""
_CHANNEL = "beats"


class WatchedRun(LogViewers):
    """A run with its viewers. Belongs to the event loop."""

    def __init__(
        self,
        run: RunFolder,
        catalog: RunCatalog,
        threads: anyio.CapacityLimiter,
        audience: Audience,
    ) -> None:
        """Prepare to follow a run. `threads` make messages for joining viewers."""
        super().__init__()
        self.run = run
        self.failed = False
        self._catalog = catalog
        self._threads = threads
        self._making = asyncio.Lock()
        self._hello: dict[bool, str] = {}
        self._hello_until = float("-inf")
        self.log = BeatLog(lambda: self._call_on_loop(self.wake_viewers))
        self._beats = FolderBeats(
            run,
            catalog,
            self.log,
            lambda code, reason: self._call_on_loop(lambda: self._fail(code, reason)),
            audience=audience,
        )

    def start(self) -> None:
        self._beats.start()

    def stop(self) -> None:
        self.log.close()
        self._beats.stop()

    def wait_ended(self, timeout: float) -> None:
        self._beats.wait_ended(timeout)

    def say_failure(self, code: int, reason: str) -> tuple[int, str]:
        """Return the close code and the reason that viewers are told."""
        return code, reason

    async def feed(self, websocket: WebSocket, viewer: Viewer, send_seconds: float) -> None:
        """Send a viewer `hello`, and then all it lacks, as fast as it reads. Raises CloseConnection if it takes more
        than `send_seconds` for a message.
        """
        await self.greet(websocket, viewer, send_seconds)
        await self.feed_log(websocket, viewer, send_seconds)

    async def greet(self, websocket: WebSocket, viewer: Viewer, send_seconds: float) -> None:
        """Send a viewer `hello`; if the run cannot be read, close it instead, and do not return."""
        try:
            hello = await self.hello(text=viewer.text)
        except (*READ_ERRORS, ValueError) as error:
            viewer.request_close(*self.say_failure(*close_code_for(error)))
            await asyncio.Event().wait()
            return
        await send_in_time(websocket, hello, send_seconds)

    async def hello(self, *, text: bool) -> str:
        """Return the first message to a viewer; without `text`, it contains nothing that a person wrote. Raises
        READ_ERRORS or ValueError if the run cannot be read.
        """
        async with self._making:
            if time.monotonic() > self._hello_until:
                self._hello = await anyio.to_thread.run_sync(self._describe, limiter=self._threads)
                self._hello_until = time.monotonic() + _HELLO_SECONDS
        return self._hello[text]

    def entries_after(self, position: Sequence, *, text: bool) -> list[Entry] | None:
        return self.log.since(position, text=text)

    async def state_after(self, viewer: Viewer) -> tuple[Sequence, bytes | None] | None:
        """Return as the base class says. The message is made once for all who need it."""
        position, state = self.log.newest_state()
        if viewer.position is not None and position <= viewer.position:
            return None
        if position == START:
            return position, None
        text = viewer.text
        async with self._making:
            made = state.made_envelope(text=text)
            if made is None:
                made = await anyio.to_thread.run_sync(
                    lambda: state.envelope(text=text), limiter=self._threads
                )
        return position, made

    def _describe(self) -> dict[bool, str]:
        details = self._catalog.read_fully(self.run)
        whole = HelloMessage(run=details, channels=[_CHANNEL])
        withheld = whole.model_copy(update={"run": without_text(details, plain_run_name(self.run))})
        return {True: to_json_text(whole), False: to_json_text(withheld)}

    def _fail(self, code: int, reason: str) -> None:
        self.failed = True
        for viewer in self.viewers:
            viewer.request_close(*self.say_failure(code, reason))

    def _call_on_loop(self, call: Callable[[], None]) -> None:
        # The run follower may outlive the loop by one poll.
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(call)
