"""The viewers of every run. Each watched run has a follower; each viewer has a send queue and a sender task.
A viewer replaying the past gets a playback session, and from the run follower only `hello`, status and
acknowledgements.

Only its own sender waits for a viewer. A viewer that reads nothing for `SEND_SECONDS` is dropped together
with its connection, because a peer that does not read can hold a half-closed socket for ever.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine, Generator, Mapping
from dataclasses import dataclass, field

import anyio
import anyio.to_thread
from starlette.websockets import WebSocket, WebSocketDisconnect

from lamplighter.runfolder.errors import READ_ERRORS
from lamplighter.runfolder.reading.playback import NoSuchStepError, Place
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_store import NoSuchRunError
from lamplighter.serving.live.playback_session import CANNOT_BE_PLAYED, Player, WishError, closing, read_wish
from lamplighter.serving.live.run_follower import Tail
from lamplighter.serving.live.send_queue import Message, Slot, TooFarBehindError, What
from lamplighter.serving.reading.run_catalog import Library

log = logging.getLogger(__name__)

CHANNELS = ("pulse", "layout", "rows")
BY_DEFAULT = "pulse,layout"
SEND_SECONDS = 10.0
"""Seconds allowed for sending one message."""

NO_SUCH_RUN, TOO_SLOW = 4404, 4408
_READERS = 2
"""Playback sessions that may read run files at once."""

_CHANNEL = {
    What.PULSE: "pulse",
    What.CENSUS: "pulse",
    What.ROWS: "rows",
    What.MATRIX: "rows",
    What.LINEAR: "layout",
    What.UMAP: "layout",
    What.DISTRICTS: "layout",
}


class _Closed(Exception):
    """An exception that makes the server close a viewer's connection."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


@dataclass(eq=False)
class Viewer:
    """One connected websocket."""

    channels: frozenset[str]
    slot: Slot = field(default_factory=Slot)
    begun: bool = False
    playing: bool = False
    """True while it replays the past instead of receiving live messages."""
    taken: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when a message leaves the send queue."""
    joining: list[Message] | None = None
    """The messages to send once it is live, while it is about to join."""
    answered: asyncio.Future[bool] | None = None
    """The run follower's answer to a playback session that waits for it."""
    ended: asyncio.Future[_Closed] = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    def put(self, messages: list[Message]) -> None:
        """Queue the messages that belong to the viewer's channels."""
        try:
            for message in messages:
                channel = _CHANNEL.get(message.what)
                if channel is None or channel in self.channels:
                    self.slot.put(message)
        except TooFarBehindError:
            self.end(TOO_SLOW, "reading too slowly")

    async def room(self, most: int) -> None:
        """Wait until no more than this many messages are queued."""
        while self.slot.waiting() > most:
            self.taken.clear()
            await self.taken.wait()

    def end(self, code: int, reason: str) -> None:
        """Close the viewer's socket."""
        if not self.ended.done():
            self.ended.set_result(_Closed(code, reason))


class _Watch:
    """One watched run: its follower and its viewers."""

    def __init__(self, run: RunFolder, library: Library, loop: asyncio.AbstractEventLoop) -> None:
        self.viewers: set[Viewer] = set()
        self.failed = False
        self.tail: Tail[Viewer] = Tail(
            run,
            library,
            told=lambda messages: _on_loop(loop, lambda: self._told(messages)),
            begun=lambda viewer, messages: _on_loop(loop, lambda: self._begun(viewer, messages)),
            failed=lambda code, reason: _on_loop(loop, lambda: self._fail(code, reason)),
        )

    def _told(self, messages: list[Message]) -> None:
        for viewer in self.viewers:
            if viewer.begun and viewer.playing:
                viewer.put([m for m in messages if m.what in (What.STATUS, What.TEXT)])
            elif viewer.begun:
                viewer.put(messages)

    def _begun(self, viewer: Viewer, messages: list[Message] | None) -> None:
        viewer.begun = True
        if viewer.joining is not None and messages is not None:
            viewer.playing = False
            viewer.put(viewer.joining)
        viewer.put(messages or [])
        if viewer.answered is not None and not viewer.answered.done():
            viewer.answered.set_result(messages is not None)

    async def greet(self, viewer: Viewer) -> None:
        """Send `hello` to a viewer that is about to replay the past."""
        viewer.playing = True
        viewer.answered = asyncio.get_running_loop().create_future()
        self.tail.greet(viewer, viewer.channels)
        await viewer.answered

    async def join(self, viewer: Viewer, place: Place, say: list[Message]) -> bool:
        """Make a viewer that was played up to `place` a live one, after the given messages. Returns False if
        more must be played before."""
        viewer.joining = say
        viewer.answered = asyncio.get_running_loop().create_future()
        self.tail.join(viewer, viewer.channels, place=place)
        return await viewer.answered

    def _fail(self, code: int, reason: str) -> None:
        self.failed = True
        for viewer in self.viewers:
            viewer.end(code, reason)


class Hub:
    """The watched runs of a server. Belongs to one event loop."""

    def __init__(self, library: Library, send_seconds: float = SEND_SECONDS) -> None:
        """Serve the runs of `library`."""
        self._library = library
        self._send_seconds = send_seconds
        self._watches: dict[str, _Watch] = {}
        self._readers = anyio.CapacityLimiter(_READERS)

    async def serve(self, websocket: WebSocket, run_id: str, query: Mapping[str, str]) -> None:
        """Serve one viewer until it disconnects or is closed. `query`: the parameters `channels`, `from`,
        `to`, `speed`, `set`."""
        await websocket.accept()
        try:
            wish = read_wish(query)
        except WishError as error:
            await websocket.close(CANNOT_BE_PLAYED, str(error))
            return
        try:
            run = await anyio.to_thread.run_sync(self._library.find, run_id)
        except NoSuchRunError as error:
            await websocket.close(NO_SUCH_RUN, str(error))
            return
        wanted = query.get("channels", BY_DEFAULT)
        viewer = Viewer(frozenset(name for name in wanted.split(",") if name in CHANNELS))
        with self._watching(run, viewer) as watch:
            if wish is None:
                watch.tail.join(viewer, viewer.channels)
                await self._attend(websocket, viewer)
                return
            player = Player(
                run,
                viewer.channels,
                wish,
                put=viewer.put,
                room=viewer.room,
                join=lambda place, say: watch.join(viewer, place, say),
                readers=self._readers,
            )
            await self._attend(websocket, viewer, self._play(watch, viewer, player))

    def viewers(self, run_id: str) -> int:
        """Return how many viewers watch a run."""
        watch = self._watches.get(run_id)
        return 0 if watch is None else len(watch.viewers)

    async def close(self) -> None:
        """Stop every run follower, and wait up to 2 s for each to close its files."""
        tails = [watch.tail for watch in self._watches.values()]
        for watch in self._watches.values():
            watch.tail.stop()
            for viewer in watch.viewers:
                viewer.end(1012, "the server is going")
        for tail in tails:
            await anyio.to_thread.run_sync(tail.ended, 2.0)

    async def _play(self, watch: _Watch, viewer: Viewer, player: Player) -> None:
        await watch.greet(viewer)
        try:
            await player.play()
        except (*READ_ERRORS, NoSuchStepError, ValueError) as error:
            viewer.end(*closing(error))
        except Exception:
            log.exception("playing to a viewer")
            viewer.end(1011, "an error in the server")

    @contextlib.contextmanager
    def _watching(self, run: RunFolder, viewer: Viewer) -> Generator[_Watch]:
        """Register a viewer with a run; the last viewer to leave stops the run's follower."""
        watch = self._watches.get(run.id)
        if watch is None or watch.failed:
            watch = _Watch(run, self._library, asyncio.get_running_loop())
            self._watches[run.id] = watch
            watch.tail.start()
        watch.viewers.add(viewer)
        try:
            yield watch
        finally:
            watch.viewers.discard(viewer)
            if not watch.viewers:
                watch.tail.stop()
                if self._watches.get(run.id) is watch:
                    del self._watches[run.id]

    async def _attend(
        self, websocket: WebSocket, viewer: Viewer, playing: Coroutine[object, object, None] | None = None
    ) -> None:
        player = asyncio.create_task(playing) if playing is not None else None
        sender = asyncio.create_task(self._send(websocket, viewer))
        listener = asyncio.create_task(_listen(websocket))
        try:
            await asyncio.wait({sender, listener, viewer.ended}, return_when=asyncio.FIRST_COMPLETED)
            if listener.done() or websocket.client_state.name == "DISCONNECTED":
                return
            closed = viewer.ended.result() if viewer.ended.done() else sender.exception()
        finally:
            tasks = [task for task in (sender, listener, player) if task is not None]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            viewer.ended.cancel()
        if not isinstance(closed, _Closed):
            if closed is not None and not isinstance(closed, WebSocketDisconnect | RuntimeError):
                raise closed
            return
        try:
            async with asyncio.timeout(1.0):
                await websocket.close(closed.code, closed.reason)
        except (TimeoutError, RuntimeError):
            # The peer does not even read the close frame.
            pass
        if closed.code == TOO_SLOW:
            _abort(websocket)

    async def _send(self, websocket: WebSocket, viewer: Viewer) -> None:
        while True:
            data = await viewer.slot.take()
            viewer.taken.set()
            try:
                async with asyncio.timeout(self._send_seconds):
                    await (websocket.send_text(data) if isinstance(data, str) else websocket.send_bytes(data))
            except TimeoutError:
                raise _Closed(TOO_SLOW, "reading too slowly") from None


async def _listen(websocket: WebSocket) -> None:
    """Wait until the viewer disconnects. Its messages are ignored."""
    while True:
        message = await websocket.receive()
        if message["type"] == "websocket.disconnect":
            return


def _abort(websocket: WebSocket) -> None:
    """Drop the connection with its unsent bytes, if the server provides a way to (`server.py`)."""
    abort: Callable[[], None] | None = websocket.scope.get("extensions", {}).get("lamplighter.abort")
    if abort is not None:
        abort()


def _on_loop(loop: asyncio.AbstractEventLoop, call: Callable[[], None]) -> None:
    # The run follower may outlive the loop by one poll.
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(call)
