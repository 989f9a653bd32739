"""Plays a run to one viewer from a step on, at a pace: the same frames as live, each when its step is due.

A task a viewer, which ends with it. The files are read a few steps at a time by a worker thread, few of which
read for players at once, and nothing stays open in between. What is due goes into the viewer's slot as it does
live, so one who is slower than the pace gets merged steps; at full speed the next message waits until the slot
is empty, so that nothing is merged and the viewer sets the pace.

Where the run has no more steps the viewer joins its tail (`tail.py`), and is live from there.
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

from lamplighter.runfolder.folder import RunFolder
from lamplighter.runfolder.playback import CHANNELS, NoSuchStepError, Part, Place, Playback, Played
from lamplighter.runfolder.trouble import READ_ERRORS, passes
from lamplighter.serving.shapes import json_text
from lamplighter.serving.shapes_of_messages import MeasuresMessage
from lamplighter.serving.slot import Message, What
from lamplighter.wire.frames import Method

CANNOT_BE_PLAYED = 4400
"""Close code: final."""
SPEED = 50.0
"""Steps a second where nobody said."""
SLOWEST, FASTEST = 0.001, 1_000_000.0
_LAST_STEP = 0xFFFF_FFFE
_AHEAD = 0.5
"""Seconds of steps read at once: what was read ahead may be superseded before it is due."""
_MOST_STEPS = 256
_LAG = 0.25
"""Seconds a viewer may be behind its pace before its steps merge."""
_FULL = 32
"""Messages that may wait in its slot meanwhile."""
_AGAIN = 0.1
"""Seconds until a run that has no more steps is looked at again."""
_TRIES = 3

_WHAT = {
    Part.CENSUS: What.CENSUS,
    Part.MATRIX: What.MATRIX,
    Part.PULSE: What.PULSE,
    Part.ROWS: What.ROWS,
    Part.DISTRICTS: What.DISTRICTS,
}


class EventMessage(BaseModel):
    """On a played socket: something happened with the step before."""

    type: Literal["event"] = "event"
    step: int
    attempt: int
    time: float
    kind: str
    message: str


class LiveMessage(BaseModel):
    """On a played socket: what follows is live."""

    type: Literal["live"] = "live"
    step: int


class EndMessage(BaseModel):
    """On a played socket: the last step was played."""

    type: Literal["end"] = "end"
    step: int


class WishError(ValueError):
    """What was asked for cannot be played; the message says what can."""


@dataclass(frozen=True)
class Wish:
    """What a viewer asked to be played."""

    first: int
    last: int | None
    speed: float
    """Steps a second; infinite for as fast as the viewer reads."""
    again: bool = False
    """On the map as it was laid out anew."""


def read_wish(query: Mapping[str, str]) -> Wish | None:
    """What the parameters `from`, `to`, `speed` and `set` ask for; None for live.

    Raises:
        WishError: they cannot be meant.
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
    """Plays one run to one viewer."""

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
        """Play `run`.

        Args:
            run: the run.
            channels: the viewer's.
            wish: from where, to where, and how fast.
            put: gives the viewer messages, without waiting.
            room: waits until at most so many messages wait for the viewer.
            join: makes the viewer a live one, after the messages given; false where it is not near enough yet.
            readers: bounds how many read at once.
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
        """When which step was due; every later one follows from it."""
        self._given = -1

    async def play(self) -> None:
        """Play, until the viewer is live or there is nothing more to play.

        Raises:
            NoSuchStepError: the run has no such step to begin with.
            FormatError, OSError, apsw.Error: the run cannot be read.
        """
        while not self._playback.done:
            before = self._playback.place
            batch = await self._read()
            for _, of_step in groupby(batch, key=lambda one: one.step):
                await self._give(list(of_step))
            # Steps without anything for this viewer take their time as well.
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
                # It has not begun; what is gone for good, the tail says.
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
            # Time that reading took beyond what was left is nobody's debt: the viewer's steps must not merge
            # because the disk is slow.
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
            # A beginning again.
            self._base = time.monotonic(), step
        self._given = step
        await self._until(step)
        due = self._due(step)
        try:
            async with asyncio.timeout(max(0.0, due + _LAG - time.monotonic())):
                await self._room(_FULL)
        except TimeoutError:
            # It is behind: its slot merges.
            pass
        self._put([_message(one) for one in of_step])


def closing(error: Exception) -> tuple[int, str]:
    """Close code and reason for a viewer whose run cannot be played."""
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
