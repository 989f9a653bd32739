"""The send queue of one viewer: bounded, with a policy for each kind of message.

With a plain `for viewer in viewers: await send(...)`, one viewer who stops reading stops all of them. One
task per send loses the order and any bound. So there is a queue per viewer, which the run follower fills
without waiting, and a task per viewer that empties it as fast as that viewer reads.

Pulses and rows merge once more than `MERGE_AFTER` are queued, or become beats (`BeatQueue`); layouts,
districts, the census and the status are replaced by newer ones; other text waits, and a viewer with too much
of it queued is disconnected.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum

from lamplighter.serving.live.beat_picker import BeatPicker, PassedStep
from lamplighter.serving.schemas.base import to_json_text
from lamplighter.serving.schemas.messages import PassedMessage
from lamplighter.wire.frames import decode, decode_as, encode
from lamplighter.wire.merge import merge_pulses, merge_rows
from lamplighter.wire.pulse_frames import Pulse
from lamplighter.wire.row_frames import Census, Rows


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
    ROWS = "rows"
    MATRIX = "matrix"
    """The whole matrix, which includes all queued rows."""
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
    MessageKind.MATRIX,
    MessageKind.LINEAR,
    MessageKind.UMAP,
    MessageKind.DISTRICTS,
    MessageKind.STATUS,
)
"""Kinds of which only the newest message stays queued."""


OF_THE_PRESENT = (MessageKind.STATUS, MessageKind.LINES, MessageKind.EXAMINATION, MessageKind.TEXT)
"""Kinds that a viewer gets even while it replays the past."""


@dataclass(frozen=True)
class ViewerMessage:
    """A message for viewers."""

    kind: MessageKind
    data: bytes | str
    attempt: int = 0
    """The attempt of a frame; only frames of the same attempt merge."""


MERGE_AFTER = 64
"""Frames of one kind that may be queued before they merge."""
MERGE_BYTES = 8 << 20
"""Bytes of one kind that may be queued: pulses and rows of a dense optimiser are large."""
MAX_TEXTS = 1_000


class TooFarBehindError(RuntimeError):
    """Raised when too much text is queued for a viewer."""


class SendQueue:
    """A queue that the event loop fills without waiting and one sender empties."""

    def __init__(
        self,
        merge_after: int = MERGE_AFTER,
        merge_bytes: int = MERGE_BYTES,
        *,
        beats: BeatQueue | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Start empty. With `beats` pulses become beats; otherwise they are sent unchanged."""
        self._beats, self._clock = beats, clock
        self._frames = {
            MessageKind.PULSE: _MergeQueue(_merge_pulse_frames, merge_after, merge_bytes),
            MessageKind.ROWS: _MergeQueue(_merge_row_frames, merge_after, merge_bytes),
        }
        self._newest: dict[MessageKind, tuple[int, ViewerMessage]] = {}
        self._texts: deque[tuple[int, ViewerMessage]] = deque()
        self._count = 0
        self._filled = asyncio.Event()

    def put(self, message: ViewerMessage) -> None:
        """Add a message. Raises TooFarBehindError if too much text is queued."""
        self._count += 1
        entry = (self._count, message)
        if self._beats is not None and isinstance(message.data, bytes):
            if message.kind is MessageKind.CENSUS:
                self._beats.start(message.data)
            elif message.kind is MessageKind.PULSE:
                self._beats.put(message.data, self._clock())
                self._filled.set()
                return
        if message.kind in self._frames:
            self._frames[message.kind].put(entry)
        elif message.kind in LATEST_ONLY:
            if message.kind is MessageKind.CENSUS:
                self._frames[MessageKind.PULSE].clear()
            elif message.kind is MessageKind.MATRIX:
                self._frames[MessageKind.ROWS].clear()
            # Keep the position of the replaced message: at the end of the queue, its successors could
            # postpone it for ever.
            position = self._newest.get(message.kind, entry)[0]
            self._newest[message.kind] = (position, message)
        else:
            self._texts.append(entry)
            if len(self._texts) > MAX_TEXTS:
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

    def pending_count(self) -> int:
        return sum(len(queue) for queue in self._frames.values()) + len(self._newest) + len(self._texts)

    def _pop(self) -> ViewerMessage | None:
        heads: list[tuple[int, MessageKind | None]] = [
            (queue.first, kind) for kind, queue in self._frames.items() if len(queue)
        ]
        heads += [(number, kind) for kind, (number, _) in self._newest.items()]
        if self._texts:
            heads.append((self._texts[0][0], None))
        if not heads:
            return None
        _, kind = min(heads, key=lambda head: head[0])
        if kind is None:
            return self._texts.popleft()[1]
        return self._newest.pop(kind)[1] if kind in LATEST_ONLY else self._frames[kind].pop()


class _MergeQueue:
    """The queued frames of one kind, which merge when there are too many. Until then, queues share a frame's
    bytes.
    """

    def __init__(
        self,
        merge: Callable[[Sequence[bytes]], bytes],
        max_frames: int,
        max_bytes: int,
    ) -> None:
        self._merge = merge
        self._max_frames = max_frames
        self._max_bytes = max_bytes
        self._waiting: deque[tuple[int, ViewerMessage]] = deque()
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def first(self) -> int:
        return self._waiting[0][0]

    def put(self, entry: tuple[int, ViewerMessage]) -> None:
        if self._waiting and self._waiting[-1][1].attempt != entry[1].attempt:
            # A new attempt comes without a census if it supersedes nothing that was sent.
            self._merge_newest_attempt()
        self._waiting.append(entry)
        self._bytes += len(entry[1].data)
        same = sum(1 for _, message in self._waiting if message.attempt == entry[1].attempt)
        if same > self._max_frames or (same > 2 and self._bytes > self._max_bytes):
            self._merge_newest_attempt()

    def pop(self) -> ViewerMessage:
        _, message = self._waiting.popleft()
        self._bytes -= len(message.data)
        return message

    def clear(self) -> None:
        self._waiting.clear()
        self._bytes = 0

    def _merge_newest_attempt(self) -> None:
        attempt = self._waiting[-1][1].attempt
        before = [entry for entry in self._waiting if entry[1].attempt != attempt]
        group = [entry for entry in self._waiting if entry[1].attempt == attempt]
        if len(group) > 1:
            data = self._merge(
                [bytes(message.data) for _, message in group if isinstance(message.data, bytes)]
            )
            group = [(group[0][0], ViewerMessage(group[0][1].kind, data, attempt))]
        self._waiting = deque(before + group)
        self._bytes = sum(len(message.data) for _, message in self._waiting)


def _merge_pulse_frames(frames: Sequence[bytes]) -> bytes:
    return encode(merge_pulses([frame for frame in map(decode, frames) if isinstance(frame, Pulse)]))


def _merge_row_frames(frames: Sequence[bytes]) -> bytes:
    return encode(merge_rows([frame for frame in map(decode, frames) if isinstance(frame, Rows)]))
