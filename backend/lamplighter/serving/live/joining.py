"""How viewers join a followed run: between two polls, at a position that the follower knows.

So a viewer's first messages and the later shared ones meet without a gap.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

from lamplighter.runfolder.errors import READ_ERRORS
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.layouts import LayoutsReader
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.serving.live.feeds import MapFeed
from lamplighter.serving.live.send_queue import MessageKind, ViewerMessage
from lamplighter.serving.live.step_feed import StepFeed
from lamplighter.serving.live.watched_file import WatchedFile
from lamplighter.serving.reading.run_catalog import RunCatalog
from lamplighter.serving.schemas.base import to_json_text
from lamplighter.serving.schemas.messages import HelloMessage

ViewerT = TypeVar("ViewerT")


class JoinQueue(Generic[ViewerT]):
    """The viewers that wait to join one run. Any thread may add to it; only the run follower uses the rest."""

    def __init__(
        self,
        run: RunFolder,
        catalog: RunCatalog,
        *,
        steps: tuple[WatchedFile[StepsReader], StepFeed],
        layouts: tuple[WatchedFile[LayoutsReader], MapFeed],
        on_joined: Callable[[ViewerT, list[ViewerMessage]], None],
    ) -> None:
        """Start empty. Each file of the run comes with the feed that reads it. `on_joined` receives the first
        messages of a viewer.
        """
        self._run = run
        self._catalog = catalog
        self._steps, self._step_feed = steps
        self._layouts, self._map_feed = layouts
        self._on_joined = on_joined
        self._requests: deque[tuple[ViewerT, frozenset[str]]] = deque()

    def add(self, viewer: ViewerT, channels: frozenset[str]) -> None:
        self._requests.append((viewer, channels))

    def admit_viewers(self) -> None:
        census: list[ViewerMessage] | None = None
        while self._requests:
            # Remove it from the queue only once it has joined: after a failure the next poll tries again.
            viewer, channels = self._requests[0]
            messages = [self._hello(channels)]
            if self._step_feed.step >= 0 and channels & {"pulse", "beats"}:
                if census is None:
                    with self._steps.opened() as reader:
                        census = self._step_feed.first_messages(reader)
                messages += census
            if self._map_feed.has_sent and "layout" in channels:
                messages += self._newest_layouts()
            self._on_joined(viewer, messages)
            self._requests.popleft()

    def _hello(self, channels: frozenset[str]) -> ViewerMessage:
        hello = HelloMessage(run=self._catalog.read_fully(self._run), channels=sorted(channels))
        return ViewerMessage(MessageKind.TEXT, to_json_text(hello))

    def _newest_layouts(self) -> list[ViewerMessage]:
        """Return the newest layouts; none if they cannot be read, and then all are sent once they can."""
        try:
            with self._layouts.opened() as layouts:
                return self._map_feed.newest_messages(layouts)
        except READ_ERRORS:
            self._layouts.reset()
            self._map_feed.reset()
            return []
