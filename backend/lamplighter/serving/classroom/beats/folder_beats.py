"""The publications of a run from the tail of its folder, which is followed only between `start` and `stop`.

Beats are at least a third of a second apart, and the map is sent at most once a second. Both also have a byte rate,
so that a class of 500 stays within the capacity of a Wi-Fi network, however fast the run and however large its
vocabulary.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import replace

from lamplighter.runfolder.errors import READ_ERRORS
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.serving.classroom.beats.beat_log import BeatLog
from lamplighter.serving.classroom.beats.publication import (
    NOTHING_YET,
    GridChain,
    JoiningState,
    Publication,
    without_message,
)
from lamplighter.serving.live.beat_picker import BEAT_SECONDS, BeatPicker
from lamplighter.serving.live.run_follower import RunFollower
from lamplighter.serving.live.send_queue import MessageKind, ViewerMessage
from lamplighter.serving.reading.run_catalog import RunCatalog
from lamplighter.serving.reading.step_reading import read_batch_text
from lamplighter.serving.schemas.base import to_json_text
from lamplighter.serving.schemas.messages import WordsMessage
from lamplighter.wire.beat_frames import NO_STEPS
from lamplighter.wire.binary import FrameError
from lamplighter.wire.frames import decode_as, encode
from lamplighter.wire.layout_frames import Layout, Method
from lamplighter.wire.pulse_frames import Pulse
from lamplighter.wire.row_frames import Census

log = logging.getLogger(__name__)

MAP_SECONDS = 1.0
_BEAT_RATE, _MAP_RATE = 4_400.0, 2_900.0
"""Bytes per second for beats and for the map. With the status the total is below 8 kB/s."""
_LINEAR_SECONDS, _DISTRICTS_SECONDS = 4.0, 5.0
"""Minimum seconds between two linear layouts, once there is a map, and between two sets of districts."""
_MAX_NORMS = 400
"""Maximum rows between two beats whose gradient norms are sent. Norms do not compress: those of the thousand
rows that a fast run lights between two beats would exceed the beats themselves.
"""
_TEXT_SECONDS = 0.4
"""Seconds that a text waits for a beat to accompany."""

_MAX_PAUSE = 10.0
"""Maximum seconds between two messages of any size."""

ReadWords = Callable[[int, int], str | None]
"""A function of attempt and step that returns the message with the words read by the step, if
they are kept.
"""


class _Pace:
    """When the next message may be sent: after a minimum interval, and at most at a byte rate."""

    def __init__(self, least_seconds: float, bytes_a_second: float) -> None:
        self._least_seconds, self._rate = least_seconds, bytes_a_second
        self.next_at = float("-inf")

    def note_sent(self, now: float, size: int) -> None:
        self.next_at = now + max(self._least_seconds, min(size / self._rate, _MAX_PAUSE))


class BeatMaker:
    """The publications of one run. For one thread only."""

    def __init__(self, read_words: ReadWords) -> None:
        self._read_words = read_words
        self._picker: BeatPicker | None = None
        self._state = NOTHING_YET
        self._chains = {Method.UMAP: GridChain(), Method.LINEAR: GridChain()}
        self._beats, self._map = _Pace(BEAT_SECONDS, _BEAT_RATE), _Pace(MAP_SECONDS, _MAP_RATE)
        self._texts_at = float("inf")
        """When waiting texts are sent without a beat."""
        self._sent_at = float("-inf")
        self._start: bytes | None = None
        self._status: str | None = None
        self._texts: list[str] = []
        self._worded: list[str] = []
        self._layouts: dict[Method, bytes] = {}
        self._districts: bytes | None = None
        self._linear_at = self._districts_at = float("-inf")

    def take_messages(self, messages: list[ViewerMessage], now: float) -> None:
        """Accept messages that arrived at `now` (seconds). Raises FrameError if a step cannot be read."""
        for message in messages:
            if isinstance(message.data, str):
                self._take_text(message.kind, message.data, now)
            else:
                self._take_frame(message.kind, message.data, now)

    def _take_text(self, kind: MessageKind, data: str, now: float) -> None:
        match kind:
            case MessageKind.STATUS:
                self._status = data
            case MessageKind.MEASURES:
                self._texts.append(data)
            case MessageKind.LINES | MessageKind.EXAMINATION:
                self._worded.append(data)
            case _:
                # Acknowledgements of requests are for the presenter.
                return
        self._texts_at = min(self._texts_at, now + _TEXT_SECONDS)

    def _take_frame(self, kind: MessageKind, data: bytes, now: float) -> None:
        match kind:
            case MessageKind.PULSE:
                if self._picker is not None:
                    self._picker.offer(decode_as(data, Pulse), now, self._beats.next_at)
            case MessageKind.CENSUS:
                census = decode_as(data, Census)
                self._picker, self._start = BeatPicker(census, _MAX_NORMS), data
                self._state = replace(
                    self._state,
                    attempt=census.attempt,
                    step=census.step,
                    census=census,
                    beat=None,
                    words=None,
                )
            case MessageKind.UMAP:
                self._layouts[Method.UMAP] = data
            case MessageKind.LINEAR:
                self._layouts[Method.LINEAR] = data
            case MessageKind.DISTRICTS:
                self._districts = data
            case _:
                return

    def next_publication(self, now: float) -> tuple[Publication, JoiningState] | None:
        """Return the publication due at `now` (seconds), with the state for viewers who join after it; None if
        nothing is due. Call it until it returns None.
        """
        publication = self._make_start() or self._make_beat(now) or self._make_map(now)
        if publication is None and now >= max(self._texts_at, self._sent_at + BEAT_SECONDS):
            publication = self._with_texts()
        if publication is None:
            return None
        self._sent_at = now
        return publication, self._state

    def _make_start(self) -> Publication | None:
        """Return a new start: the first census, or that of the step to which a new attempt went back."""
        if self._start is None:
            return None
        start, self._start = self._start, None
        return self._with_texts(start)

    def _make_beat(self, now: float) -> Publication | None:
        picked = self._picker and self._picker.pick(now, with_census=True)
        if not picked:
            return None
        beat = picked.beat
        words = self._read_words(beat.attempt, beat.step)
        alone = encode(replace(beat, first_step=beat.step, between=NO_STEPS))
        self._state = replace(
            self._state,
            attempt=beat.attempt,
            step=beat.step,
            census=picked.before,
            beat=alone,
            words=words,
        )
        publication = self._with_texts(encode(beat), words)
        self._beats.note_sent(now, len(publication.envelope(text=True) or b""))
        return publication

    def _with_texts(self, frame: bytes | None = None, words: str | None = None) -> Publication:
        if self._status is not None:
            self._state = replace(self._state, status=self._status)
        status = self._status and without_message(self._status)
        parts = (frame, status, *self._texts)
        worded = (words, *self._worded, self._status if self._status != status else None)
        self._status, self._texts, self._worded, self._texts_at = None, [], [], float("inf")
        return Publication(
            tuple(part for part in parts if part is not None),
            tuple(part for part in worded if part is not None),
        )

    def _make_map(self, now: float) -> Publication | None:
        if now < self._map.next_at:
            return None
        frame = self._next_map_frame(now)
        if frame is None:
            return None
        publication = Publication((frame,))
        self._map.note_sent(now, len(publication.envelope(text=False) or b""))
        return publication

    def _next_map_frame(self, now: float) -> bytes | None:
        """Return the next part of the map in turn; None if nothing is new."""
        if self._districts is not None and now >= self._districts_at:
            districts, self._districts = self._districts, None
            self._districts_at = now + _DISTRICTS_SECONDS
            self._state = replace(self._state, districts=districts)
            return districts
        # Until there is a map, the linear view is all there is to see.
        has_map = self._chains[Method.UMAP].newest is not None
        if has_map and now >= self._linear_at and Method.LINEAR in self._layouts:
            return self._add_layout(Method.LINEAR, now)
        if Method.UMAP in self._layouts:
            return self._add_layout(Method.UMAP, now)
        if not has_map and Method.LINEAR in self._layouts:
            return self._add_layout(Method.LINEAR, now)
        return None

    def _add_layout(self, view: Method, now: float) -> bytes | None:
        """Return the frame of the newest layout of a view; None if it cannot be read: the run is then shown
        without it.
        """
        if view is Method.LINEAR:
            self._linear_at = now + _LINEAR_SECONDS
        try:
            frame = self._chains[view].append(decode_as(self._layouts.pop(view), Layout))
        except FrameError as error:
            log.warning("a class is shown a run without one of its layouts: %s", error)
            return None
        newest = (chain.newest for chain in self._chains.values())
        self._state = replace(self._state, layouts=tuple(one for one in newest if one is not None))
        return frame


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
        """Prepare to follow `run`. `on_failed` receives a close code and a reason on the follower's thread; no
        call follows.
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
        self._follower.start()
        self._follower.join(None, _CHANNELS)

    def stop(self) -> None:
        self._follower.stop()

    def wait_ended(self, timeout: float | None = None) -> bool:
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
