"""A follower of one run's folder, in a thread of its own, that sends viewers what is new.

While the run is being trained its files stay open and are polled every few milliseconds for commits, which
costs microseconds. Once the run is over they are closed, because the trainer can finalise a file only when
nobody is connected, and read again only when they change on disk.

The messages sent and the cursors of what was sent advance together, whatever fails in between. The map and
the measures fail on their own: a run whose steps can be read is shown.

A viewer joins between two polls, at a position the follower knows, so its first messages and the later ones
for everybody meet without a gap. So do those of a viewer that replayed the past and joins where its playback
ended. The step feed and the map feed find what is new in the steps and in the map.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Generic, TypeVar

from lamplighter.runfolder.disk_full_flag import is_waiting_for_space
from lamplighter.runfolder.errors import READ_ERRORS, is_transient
from lamplighter.runfolder.reading.playback_parts import PlaybackCursor
from lamplighter.runfolder.role_lock import is_held
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.layouts import LayoutsReader
from lamplighter.runfolder.tables.measures import MeasuresReader
from lamplighter.runfolder.tables.requests import AppliedRequest
from lamplighter.runfolder.tables.steps import TERMINAL_PHASES, StepsReader
from lamplighter.serving.live.map_feed import MapFeed
from lamplighter.serving.live.message import MessageKind, ViewerMessage
from lamplighter.serving.live.step_feed import StepFeed
from lamplighter.serving.live.watched_file import R, WatchedFile
from lamplighter.serving.reading.run_catalog import RunCatalog
from lamplighter.serving.schemas.base import to_json_text
from lamplighter.serving.schemas.messages import (
    AcknowledgedMessage,
    HelloMessage,
    MeasuresMessage,
    StatusMessage,
)
from lamplighter.serving.schemas.runs import Status

log = logging.getLogger(__name__)

LIVE_POLL_SECONDS = 0.004
"""Seconds between polls of a run that is being trained."""
QUIET_POLL_SECONDS = 0.1
"""Seconds between polls of any other run."""
STATUS_POLL_SECONDS = 1.0
"""Seconds between checks outside the files: whether a trainer is alive, and the size on disk."""
_TRIES = 3
_RETRY_SECONDS = 1.0
"""Seconds until the map or the measures are read again after they could not be."""

ViewerT = TypeVar("ViewerT")


class RunGoneError(RuntimeError):
    """The run's folder no longer exists."""


@dataclass(frozen=True)
class _JoinRequest(Generic[ViewerT]):
    viewer: ViewerT
    channels: frozenset[str]
    hello_only: bool = False
    """True if it gets no more than `hello` for now."""
    place: PlaybackCursor | None = None
    """The position up to which it was played."""


class RunFollower(Generic[ViewerT]):
    """A follower of one run. `Who` is the hub's type of a viewer."""

    def __init__(
        self,
        run: RunFolder,
        library: RunCatalog,
        *,
        on_messages: Callable[[list[ViewerMessage]], None],
        on_joined: Callable[[ViewerT, list[ViewerMessage] | None], None],
        on_failed: Callable[[int, str], None],
    ) -> None:
        """Follow `run` once started. The callbacks are called from the follower's thread.

        Args:
            run: the run to follow.
            library: describes the run.
            told: receives messages for every viewer that has joined.
            begun: receives the first messages of one viewer, which from then on gets the messages for
                everybody too; None
                if it cannot join from its position.
            failed: receives a close code and a reason; no call follows.
        """
        self._run = run
        self._library = library
        self._on_messages, self._on_joined, self._on_failed = on_messages, on_joined, on_failed
        self._join_requests: deque[_JoinRequest[ViewerT]] = deque()
        self._stop = threading.Event()
        self._wake = threading.Event()
        self._steps = WatchedFile(run.steps_path, StepsReader)
        self._layouts = WatchedFile(run.layouts_path, LayoutsReader)
        self._measures = WatchedFile(run.measures_path, MeasuresReader)
        self._step_feed = StepFeed(run, self._reset_feeds)
        self._applied = 0
        self._map_feed = MapFeed()
        self._applied_to_map = 0
        self._measured = -1
        self._status: Status | None = None
        self._facts: object = None
        self._slow_at = 0.0
        self._retries: dict[object, tuple[float, str]] = {}
        self._more = False
        self._thread = threading.Thread(target=self._run_thread, name=f"tail of {run.id}", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def join(self, viewer: ViewerT, channels: frozenset[str], *, place: PlaybackCursor | None = None) -> None:
        """Let a viewer join at the next poll, from `place` if it replayed the run."""
        self._join_requests.append(_JoinRequest(viewer, channels, place=place))
        self._wake.set()

    def send_hello(self, viewer: ViewerT, channels: frozenset[str]) -> None:
        """Send `hello` at the next poll to a viewer that replays the past."""
        self._join_requests.append(_JoinRequest(viewer, channels, hello_only=True))
        self._wake.set()

    def stop(self) -> None:
        """Stop soon, without waiting."""
        self._stop.set()
        self._wake.set()

    def wait_ended(self, timeout: float | None = None) -> bool:
        """Wait until the thread has ended and the files are closed. Returns whether they are."""
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _run_thread(self) -> None:
        failures = 0
        try:
            while not self._stop.is_set():
                try:
                    pause = self._poll()
                    self._admit_viewers()
                    failures = 0
                except RunGoneError:
                    self._on_failed(4404, "this run was moved to the trash")
                    return
                except (*READ_ERRORS, ValueError) as error:
                    # A file may be in the middle of finalisation or replacement: try again before reporting
                    # it unreadable.
                    failures += 1
                    self._reset_files()
                    if failures >= _TRIES:
                        self._report_unreadable(error)
                        return
                    pause = 0.2
                self._wake.wait(pause)
                self._wake.clear()
        except Exception:
            log.exception("following %s", self._run.id)
            self._on_failed(1011, "an error in the server")
        finally:
            self._reset_files()

    def _report_unreadable(self, error: Exception) -> None:
        if is_transient(error):
            log.warning("%s cannot be read now: %s", self._run.id, error)
            self._on_failed(1011, f"this run cannot be read at the moment: {error}"[:120])
        else:
            self._on_failed(4409, f"this run cannot be read: {error}"[:120])

    def _reset_files(self) -> None:
        for file in (self._steps, self._layouts, self._measures):
            file.reset()

    # New messages

    def _poll(self) -> float:
        """Send what is new. Returns the seconds until the next poll."""
        now = time.monotonic()
        slow = now >= self._slow_at
        if slow:
            self._slow_at = now + STATUS_POLL_SECONDS
            if not self._run.path.is_dir():
                raise RunGoneError
        messages: list[ViewerMessage] = []
        try:
            reader = self._steps.reader_if_changed()
            if reader is None and self._more:
                reader = self._steps.reader
            if reader is not None:
                self._more = self._read_steps(reader, messages)
            self._poll_optional(self._layouts, self._read_layouts, messages)
            self._poll_optional(self._measures, self._read_measures, messages)
            if slow:
                self._read_status(messages)
        finally:
            # The cursors are past the collected messages already, so send them whatever else failed.
            if messages:
                self._on_messages(messages)
        if self._more:
            return 0.0
        if self._status is not None and self._status.phase in TERMINAL_PHASES:
            for file in (self._steps, self._layouts, self._measures):
                file.close_until_changed()
            return QUIET_POLL_SECONDS
        return LIVE_POLL_SECONDS if self._steps.reader is not None else QUIET_POLL_SECONDS

    def _poll_optional(
        self,
        file: WatchedFile[R],
        read: Callable[[R, list[ViewerMessage]], None],
        messages: list[ViewerMessage],
    ) -> None:
        """Read a file that the run can be shown without; if it cannot be read, try again after a while."""
        retry_at, last_error = self._retries.get(file, (0.0, ""))
        if time.monotonic() < retry_at:
            return
        try:
            if reader := file.reader_if_changed():
                read(reader, messages)
                self._retries.pop(file, None)
        except READ_ERRORS as error:
            file.reset()
            self._retries[file] = (time.monotonic() + _RETRY_SECONDS, str(error))
            if str(error) != last_error:
                log.warning("%s is shown without: %s", self._run.id, error)

    def _read_steps(self, reader: StepsReader, messages: list[ViewerMessage]) -> bool:
        """Read the new steps. Returns whether more are available at once."""
        more = self._step_feed.read_new(reader, messages)
        for applied in reader.applied(after=self._applied):
            self._applied = applied.id
            messages.append(_acknowledged_message(applied))
        facts = reader.facts()
        if facts != self._facts:
            self._read_status(messages)
            self._facts = facts
        return more

    def _reset_feeds(self, step: int) -> None:
        """Reset the map and the measures once viewers were given a new start: everything that counts is sent
        again."""
        self._measured = min(self._measured, step)
        self._map_feed.reset()
        self._layouts.reset()
        self._measures.reset()

    def _read_layouts(self, reader: LayoutsReader, messages: list[ViewerMessage]) -> None:
        line = self._step_feed.lineage
        if not line:
            self._layouts.reset()
            return
        for applied in reader.applied(after=self._applied_to_map):
            self._applied_to_map = applied.id
            messages.append(_acknowledged_message(applied))
        messages.extend(self._map_feed.read_new(reader, line))

    def _read_measures(self, reader: MeasuresReader, messages: list[ViewerMessage]) -> None:
        line = self._step_feed.lineage
        if not line:
            self._measures.reset()
            return
        if self._measured < 0:
            # Measures from before the first poll are fetched by REST.
            self._measured = max(0, reader.last_step(line))
            return
        for step, values in reader.by_step(self._measured + 1, line=line).items():
            self._measured = step
            messages.append(_measures_message(step, values))

    def _read_status(self, messages: list[ViewerMessage]) -> None:
        if self._steps.reader is not None or self._status is None:
            status = self._library.status(self._run, self._steps.reader)
        else:
            alive = is_held(self._run.path, "trainer")
            crowded = alive and is_waiting_for_space(self._run.path)
            seen = {"alive": alive, "crowded": crowded, "bytes": self._run.bytes_on_disk()}
            status = self._status.model_copy(update=seen)
        if status != self._status:
            self._status = status
            messages.append(ViewerMessage(MessageKind.STATUS, to_json_text(StatusMessage(status=status))))

    # Viewers

    def _admit_viewers(self) -> None:
        at_hand: dict[bool, list[ViewerMessage]] = {}
        while self._join_requests:
            # Remove it from the queue only once it has joined: after a failure the next poll tries again.
            joining = self._join_requests[0]
            channels = joining.channels
            if joining.hello_only:
                self._on_joined(joining.viewer, [self._hello(channels)])
                self._join_requests.popleft()
                continue
            place = joining.place
            messages = (
                self._first_messages(channels, at_hand)
                if place is None
                else self._missed_messages(place, channels)
            )
            if "rows" in channels and messages is not None:
                self._step_feed.start_rows(messages)
            self._on_joined(joining.viewer, messages)
            self._join_requests.popleft()

    def _hello(self, channels: frozenset[str]) -> ViewerMessage:
        hello = HelloMessage(run=self._library.read_fully(self._run), channels=sorted(channels))
        return ViewerMessage(MessageKind.TEXT, to_json_text(hello))

    def _first_messages(
        self, channels: frozenset[str], at_hand: dict[bool, list[ViewerMessage]]
    ) -> list[ViewerMessage]:
        messages = [self._hello(channels)]
        if self._step_feed.step >= 0 and channels & {"pulse", "rows"}:
            rows = "rows" in channels
            if rows not in at_hand:
                with self._steps.opened() as reader:
                    at_hand[rows] = self._step_feed.first_messages(reader, rows=rows)
            messages += at_hand[rows]
        if self._map_feed.has_sent and "layout" in channels:
            messages += self._newest_layouts()
        return messages

    def _missed_messages(self, place: PlaybackCursor, channels: frozenset[str]) -> list[ViewerMessage] | None:
        """Return what a viewer lacks that was played up to `place`; None if more must be played first."""
        with self._steps.opened() as reader:
            messages = self._step_feed.missed_messages(reader, place, rows="rows" in channels)
        if messages is None:
            return None
        with suppress(*READ_ERRORS, IndexError), self._layouts.opened() as drawn:
            messages += self._map_feed.missed_messages(drawn, place)
        with suppress(*READ_ERRORS), self._measures.opened() as measured:
            found = measured.by_step(place.measured + 1, self._measured, line=self._step_feed.lineage)
            messages += [_measures_message(step, values) for step, values in found.items()]
        return messages

    def _newest_layouts(self) -> list[ViewerMessage]:
        """Return the newest layouts; if they cannot be read, none, and all are sent anew once they can be."""
        try:
            with self._layouts.opened() as drawn:
                return self._map_feed.newest_messages(drawn)
        except READ_ERRORS:
            self._layouts.reset()
            self._map_feed.reset()
            return []


def _measures_message(step: int, values: dict[str, float]) -> ViewerMessage:
    return ViewerMessage(MessageKind.MEASURES, to_json_text(MeasuresMessage(step=step, values=dict(values))))


def _acknowledged_message(applied: AppliedRequest) -> ViewerMessage:
    request = f"{applied.server}:{applied.request}"
    return ViewerMessage(
        MessageKind.TEXT,
        to_json_text(AcknowledgedMessage(request=request, kind=applied.kind, step=applied.step)),
    )
