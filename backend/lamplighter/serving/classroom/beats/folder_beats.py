"""The publications of a run from the tail of its folder, which is followed only between `start` and `stop`."""

from __future__ import annotations

import time
from collections.abc import Callable

from lamplighter.runfolder.errors import READ_ERRORS
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.serving.classroom.beats.beat_log import BeatLog
from lamplighter.serving.classroom.beats.beat_maker import BeatMaker
from lamplighter.serving.live.message import MessageKind, ViewerMessage
from lamplighter.serving.live.run_follower import RunFollower
from lamplighter.serving.reading.batch_text import read_batch_text
from lamplighter.serving.reading.run_catalog import RunCatalog
from lamplighter.serving.schemas.base import to_json_text
from lamplighter.serving.schemas.messages import WordsMessage

_CHANNELS = frozenset({"pulse", "layout"})
_MAX_WORDS = 64


class FolderBeats:
    """Publishes the beats of one run."""

    def __init__(
        self,
        run: RunFolder,
        catalog: RunCatalog,
        log: BeatLog,
        on_failed: Callable[[int, str], None] = lambda code, reason: None,
    ) -> None:
        """Prepare to follow `run`. The callback runs on the follower's thread.

        Args:
            run: the run to follow.
            catalog: describes the run.
            log: takes the publications.
            on_failed: receives a close code and a reason; no call follows.
        """
        self._run = run
        self._log = log
        self._maker = BeatMaker(self._read_words)
        self._joined = False
        self._follower: RunFollower[None] = RunFollower(
            run,
            catalog,
            on_messages=self._take_messages,
            on_joined=self._begin,
            on_failed=on_failed,
            on_poll=self._publish_due,
        )

    def start(self) -> None:
        """Begin to follow the run."""
        self._follower.start()
        self._follower.join(None, _CHANNELS)

    def stop(self) -> None:
        """Request a stop, without waiting."""
        self._follower.stop()

    def wait_ended(self, timeout: float | None = None) -> bool:
        """Wait until the run's files are closed. Returns whether they are."""
        return self._follower.wait_ended(timeout)

    def _begin(self, _: None, messages: list[ViewerMessage] | None) -> None:
        self._joined = True
        self._take_messages([message for message in messages or [] if message.kind is not MessageKind.TEXT])

    def _take_messages(self, messages: list[ViewerMessage]) -> None:
        # After it has joined, earlier messages come again.
        if self._joined:
            self._maker.take_messages(messages, time.monotonic())
            self._publish_due()

    def _publish_due(self) -> None:
        while due := self._maker.next_publication(time.monotonic()):
            self._log.publish(*due)

    def _read_words(self, attempt: int, step: int) -> str | None:
        try:
            first = next(read_batch_text(self._run, step, 1), None)
        except (*READ_ERRORS, ValueError):
            # The run is shown without its text.
            return None
        if first is None:
            return None
        tokens = first[0][:_MAX_WORDS].tolist()
        return to_json_text(WordsMessage(step=step, attempt=attempt, tokens=tokens))
