"""The publications of a run from the tail of its folder, which is followed only between `start` and `stop`.

Beats are at least a third of a second apart. A class gets the map at most once a second, and both at a byte rate, so
that 500 viewers stay within the capacity of a Wi-Fi network, however fast the run and however large its vocabulary.
The presenter's page gets all of it at once, and what only the presenter needs.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from lamplighter.runfolder.errors import READ_ERRORS
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.serving.live.beat_log import BeatLog
from lamplighter.serving.live.beat_picker import BEAT_SECONDS, BeatPicker, PassedStep
from lamplighter.serving.live.feeds import MAX_ACKNOWLEDGED, MessageKind, ViewerMessage
from lamplighter.serving.live.publication import (
    NOTHING_YET,
    GridChain,
    JoiningState,
    Publication,
    without_message,
)
from lamplighter.serving.live.run_follower import RunFollower
from lamplighter.serving.reading.run_catalog import RunCatalog
from lamplighter.serving.reading.step_reading import read_batch_text
from lamplighter.serving.schemas.base import to_json_text
from lamplighter.serving.schemas.messages import PassedMessage, WordsMessage
from lamplighter.wire.beat_frames import NO_STEPS
from lamplighter.wire.binary import FrameError
from lamplighter.wire.envelope import Part
from lamplighter.wire.frames import decode_as, encode
from lamplighter.wire.grid_frames import GridLayout
from lamplighter.wire.layout_frames import Layout, Method
from lamplighter.wire.pulse_frames import Pulse
from lamplighter.wire.row_frames import Census

log = logging.getLogger(__name__)

_MAX_PAUSE = 10.0
"""Maximum seconds between two messages of any size."""


@dataclass(frozen=True)
class Audience:
    """What those who watch a run are sent, and how fast."""

    presents: bool
    """True for the presenter, who gets acknowledgements of requests, the figures of the steps between two beats, and the
    gradients of rows outside a batch; and layouts as they are, where a class gets them on a grid."""
    beat_rate: float = math.inf
    map_rate: float = math.inf
    """Bytes per second for beats, and for the map."""
    map_seconds: float = 0.0
    linear_seconds: float = 0.0
    """Minimum seconds between two linear layouts, once there is a map,"""
    districts_seconds: float = 0.0
    """and between two sets of districts."""
    max_norms: int | None = None
    """Maximum rows between two beats whose gradient norms are sent; None: all."""
    text_seconds: float = 0.0
    """Seconds that a text waits for a beat to accompany."""


PRESENTER = Audience(presents=True)
# With the status the total is below 8 kB/s. Norms do not compress: those of the thousand rows that a fast run lights
# between two beats would exceed the beats themselves.
CLASS = Audience(
    presents=False,
    beat_rate=4_400.0,
    map_rate=2_900.0,
    map_seconds=1.0,
    linear_seconds=4.0,
    districts_seconds=5.0,
    max_norms=400,
    text_seconds=0.4,
)

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

    def __init__(self, read_words: ReadWords | None, audience: Audience = CLASS) -> None:
        self._read_words, self._audience = read_words, audience
        self._picker: BeatPicker | None = None
        self._compress = not audience.presents
        self._state = replace(NOTHING_YET, compress=self._compress)
        self._chains = {Method.UMAP: GridChain(), Method.LINEAR: GridChain()}
        self._shown: dict[Method, GridLayout | bytes] = {}
        """The newest layout sent of each view."""
        self._beats = _Pace(BEAT_SECONDS, audience.beat_rate)
        self._map = _Pace(audience.map_seconds, audience.map_rate)
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
            case _ if self._audience.presents:
                self._texts.append(data)
                kept = (*self._state.acknowledged, data)[-MAX_ACKNOWLEDGED:]
                self._state = replace(self._state, acknowledged=kept)
            case _:
                return
        self._texts_at = min(self._texts_at, now + self._audience.text_seconds)

    def _take_frame(self, kind: MessageKind, data: bytes, now: float) -> None:
        match kind:
            case MessageKind.PULSE:
                if self._picker is not None:
                    self._picker.offer(decode_as(data, Pulse), now, self._beats.next_at)
            case MessageKind.CENSUS:
                census = decode_as(data, Census)
                self._picker, self._start = BeatPicker(census, self._audience.max_norms), data
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
        spacing = min(BEAT_SECONDS, self._audience.text_seconds)
        if publication is None and now >= max(self._texts_at, self._sent_at + spacing):
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
        words = self._read_words(beat.attempt, beat.step) if self._read_words else None
        alone = encode(replace(beat, first_step=beat.step, between=NO_STEPS))
        self._state = replace(
            self._state,
            attempt=beat.attempt,
            step=beat.step,
            census=picked.before,
            beat=alone,
            words=words,
        )
        frames: list[Part] = [encode(beat)]
        if self._audience.presents and picked.passed:
            frames.insert(0, _passed_message(beat.attempt, picked.passed))
        if self._audience.presents and beat.elsewhere:
            # A beat has no field for the gradients of rows outside the batch.
            frames.append(encode(picked.pulse))
        publication = self._with_texts(*frames, words=words)
        self._beats.note_sent(now, len(publication.envelope(text=True) or b""))
        return publication

    def _with_texts(self, *frames: Part, words: str | None = None) -> Publication:
        if self._status is not None:
            self._state = replace(self._state, status=self._status)
        status = self._status
        if status is not None and not self._audience.presents:
            status = without_message(status)
        parts = (*frames, status, *self._texts)
        worded = (words, *self._worded, self._status if self._status != status else None)
        self._status, self._texts, self._worded, self._texts_at = None, [], [], float("inf")
        return Publication(
            tuple(part for part in parts if part is not None),
            tuple(part for part in worded if part is not None),
            compress=self._compress,
        )

    def _make_map(self, now: float) -> Publication | None:
        if now < self._map.next_at:
            return None
        frame = self._next_map_frame(now)
        if frame is None:
            return None
        publication = Publication((frame,), compress=self._compress)
        self._map.note_sent(now, len(publication.envelope(text=False) or b""))
        return publication

    def _next_map_frame(self, now: float) -> bytes | None:
        """Return the next part of the map in turn; None if nothing is new."""
        if self._districts is not None and now >= self._districts_at:
            districts, self._districts = self._districts, None
            self._districts_at = now + self._audience.districts_seconds
            self._state = replace(self._state, districts=districts)
            return districts
        # Until there is a map, the linear view is all there is to see.
        has_map = Method.UMAP in self._shown
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
            self._linear_at = now + self._audience.linear_seconds
        layout = self._layouts.pop(view)
        if self._audience.presents:
            self._shown[view] = frame = layout
        else:
            chain = self._chains[view]
            try:
                frame = chain.append(decode_as(layout, Layout))
            except FrameError as error:
                log.warning("a class is shown a run without one of its layouts: %s", error)
                return None
            if chain.newest is not None:
                self._shown[view] = chain.newest
        # The map comes first.
        newest = (self._shown.get(one) for one in self._chains)
        self._state = replace(self._state, layouts=tuple(one for one in newest if one is not None))
        return frame


def _passed_message(attempt: int, passed: list[PassedStep]) -> str:
    return to_json_text(
        PassedMessage(
            attempt=attempt,
            steps=[one.step for one in passed],
            losses=[one.loss for one in passed],
            norms=[list(one.norms) for one in passed],
            ever_rows=[one.ever for one in passed],
        )
    )


_MAX_WORDS = 64


class FolderBeats:
    """Publishes the beats of one run."""

    def __init__(
        self,
        run: RunFolder,
        catalog: RunCatalog,
        log: BeatLog,
        on_failed: Callable[[int, str], None] = lambda code, reason: None,
        *,
        audience: Audience = CLASS,
    ) -> None:
        """Prepare to follow `run`. `on_failed` receives a close code and a reason on the follower's thread; no
        call follows.
        """
        self._run = run
        self._log = log
        # The presenter's page fetches the texts that it shows.
        self._maker = BeatMaker(None if audience.presents else self._read_words, audience)
        self._follower = RunFollower(
            run,
            catalog,
            on_messages=self._take_messages,
            on_failed=on_failed,
            on_poll=self._publish_due,
        )

    def start(self) -> None:
        self._follower.start()

    def stop(self) -> None:
        self._follower.stop()

    def wait_ended(self, timeout: float | None = None) -> bool:
        return self._follower.wait_ended(timeout)

    def _take_messages(self, messages: list[ViewerMessage]) -> None:
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
