"""One run that a class watches: the log that feeds its viewers, the place of each in it, and the messages they share."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import anyio
import anyio.to_thread

from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.run_name import plain_run_name
from lamplighter.serving.classroom.beats.beat_log import BeatLog, State
from lamplighter.serving.classroom.beats.folder_beats import FolderBeats
from lamplighter.serving.fanout.contract import Entry, Fanout, Sequence
from lamplighter.serving.live.viewer import CLOSE_UNREADABLE, CloseConnection
from lamplighter.serving.reading.run_catalog import RunCatalog
from lamplighter.serving.reading.run_problems import UNREADABLE
from lamplighter.serving.schemas.base import to_json_text
from lamplighter.serving.schemas.messages import HelloMessage
from lamplighter.serving.schemas.runs import without_text

if TYPE_CHECKING:
    from lamplighter.serving.classroom.beats.shared_beats import SharedBeats


@dataclass(eq=False)
class ClassViewer:
    """One socket of a class. It has no queue: only the position in the log differs between viewers."""

    session_id: str
    position: Sequence | None = None
    """The position in the log up to which everything was sent; None before it joined."""
    text: bool = False
    """True while it may see the run's text."""
    told: str = ""
    """The class message it was sent last."""
    to_tell: str = ""
    """The newest class message."""
    news: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when there may be something to send."""
    ended: asyncio.Future[CloseConnection] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )

    def request_close(self, code: int, reason: str) -> None:
        if not self.ended.done():
            self.ended.set_result(CloseConnection(code, reason))


AT_ONCE = 20
"""Viewers served before the event loop gets a turn: this takes two milliseconds, all 500 would take fifty."""
_HELLO_SECONDS = 1.0
"""Maximum age in seconds of the run description that a new viewer gets."""
_CHANNEL = "beats"


@dataclass(frozen=True)
class FoundRun:
    """A run, with facts that a thread has read, so that the event loop does not."""

    run: RunFolder
    created: float
    """Creation time in Unix seconds."""
    ours: bool
    """True if its text comes with the program."""


class WatchedRun:
    """A run with its viewers. Belongs to the event loop."""

    def __init__(
        self, found: FoundRun, catalog: RunCatalog, fanout: Fanout, threads: anyio.CapacityLimiter
    ) -> None:
        """Prepare to follow a run. `threads` make messages for joining viewers."""
        self.found = found
        self.run = run = found.run
        self.viewers: set[ClassViewer] = set()
        self.failed = False
        self._catalog = catalog
        self._threads = threads
        self._making = asyncio.Lock()
        self._hello: dict[bool, str] = {}
        self._hello_until = float("-inf")
        loop = self._loop = asyncio.get_running_loop()
        self.log = BeatLog(fanout, run.id, lambda: _call_on_loop(loop, self.wake_viewers))
        self._beats = _make_beats(
            run,
            catalog,
            self.log,
            fanout,
            lambda code, reason: _call_on_loop(loop, lambda: self._fail(code, reason)),
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

    def _wake(self, viewers: list[ClassViewer]) -> None:
        for viewer in viewers[:AT_ONCE]:
            viewer.news.set()
        if len(viewers) > AT_ONCE:
            self._loop.call_soon(self._wake, viewers[AT_ONCE:])

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

    def waiting_for(self, viewer: ClassViewer) -> list[Entry] | None:
        """Return what was published after a viewer's position. None if it has none, or some of it is no longer
        kept.
        """
        return None if viewer.position is None else self.log.since(viewer.position, text=viewer.text)

    def lag(self, viewer: ClassViewer) -> float:
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
            viewer.request_close(*told_to_class(code, reason))


def _make_beats(
    run: RunFolder,
    catalog: RunCatalog,
    log: BeatLog,
    fanout: Fanout,
    on_failed: Callable[[int, str], None],
) -> FolderBeats | SharedBeats:
    if not fanout.is_shared:
        return FolderBeats(run, catalog, log, on_failed)
    # A server of its own needs no client of a broker.
    from lamplighter.serving.classroom.beats.shared_beats import SharedBeats
    from lamplighter.serving.fanout.nats_fanout import NatsFanout

    assert isinstance(fanout, NatsFanout)
    return SharedBeats(run, catalog, log, fanout, on_failed)


def told_to_class(code: int, reason: str) -> tuple[int, str]:
    """Return the class's close code and reason for those of the presenter."""
    return code, UNREADABLE if code == CLOSE_UNREADABLE else reason


def _call_on_loop(loop: asyncio.AbstractEventLoop, call: Callable[[], None]) -> None:
    # The run follower may outlive the loop by one poll.
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(call)
