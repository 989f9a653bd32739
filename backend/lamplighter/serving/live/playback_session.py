"""Playback of a run to one viewer, from a step on and at a given speed, as the query of its connection asks.

The frames are the same as live, each sent when its step is due.

Each viewer has one playback task, which ends with it. Worker threads read the files a few steps at a time;
only a few playbacks read at once, and no file stays open in between. Due messages enter the viewer's send
queue as live ones do, so a viewer slower than the speed gets merged steps. At full speed the next message
waits until the queue is empty, so nothing merges and the viewer sets the speed.

When the run has no more steps, the viewer joins the run follower, and is live from there.
"""

from __future__ import annotations

import asyncio
import math
import re
import time
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from itertools import groupby

import anyio
import anyio.to_thread

from lamplighter.runfolder.errors import READ_ERRORS, explain_read_error, is_transient
from lamplighter.runfolder.lineage import LAST_STEP
from lamplighter.runfolder.reading.playback import (
    CHANNELS,
    NoSuchStepError,
    Playback,
    PlaybackCursor,
    PlaybackItem,
    PlaybackKind,
)
from lamplighter.runfolder.reading.shared_timeline import SharedTimelines
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.serving.live.beat_picker import BEAT_SECONDS
from lamplighter.serving.live.send_queue import MessageKind, ViewerMessage
from lamplighter.serving.live.viewer import CLOSE_UNREADABLE
from lamplighter.serving.schemas.base import to_json_text
from lamplighter.serving.schemas.messages import EndMessage, EventMessage, LiveMessage, MeasuresMessage
from lamplighter.wire.layout_frames import Method

DEFAULT_SPEED = 50.0
"""Default speed, in steps per second."""
MIN_SPEED, MAX_SPEED = 0.001, 1_000_000.0
_LAST_PLAYABLE_STEP = LAST_STEP - 1
"""The last step that has a successor."""


_MAX_INTERVAL = 60.0


class PlaybackRequestError(ValueError):
    """Raised for a request that cannot be fulfilled; the message says which can."""


@dataclass(frozen=True)
class PlaybackRequest:
    """A viewer's request for playback."""

    first: int
    last: int | None
    speed: float
    """Steps per second; infinite for as fast as the viewer reads."""
    reprojected: bool = False
    """True to play the reprojected map instead of the live one."""


def parse_playback_request(query: Mapping[str, str]) -> PlaybackRequest | None:
    """Parse the parameters `from`, `to`, `speed` and `set`; None for live. Raises PlaybackRequestError."""
    if "from" not in query:
        if "to" in query or "speed" in query or "set" in query:
            raise PlaybackRequestError("`to`, `speed` and `set` need `from`: the step to play from")
        return None
    first = _step("from", query["from"])
    last = _step("to", query["to"]) if "to" in query else None
    if last is not None and last < first:
        raise PlaybackRequestError(f"`to` is {last}, before `from`, {first}")
    layouts = query.get("set", "live")
    if layouts not in ("live", "again"):
        raise PlaybackRequestError("`set` must be `live` or `again`: the map as recorded, or as recomputed")
    return PlaybackRequest(first, last, _speed(query.get("speed")), layouts == "again")


def parse_interval(query: Mapping[str, str], channels: Collection[str]) -> float | None:
    """Parse the minimum seconds between two beats in the parameter `interval`; None for a viewer without beats.
    Raises PlaybackRequestError if it is not valid, or cannot be combined with the others.
    """
    if "beats" not in channels:
        if "interval" in query:
            raise PlaybackRequestError("`interval` needs the channel `beats`")
        return None
    if "from" in query or "pulse" in channels:
        raise PlaybackRequestError("`beats` are live, and take the place of `pulse`")
    text = query.get("interval")
    if text is None:
        return BEAT_SECONDS
    if (
        not re.fullmatch(r"[0-9]{1,2}(\.[0-9]{1,9})?", text)
        or not BEAT_SECONDS <= float(text) <= _MAX_INTERVAL
    ):
        raise PlaybackRequestError(f"`interval` must be seconds, {BEAT_SECONDS:.2f} to {_MAX_INTERVAL:g}")
    return float(text)


def _step(name: str, text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,10}", text) or int(text) > _LAST_PLAYABLE_STEP:
        raise PlaybackRequestError(f"`{name}` must be a step, a whole number from 0 on")
    return int(text)


def _speed(text: str | None) -> float:
    if text is None:
        return DEFAULT_SPEED
    if text == "full":
        return math.inf
    if not re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})?", text) or not MIN_SPEED <= float(text) <= MAX_SPEED:
        raise PlaybackRequestError(
            f"`speed` must be steps a second, {MIN_SPEED:g} to {MAX_SPEED:,.0f}, or `full`"
        )
    return float(text)


CLOSE_CANNOT_BE_PLAYED = 4400
"""Websocket close code. Final: retrying does not help."""
_READ_AHEAD_SECONDS = 0.5
"""Seconds of steps read at once; steps read ahead may be superseded before they are due."""
_MAX_BATCH_STEPS = 256
_MAX_LAG_SECONDS = 0.25
"""Seconds that a viewer may lag before its steps merge."""
_MAX_QUEUED = 32
"""Maximum messages in the send queue during that time."""
_POLL_SECONDS = 0.1
"""Seconds between reads of a run that has no more steps."""
_TRIES = 3

_KIND_OF_CHANNEL = {
    PlaybackKind.CENSUS: MessageKind.CENSUS,
    PlaybackKind.MATRIX: MessageKind.MATRIX,
    PlaybackKind.PULSE: MessageKind.PULSE,
    PlaybackKind.ROWS: MessageKind.ROWS,
    PlaybackKind.DISTRICTS: MessageKind.DISTRICTS,
}


class PlaybackSession:
    """The playback of one run to one viewer."""

    def __init__(
        self,
        run: RunFolder,
        channels: frozenset[str],
        request: PlaybackRequest,
        *,
        enqueue: Callable[[list[ViewerMessage]], None],
        wait_for_room: Callable[[int], Awaitable[None]],
        join: Callable[[PlaybackCursor, list[ViewerMessage]], Awaitable[bool]],
        readers: anyio.CapacityLimiter,
        shared: SharedTimelines,
    ) -> None:
        """Prepare to play `run`.

        `enqueue` queues messages for the viewer without waiting; `wait_for_room` waits until at most the given
        number are queued; `join` makes the viewer live after the given messages, and returns False if more must
        be played first. `readers` limits how many playbacks read at once; `shared` are the lists of the run
        that all its players share.
        """
        parts = [part for name in channels for part in CHANNELS[name]] + [
            PlaybackKind.MEASURES,
            PlaybackKind.EVENT,
        ]
        self._playback = Playback(
            run, request.first, request.last, parts, reprojected=request.reprojected, shared=shared
        )
        self._enqueue, self._wait_for_room, self._join = enqueue, wait_for_room, join
        self._readers = readers
        self._first, self._speed = request.first, request.speed
        self._steps = (
            _MAX_BATCH_STEPS if math.isinf(request.speed) else _clamp(request.speed * _READ_AHEAD_SECONDS)
        )
        self._live = request.last is None
        self._end_sent = False
        self._anchor: tuple[float, int] | None = None
        """The time at which a step was due, from which the due times of later steps follow."""
        self._last_sent_step = -1

    async def play(self) -> None:
        """Play until the viewer is live or no steps remain. Raises NoSuchStepError if the run does not have the
        first step; FormatError, OSError, apsw.Error if it cannot be read.
        """
        while not self._playback.done:
            before = self._playback.cursor
            batch = await self._read_batch()
            for _, items in groupby(batch, key=lambda one: one.step):
                await self._send_step(list(items))
            # Steps without messages for this viewer take their time as well.
            await self._wait_until_due(self._playback.cursor.step)
            if batch or self._playback.cursor.step != before.step:
                continue
            cursor = self._playback.cursor
            if self._playback.run_ended and cursor.step >= 0 and not self._end_sent:
                self._send_end()
            if self._live and cursor.step >= 0:
                live = ViewerMessage(MessageKind.TEXT, to_json_text(LiveMessage(step=cursor.step)))
                if await self._join(cursor, [] if self._end_sent else [live]):
                    return
            await asyncio.sleep(_POLL_SECONDS)
        self._send_end()

    def _send_end(self) -> None:
        self._end_sent = True
        self._enqueue(
            [ViewerMessage(MessageKind.TEXT, to_json_text(EndMessage(step=self._playback.cursor.step)))]
        )

    async def _read_batch(self) -> list[PlaybackItem]:
        failures = 0
        start = time.monotonic()
        while True:
            try:
                batch = await anyio.to_thread.run_sync(
                    self._playback.read_next, self._steps, limiter=self._readers
                )
                break
            except FileNotFoundError:
                # The run has not begun. If it is gone for good, the run follower says so.
                batch = []
                break
            except READ_ERRORS:
                failures += 1
                if failures >= _TRIES:
                    raise
                await asyncio.sleep(2 * _POLL_SECONDS)
        if self._anchor is None and self._playback.cursor.step >= 0:
            self._anchor = time.monotonic(), self._first
        elif self._anchor is not None and batch and not math.isinf(self._speed):
            # If reading fell behind, shift the clock instead of catching up: a slow disk must not merge
            # steps.
            late = time.monotonic() - max(start, self._due_time(batch[0].step))
            self._anchor = self._anchor[0] + max(0.0, late), self._anchor[1]
        return batch

    def _due_time(self, step: int) -> float:
        anchor_time, anchor_step = self._anchor or (time.monotonic(), step)
        return anchor_time + (step - anchor_step) / self._speed

    async def _wait_until_due(self, step: int) -> None:
        wait = self._due_time(step) - time.monotonic()
        if wait > 0 and not math.isinf(self._speed):
            await asyncio.sleep(wait)

    async def _send_step(self, items: list[PlaybackItem]) -> None:
        if math.isinf(self._speed):
            for one in items:
                await self._wait_for_room(0)
                self._enqueue([_to_message(one)])
            return
        step = items[0].step
        if step < self._last_sent_step:
            # Playback went back: a new attempt superseded steps already played.
            self._anchor = time.monotonic(), step
        self._last_sent_step = step
        await self._wait_until_due(step)
        due = self._due_time(step)
        try:
            async with asyncio.timeout(max(0.0, due + _MAX_LAG_SECONDS - time.monotonic())):
                await self._wait_for_room(_MAX_QUEUED)
        except TimeoutError:
            # The viewer is behind, so its queue merges.
            pass
        self._enqueue([_to_message(one) for one in items])


def close_code_for(error: Exception) -> tuple[int, str]:
    """Return the close code and the reason for a viewer whose run cannot be played."""
    if isinstance(error, PlaybackRequestError | NoSuchStepError):
        return CLOSE_CANNOT_BE_PLAYED, str(error)[:120]
    if is_transient(error):
        return 1011, f"this run cannot be read at the moment: {explain_read_error(error)}"[:120]
    return CLOSE_UNREADABLE, f"this run cannot be read: {explain_read_error(error)}"[:120]


def _clamp(steps: float) -> int:
    return max(1, min(_MAX_BATCH_STEPS, round(steps)))


def _to_message(one: PlaybackItem) -> ViewerMessage:
    if one.event is not None:
        event = one.event
        text = EventMessage(
            step=event.step, attempt=event.attempt, time=event.time, kind=event.kind, message=event.message
        )
        return ViewerMessage(MessageKind.TEXT, to_json_text(text))
    if one.measures is not None:
        step, values = one.measures
        return ViewerMessage(
            MessageKind.MEASURES, to_json_text(MeasuresMessage(step=step, values=dict(values)))
        )
    if one.kind is PlaybackKind.LAYOUT:
        return ViewerMessage(
            MessageKind.UMAP if one.method.view is Method.UMAP else MessageKind.LINEAR, one.frame, one.attempt
        )
    return ViewerMessage(_KIND_OF_CHANNEL[one.kind], one.frame, one.attempt)
