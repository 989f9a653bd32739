"""A follower of one run's folder, in its own thread, that sends viewers what is new.

While the run is training, its files stay open and are polled every few milliseconds for commits, which costs
microseconds. Once the run is over they are closed, because the trainer can finalise a file only when it has
no other connections, and read again only when they change on disk.

The messages sent and the cursors of what was sent advance together, even if something fails in between. The
map and the measures may fail separately: a run whose steps can be read is still shown.

The feeds find what is new in each file. The first poll gives the state: a census, and the newest layouts.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from lamplighter.runfolder.errors import READ_ERRORS, is_transient
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.runfolder.tables.examinations import ExaminationsReader
from lamplighter.runfolder.tables.layouts import LayoutsReader
from lamplighter.runfolder.tables.measures import MeasuresReader
from lamplighter.runfolder.tables.steps_reader import StepsReader
from lamplighter.serving.live.feeds import (
    LinesFeed,
    MapFeed,
    MeasuresFeed,
    MessageKind,
    StatusFeed,
    ViewerMessage,
)
from lamplighter.serving.live.step_feed import StepFeed
from lamplighter.serving.live.viewer import close_code_for
from lamplighter.serving.live.watched_file import R, WatchedFile
from lamplighter.serving.reading.run_catalog import RunCatalog
from lamplighter.serving.schemas.base import to_json_text
from lamplighter.serving.schemas.messages import ExaminationMessage
from lamplighter.serving.schemas.requests import describe_examination

_MAX_CHANGES = 200
"""Maximum changes sent at once; only the newest of each question counts."""


class ExaminationsFeed:
    """The examinations feed of one run. For the run follower's thread only."""

    def __init__(self, run: RunFolder) -> None:
        self._run = run
        self._revision: int | None = None

    def start(self) -> None:
        """Skip the changes so far, which viewers fetch. Idempotent."""
        if self._revision is not None:
            return
        self._revision = 0
        try:
            with ExaminationsReader(self._run.examinations_path) as reader:
                self._revision = reader.newest_revision()
        except READ_ERRORS:
            # The file does not exist yet, or cannot be read now; then everything is sent later.
            return

    def read_changes(self, reader: ExaminationsReader, messages: list[ViewerMessage]) -> None:
        for entry in reader.entries(after=self._revision or 0, limit=_MAX_CHANGES):
            self._revision = entry.revision
            message = ExaminationMessage(examination=describe_examination(entry))
            messages.append(ViewerMessage(MessageKind.EXAMINATION, to_json_text(message)))


log = logging.getLogger(__name__)

LIVE_POLL_SECONDS = 0.004
"""Seconds between polls of a run that is training."""
QUIET_POLL_SECONDS = 0.1
"""Seconds between polls of any other run."""
_GONE = (4404, "this run was moved to the trash")
"""Close code and reason for the viewers of a run whose folder is gone."""
_TRIES = 3
_RETRY_SECONDS = 1.0
"""Seconds before the map or the measures are read again after a failure."""


class RunGoneError(RuntimeError):
    """The run's folder no longer exists."""


class RunFollower:
    """A follower of one run."""

    def __init__(
        self,
        run: RunFolder,
        catalog: RunCatalog,
        *,
        on_messages: Callable[[list[ViewerMessage]], None],
        on_failed: Callable[[int, str], None],
        on_poll: Callable[[], None] = lambda: None,
    ) -> None:
        """Follow `run` once started. The callbacks run on the follower's thread.

        `on_messages` receives what is new; `on_failed` a close code and a reason, after which no call follows;
        `on_poll` is called after every poll, even if nothing was new.
        """
        self._run = run
        self._on_messages, self._on_failed, self._on_poll = on_messages, on_failed, on_poll
        self._stop = threading.Event()
        self._steps = WatchedFile(run.steps_path, StepsReader)
        self._layouts = WatchedFile(run.layouts_path, LayoutsReader)
        self._measures = WatchedFile(run.measures_path, MeasuresReader)
        self._examinations = WatchedFile(run.examinations_path, ExaminationsReader)
        self._step_feed = StepFeed(self._reset_feeds)
        self._map_feed = MapFeed()
        self._measures_feed = MeasuresFeed()
        self._lines_feed = LinesFeed(run)
        self._status_feed = StatusFeed(run, catalog)
        self._examinations_feed = ExaminationsFeed(run)
        self._retries: dict[object, tuple[float, str]] = {}
        self._more = False
        self._thread = threading.Thread(target=self._run_thread, name=f"follower of {run.id}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()

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
                    self._on_poll()
                    failures = 0
                except RunGoneError:
                    self._on_failed(*_GONE)
                    return
                except (*READ_ERRORS, ValueError) as error:
                    if not self._run.path.is_dir():
                        self._on_failed(*_GONE)
                        return
                    # A file may be in the middle of finalisation or replacement: try again before reporting
                    # it unreadable.
                    failures += 1
                    self._reset_files()
                    if failures >= _TRIES:
                        if is_transient(error):
                            log.warning("%s cannot be read now: %s", self._run.id, error)
                        self._on_failed(*close_code_for(error))
                        return
                    pause = 0.2
                self._stop.wait(pause)
        except Exception:
            log.exception("following %s", self._run.id)
            self._on_failed(1011, "an error in the server")
        finally:
            self._reset_files()

    def _reset_files(self) -> None:
        for file in (self._steps, self._layouts, self._measures, self._examinations):
            file.reset()

    def _poll(self) -> float:
        """Send what is new. Returns the seconds until the next poll."""
        checking = self._status_feed.start_check()
        if checking and not self._run.path.is_dir():
            raise RunGoneError
        messages: list[ViewerMessage] = []
        self._examinations_feed.start()
        try:
            reader = self._steps.reader_if_changed()
            if reader is None and self._more:
                reader = self._steps.reader
            if reader is not None:
                self._more = self._read_steps(reader, messages)
            self._poll_optional(self._layouts, self._read_layouts, messages)
            self._poll_optional(self._measures, self._read_measures, messages)
            self._poll_optional(self._examinations, self._examinations_feed.read_changes, messages)
            # Its writer ends while the run continues, and can seal it only without readers.
            self._examinations.close_until_changed()
            if checking:
                self._status_feed.read_status(self._steps.reader, messages)
        finally:
            # The cursors are already past the collected messages, so send them even if something else failed.
            if messages:
                self._on_messages(messages)
        if self._more:
            return 0.0
        if self._status_feed.run_ended:
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
        """Read a file that the run can be shown without; after a failure, try again later."""
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
        messages.extend(self._lines_feed.read_lines(reader, self._step_feed.lineage, self._step_feed.step))
        self._status_feed.read_steps(reader, messages)
        return more

    def _reset_feeds(self, step: int) -> None:
        """Reset the map and the measures after a new start, so that everything current is sent again."""
        self._measures_feed.go_back(step)
        self._lines_feed.go_back(step)
        self._map_feed.reset()
        self._layouts.reset()
        self._measures.reset()

    def _read_layouts(self, reader: LayoutsReader, messages: list[ViewerMessage]) -> None:
        lineage = self._step_feed.lineage
        if not lineage:
            self._layouts.reset()
            return
        self._status_feed.read_layouts(reader, messages)
        messages.extend(self._map_feed.read_new(reader, lineage))

    def _read_measures(self, reader: MeasuresReader, messages: list[ViewerMessage]) -> None:
        lineage = self._step_feed.lineage
        if not lineage:
            self._measures.reset()
            return
        messages.extend(self._measures_feed.read_measures(reader, lineage))
