"""The send queue of one viewer: bounded, with a policy for each kind of message.

With a plain `for viewer in viewers: await send(...)`, one viewer who stops reading stops all of them. One
task per send loses the order and any bound. So there is a queue per viewer, which the run follower fills
without waiting, and a task per viewer that empties it as fast as that viewer reads.

Pulses become beats (`BeatQueue`) for the page; layouts, districts, the census and the status are replaced by newer
ones; all else waits, and a viewer with too much of it queued is disconnected.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from lamplighter.serving.live.beat_picker import BeatPicker, PassedStep
from lamplighter.serving.schemas.base import to_json_text
from lamplighter.serving.schemas.messages import PassedMessage
from lamplighter.wire.frames import decode_as, encode
from lamplighter.wire.pulse_frames import Pulse
from lamplighter.wire.row_frames import Census


class BeatQueue:
    """The beats of one viewer. Only the newest step waits, with the counts of those before it."""

    def __init__(self, least_seconds: float) -> None:
        self._least_seconds = least_seconds
        self._picker: BeatPicker | None = None
        self._next_at = float("-inf")
        self._parts: deque[bytes | str] = deque()
        """The unsent rest of the last beat."""

    @property
    def due_at(self) -> float:
        """Return when there is something to send, in seconds; infinite if nothing waits."""
        if self._parts:
            return float("-inf")
        return float("inf") if self._picker is None else self._picker.due_at

    def start(self, census: bytes) -> None:
        """Start from a census, which the viewer gets: it includes or supersedes every step before."""
        self._picker = BeatPicker(decode_as(census, Census))
        self._parts.clear()

    def put(self, pulse: bytes, now: float) -> None:
        if self._picker is not None:
            self._picker.offer(decode_as(pulse, Pulse), now, self._next_at)

    def pop(self, now: float) -> bytes | str | None:
        """Return the next message at `now` (seconds); None if none is due."""
        picked = None if self._parts or self._picker is None else self._picker.pick(now)
        if picked is not None:
            self._next_at = now + self._least_seconds
            beat = picked.beat
            if picked.passed:
                self._parts.append(_passed_message(beat.attempt, picked.passed))
            self._parts.append(encode(beat))
            if beat.elsewhere:
                # A beat has no field for the gradients of rows outside the batch.
                self._parts.append(encode(picked.pulse))
        return self._parts.popleft() if self._parts else None


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


class MessageKind(Enum):
    """The kinds of messages, by queueing policy."""

    PULSE = "pulse"
    CENSUS = "census"
    """A new start, which includes or supersedes all queued pulses."""
    LINEAR = "linear"
    UMAP = "umap"
    DISTRICTS = "districts"
    STATUS = "status"
    MEASURES = "measures"
    """Text, queued like any other text; so are the next two kinds, which contain words of the run's text."""
    LINES = "lines"
    EXAMINATION = "examination"
    TEXT = "text"


LATEST_ONLY = (
    MessageKind.CENSUS,
    MessageKind.LINEAR,
    MessageKind.UMAP,
    MessageKind.DISTRICTS,
    MessageKind.STATUS,
)
"""Kinds of which only the newest message stays queued."""


@dataclass(frozen=True)
class ViewerMessage:
    """A message for viewers."""

    kind: MessageKind
    data: bytes | str
    attempt: int = 0
    """The attempt of a frame."""


MAX_WAITING = 1_000
"""Messages that may wait."""
MAX_WAITING_BYTES = 32 << 20


class TooFarBehindError(RuntimeError):
    """Raised when too much is queued for a viewer."""


class SendQueue:
    """A queue that the event loop fills without waiting and one sender empties."""

    def __init__(
        self, *, beats: BeatQueue | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Start empty. With `beats` pulses become beats; otherwise they are sent unchanged."""
        self._beats, self._clock = beats, clock
        self._newest: dict[MessageKind, tuple[int, ViewerMessage]] = {}
        self._waiting: deque[tuple[int, ViewerMessage]] = deque()
        self._bytes = 0
        self._count = 0
        self._filled = asyncio.Event()

    def put(self, message: ViewerMessage) -> None:
        """Add a message. Raises TooFarBehindError if too much waits."""
        self._count += 1
        entry = (self._count, message)
        if self._beats is not None and isinstance(message.data, bytes):
            if message.kind is MessageKind.CENSUS:
                self._beats.start(message.data)
            elif message.kind is MessageKind.PULSE:
                self._beats.put(message.data, self._clock())
                self._filled.set()
                return
        if message.kind in LATEST_ONLY:
            if message.kind is MessageKind.CENSUS:
                self._waiting = deque(e for e in self._waiting if e[1].kind is not MessageKind.PULSE)
                self._bytes = sum(len(waiting.data) for _, waiting in self._waiting)
            # Keep the position of the replaced message: at the end of the queue, its successors could
            # postpone it for ever.
            position = self._newest.get(message.kind, entry)[0]
            self._newest[message.kind] = (position, message)
        else:
            self._waiting.append(entry)
            self._bytes += len(message.data)
            if len(self._waiting) > MAX_WAITING or self._bytes > MAX_WAITING_BYTES:
                raise TooFarBehindError
        self._filled.set()

    async def get(self) -> bytes | str:
        """Return the next message in order of arrival; wait if there is none."""
        while True:
            beats = self._beats
            if beats is not None and MessageKind.CENSUS not in self._newest:
                beat = beats.pop(self._clock())
                if beat is not None:
                    return beat
            found = self._pop()
            if found is not None:
                return found.data
            self._filled.clear()
            wait = float("inf") if beats is None else beats.due_at - self._clock()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(None if wait == float("inf") else wait):
                    await self._filled.wait()

    def _pop(self) -> ViewerMessage | None:
        heads: list[tuple[int, MessageKind | None]] = [
            (number, kind) for kind, (number, _) in self._newest.items()
        ]
        if self._waiting:
            heads.append((self._waiting[0][0], None))
        if not heads:
            return None
        _, kind = min(heads, key=lambda head: head[0])
        if kind is not None:
            return self._newest.pop(kind)[1]
        message = self._waiting.popleft()[1]
        self._bytes -= len(message.data)
        return message
