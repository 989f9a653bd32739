"""Playback of a run to one viewer, from a step on and at a given speed: the same frames as live, each when
its step is due.

Each viewer has one playback task, which ends with it. Worker threads read the files a few steps at a time;
only a few playbacks read at once, and no file stays open in between. Due messages enter the viewer's send
queue as live ones do, so a viewer slower than the speed gets merged steps. At full speed the next message
waits until the queue is empty, so nothing merges and the viewer sets the speed.

When the run has no more steps the viewer joins the run follower, and is live from there.
"""

from __future__ import annotations

import asyncio
import math
import re
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

import anyio
import anyio.to_thread
from pydantic import BaseModel

from lamplighter.runfolder.errors import READ_ERRORS, passes
from lamplighter.runfolder.reading.playback import CHANNELS, NoSuchStepError, Part, Place, Playback, Played
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.serving.live.send_queue import Message, What
from lamplighter.serving.schemas.base import json_text
from lamplighter.serving.schemas.messages import MeasuresMessage
from lamplighter.wire.frames import Method

CANNOT_BE_PLAYED = 4400
"""Websocket close code. Final: retrying does not help."""
SPEED = 50.0
"""Default speed, in steps per second."""
SLOWEST, FASTEST = 0.001, 1_000_000.0
_LAST_STEP = 0xFFFF_FFFE
_AHEAD = 0.5
"""Seconds of steps read at once; steps read ahead may be superseded before they are due."""
_MOST_STEPS = 256
_LAG = 0.25
"""Seconds that a viewer may fall behind its speed before its steps merge."""
_FULL = 32
"""Messages that may wait in the send queue meanwhile."""
_AGAIN = 0.1
"""Seconds between reads of a run that has no more steps."""
_TRIES = 3

_WHAT = {
    Part.CENSUS: What.CENSUS,
    Part.MATRIX: What.MATRIX,
    Part.PULSE: What.PULSE,
    Part.ROWS: What.ROWS,
    Part.DISTRICTS: What.DISTRICTS,
}


class EventMessage(BaseModel):
    """A playback message: an event recorded with the step just played."""

    type: Literal["event"] = "event"
    step: int
    attempt: int
    time: float
    kind: str
    message: str


class LiveMessage(BaseModel):
    """A playback message: the following messages are live."""

    type: Literal["live"] = "live"
    step: int


class EndMessage(BaseModel):
    """A playback message: the last step was played."""

    type: Literal["end"] = "end"
    step: int


class WishError(ValueError):
    """A playback request that cannot be fulfilled; the message says which can."""


@dataclass(frozen=True)
class Wish:
    """A viewer's request for playback."""

    first: int
    last: int | None
    speed: float
    """Steps per second; infinite for as fast as the viewer reads."""
    again: bool = False
    """True to play the reprojected map instead of the live one."""


def read_wish(query: Mapping[str, str]) -> Wish | None:
    """Read the playback request in the parameters `from`, `to`, `speed` and `set`; None for live.

    Raises:
        WishError: the parameters are not valid.
    """
    if "from" not in query:
        if "to" in query or "speed" in query or "set" in query:
            raise WishError("`to`, `speed` and `set` need `from`: the step to play from")
        return None
    first = _step("from", query["from"])
    last = _step("to", query["to"]) if "to" in query else None
    if last is not None and last < first:
        raise WishError(f"`to` is {last}, before `from`, {first}")
    layouts = query.get("set", "live")
    if layouts not in ("live", "again"):
        raise WishError("`set` must be `live` or `again`: the map as it was made, or as it was laid out anew")
    return Wish(first, last, _speed(query.get("speed")), layouts == "again")


def _step(name: str, text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,10}", text) or int(text) > _LAST_STEP:
        raise WishError(f"`{name}` must be a step, a whole number from 0 on")
    return int(text)


def _speed(text: str | None) -> float:
    if text is None:
        return SPEED
    if text == "full":
        return math.inf
    if not re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})?", text) or not SLOWEST <= float(text) <= FASTEST:
        raise WishError(f"`speed` must be steps a second, {SLOWEST:g} to {FASTEST:,.0f}, or `full`")
    return float(text)


class Player:
    """The playback of one run to one viewer."""

    def __init__(
        self,
        run: RunFolder,
        channels: frozenset[str],
        wish: Wish,
        *,
        put: Callable[[list[Message]], None],
        room: Callable[[int], Awaitable[None]],
        join: Callable[[Place, list[Message]], Awaitable[bool]],
        readers: anyio.CapacityLimiter,
    ) -> None:
        """Prepare to play `run`.

        Args:
            run: the run to play.
            channels: the viewer's channels.
            wish: the first and last step, and the speed.
            put: queues messages for the viewer without waiting.
            room: waits until at most the given number of messages are queued for the viewer.
            join: makes the viewer live after sending it the given messages; returns False if more must be
                played first.
            readers: limits how many playbacks read at once.
        """
        parts = [part for name in channels for part in CHANNELS[name]] + [Part.MEASURES, Part.EVENT]
        self._playback = Playback(run, wish.first, wish.last, parts, again=wish.again)
        self._put, self._room, self._join = put, room, join
        self._readers = readers
        self._first, self._speed = wish.first, wish.speed
        self._steps = _MOST_STEPS if math.isinf(wish.speed) else _clamp(wish.speed * _AHEAD)
        self._live = wish.last is None
        self._said_end = False
        self._base: tuple[float, int] | None = None
        """The time at which a step was due; the due times of later steps follow from it."""
        self._given = -1

    async def play(self) -> None:
        """Play until the viewer is live or no steps remain.

        Raises:
            NoSuchStepError: the run does not have the first step.
            FormatError, OSError, apsw.Error: the run cannot be read.
        """
        while not self._playback.done:
            before = self._playback.place
            batch = await self._read()
            for _, of_step in groupby(batch, key=lambda one: one.step):
                await self._give(list(of_step))
            # Steps without messages for this viewer take their time as well.
            await self._until(self._playback.place.step)
            if batch or self._playback.place.step != before.step:
                continue
            place = self._playback.place
            if self._playback.over and place.step >= 0 and not self._said_end:
                self._end()
            if self._live and place.step >= 0:
                live = Message(What.TEXT, json_text(LiveMessage(step=place.step)))
                if await self._join(place, [] if self._said_end else [live]):
                    return
            await asyncio.sleep(_AGAIN)
        self._end()

    def _end(self) -> None:
        self._said_end = True
        self._put([Message(What.TEXT, json_text(EndMessage(step=self._playback.place.step)))])

    async def _read(self) -> list[Played]:
        failures = 0
        begun = time.monotonic()
        while True:
            try:
                batch = await anyio.to_thread.run_sync(
                    self._playback.more, self._steps, limiter=self._readers
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
                await asyncio.sleep(2 * _AGAIN)
        if self._base is None and self._playback.place.step >= 0:
            self._base = time.monotonic(), self._first
        elif self._base is not None and batch and not math.isinf(self._speed):
            # If reading fell behind, shift the clock instead of catching up: a slow disk must not merge
            # steps.
            late = time.monotonic() - max(begun, self._due(batch[0].step))
            self._base = self._base[0] + max(0.0, late), self._base[1]
        return batch

    def _due(self, step: int) -> float:
        at, of = self._base or (time.monotonic(), step)
        return at + (step - of) / self._speed

    async def _until(self, step: int) -> None:
        wait = self._due(step) - time.monotonic()
        if wait > 0 and not math.isinf(self._speed):
            await asyncio.sleep(wait)

    async def _give(self, of_step: list[Played]) -> None:
        if math.isinf(self._speed):
            for one in of_step:
                await self._room(0)
                self._put([_message(one)])
            return
        step = of_step[0].step
        if step < self._given:
            # Playback went back: a new attempt superseded steps already played.
            self._base = time.monotonic(), step
        self._given = step
        await self._until(step)
        due = self._due(step)
        try:
            async with asyncio.timeout(max(0.0, due + _LAG - time.monotonic())):
                await self._room(_FULL)
        except TimeoutError:
            # The viewer is behind, so its queue merges.
            pass
        self._put([_message(one) for one in of_step])


def closing(error: Exception) -> tuple[int, str]:
    """Return the close code and the reason for a viewer whose run cannot be played."""
    if isinstance(error, WishError | NoSuchStepError):
        return CANNOT_BE_PLAYED, str(error)[:120]
    if passes(error):
        return 1011, f"this run cannot be read at the moment: {error}"[:120]
    return 4409, f"this run cannot be read: {error}"[:120]


def _clamp(steps: float) -> int:
    return max(1, min(_MOST_STEPS, round(steps)))


def _message(one: Played) -> Message:
    if one.event is not None:
        event = one.event
        text = EventMessage(
            step=event.step, attempt=event.attempt, time=event.time, kind=event.kind, message=event.message
        )
        return Message(What.TEXT, json_text(text))
    if one.measures is not None:
        step, values = one.measures
        return Message(What.MEASURES, json_text(MeasuresMessage(step=step, values=dict(values))))
    if one.part is Part.LAYOUT:
        return Message(What.UMAP if one.method.view is Method.UMAP else What.LINEAR, one.frame, one.attempt)
    return Message(_WHAT[one.part], one.frame, one.attempt)
