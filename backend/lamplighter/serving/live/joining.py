"""How viewers join a followed run: between two polls, at a position that the follower knows.

So a viewer's first messages and the later shared ones meet without a gap, also when it replayed the past and
joins at the end of its playback.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Generic, TypeVar

from lamplighter.runfolder.errors import READ_ERRORS
from lamplighter.runfolder.reading.playback import PlaybackCursor
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.layouts import LayoutsReader
from lamplighter.runfolder.tables.measures import MeasuresReader
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.serving.live.feeds import MapFeed, MeasuresFeed
from lamplighter.serving.live.send_queue import MessageKind, ViewerMessage
from lamplighter.serving.live.step_feed import StepFeed
from lamplighter.serving.live.watched_file import WatchedFile
from lamplighter.serving.reading.run_catalog import RunCatalog
from lamplighter.serving.schemas.base import to_json_text
from lamplighter.serving.schemas.messages import HelloMessage

ViewerT = TypeVar("ViewerT")


@dataclass(frozen=True)
class JoinRequest(Generic[ViewerT]):
    """A viewer that wants to join, with its channels."""

    viewer: ViewerT
    channels: frozenset[str]
    hello_only: bool = False
    """True if it gets only `hello` for now."""
    cursor: PlaybackCursor | None = None
    """The position up to which it was played."""


class JoinQueue(Generic[ViewerT]):
    """The viewers that wait to join one run. Any thread may add to it; only the run follower uses the rest."""

    def __init__(
        self,
        run: RunFolder,
        catalog: RunCatalog,
        *,
        steps: tuple[WatchedFile[StepsReader], StepFeed],
        layouts: tuple[WatchedFile[LayoutsReader], MapFeed],
        measures: tuple[WatchedFile[MeasuresReader], MeasuresFeed],
        on_joined: Callable[[ViewerT, list[ViewerMessage] | None], None],
    ) -> None:
        """Start empty. Each file of the run comes with the feed that reads it. `on_joined` receives the first
        messages of a viewer; None if it cannot join from its position.
        """
        self._run = run
        self._catalog = catalog
        self._steps, self._step_feed = steps
        self._layouts, self._map_feed = layouts
        self._measures, self._measures_feed = measures
        self._on_joined = on_joined
        self._requests: deque[JoinRequest[ViewerT]] = deque()

    def add(self, request: JoinRequest[ViewerT]) -> None:
        self._requests.append(request)

    def admit_viewers(self) -> None:
        at_hand: dict[bool, list[ViewerMessage]] = {}
        while self._requests:
            # Remove it from the queue only once it has joined: after a failure the next poll tries again.
            request = self._requests[0]
            self._on_joined(request.viewer, self._messages(request, at_hand))
            self._requests.popleft()

    def _messages(
        self, request: JoinRequest[ViewerT], at_hand: dict[bool, list[ViewerMessage]]
    ) -> list[ViewerMessage] | None:
        channels, cursor = request.channels, request.cursor
        if request.hello_only:
            return [self._hello(channels)]
        messages = (
            self._first_messages(channels, at_hand)
            if cursor is None
            else self._missed_messages(cursor, channels)
        )
        if "rows" in channels and messages is not None:
            self._step_feed.start_rows(messages)
        return messages

    def _hello(self, channels: frozenset[str]) -> ViewerMessage:
        hello = HelloMessage(run=self._catalog.read_fully(self._run), channels=sorted(channels))
        return ViewerMessage(MessageKind.TEXT, to_json_text(hello))

    def _first_messages(
        self, channels: frozenset[str], at_hand: dict[bool, list[ViewerMessage]]
    ) -> list[ViewerMessage]:
        messages = [self._hello(channels)]
        if self._step_feed.step >= 0 and channels & {"pulse", "beats", "rows"}:
            rows = "rows" in channels
            if rows not in at_hand:
                with self._steps.opened() as reader:
                    at_hand[rows] = self._step_feed.first_messages(reader, rows=rows)
            messages += at_hand[rows]
        if self._map_feed.has_sent and "layout" in channels:
            messages += self._newest_layouts()
        return messages

    def _missed_messages(
        self, cursor: PlaybackCursor, channels: frozenset[str]
    ) -> list[ViewerMessage] | None:
        """Return the messages that a viewer played up to `cursor` lacks; None if more must be played first."""
        with self._steps.opened() as reader:
            messages = self._step_feed.missed_messages(reader, cursor, rows="rows" in channels)
        if messages is None:
            return None
        with suppress(*READ_ERRORS, IndexError), self._layouts.opened() as layouts:
            messages += self._map_feed.missed_messages(layouts, cursor)
        with suppress(*READ_ERRORS), self._measures.opened() as measured:
            messages += self._measures_feed.missed_messages(measured, cursor, self._step_feed.lineage)
        return messages

    def _newest_layouts(self) -> list[ViewerMessage]:
        """Return the newest layouts; none if they cannot be read, and then all are sent once they can."""
        try:
            with self._layouts.opened() as layouts:
                return self._map_feed.newest_messages(layouts)
        except READ_ERRORS:
            self._layouts.reset()
            self._map_feed.reset()
            return []
