"""What one viewer still has to get: bounded, with a policy for each kind of message.

Naive: `for viewer in viewers: await send(...)`. One viewer who stops reading then stops everybody. A task a
send: no order, and no bound. So: a slot a viewer, which the tail fills without ever waiting, and a task a
viewer that empties it as fast as that viewer reads.

Pulses and moved rows merge once more than `MERGE_AFTER` wait; layouts, districts, the census and the status are
replaced by newer ones; other text waits, and a viewer for whom too much of it waits is given up.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum

from lamplighter.wire.frames import Pulse, Rows, decode, encode
from lamplighter.wire.merge import merge_pulses, merge_rows

MERGE_AFTER = 64
"""Frames of one kind that wait before they become one."""
MERGE_BYTES = 8 << 20
"""The same in bytes: a pulse or the rows of a dense optimiser are large."""
MOST_TEXTS = 1_000


class What(Enum):
    """Kinds of messages, by policy."""

    PULSE = "pulse"
    ROWS = "rows"
    MATRIX = "matrix"
    """The whole matrix: whatever rows wait are in it."""
    CENSUS = "census"
    """A beginning: whatever pulses wait are in it, or superseded."""
    LINEAR = "linear"
    UMAP = "umap"
    DISTRICTS = "districts"
    STATUS = "status"
    MEASURES = "measures"
    """Text, like any other."""
    TEXT = "text"


NEWEST = (What.CENSUS, What.MATRIX, What.LINEAR, What.UMAP, What.DISTRICTS, What.STATUS)
"""Of these only the newest waits."""


@dataclass(frozen=True)
class Message:
    """One message for viewers."""

    what: What
    data: bytes | str
    attempt: int = 0
    """Of a frame: only frames of one attempt merge."""


class TooFarBehindError(RuntimeError):
    """More text waits for a viewer than can be kept."""


class Slot:
    """Filled on the event loop without waiting, emptied by one sender."""

    def __init__(self, merge_after: int = MERGE_AFTER, merge_bytes: int = MERGE_BYTES) -> None:
        """An empty slot."""
        self._frames = {What.PULSE: _Lane(_pulses, merge_after, merge_bytes),
                        What.ROWS: _Lane(_rows, merge_after, merge_bytes)}  # fmt: skip
        self._newest: dict[What, tuple[int, Message]] = {}
        self._texts: deque[tuple[int, Message]] = deque()
        self._count = 0
        self._filled = asyncio.Event()

    def put(self, message: Message) -> None:
        """Add a message.

        Raises:
            TooFarBehindError: too much text waits.
        """
        self._count += 1
        entry = (self._count, message)
        if message.what in self._frames:
            self._frames[message.what].put(entry)
        elif message.what in NEWEST:
            if message.what is What.CENSUS:
                self._frames[What.PULSE].clear()
            elif message.what is What.MATRIX:
                self._frames[What.ROWS].clear()
            # It takes the place of the one it replaces: at the end it could wait for ever, put off again
            # and again by its successors.
            place = self._newest.get(message.what, entry)[0]
            self._newest[message.what] = (place, message)
        else:
            self._texts.append(entry)
            if len(self._texts) > MOST_TEXTS:
                raise TooFarBehindError
        self._filled.set()

    async def take(self) -> bytes | str:
        """The next message, in the order they came; waits for one."""
        while True:
            found = self._pop()
            if found is not None:
                return found.data
            self._filled.clear()
            await self._filled.wait()

    def waiting(self) -> int:
        """Messages that wait."""
        return sum(len(lane) for lane in self._frames.values()) + len(self._newest) + len(self._texts)

    def _pop(self) -> Message | None:
        heads: list[tuple[int, What | None]] = [
            (lane.first, what) for what, lane in self._frames.items() if len(lane)
        ]
        heads += [(number, what) for what, (number, _) in self._newest.items()]
        if self._texts:
            heads.append((self._texts[0][0], None))
        if not heads:
            return None
        _, what = min(heads, key=lambda head: head[0])
        if what is None:
            return self._texts.popleft()[1]
        return self._newest.pop(what)[1] if what in NEWEST else self._frames[what].pop()


class _Lane:
    """Frames of one kind, which merge when too many wait. Bytes are shared between slots until they do."""

    def __init__(self, merge: Callable[[Sequence[bytes]], bytes], most: int, most_bytes: int) -> None:
        self._merge = merge
        self._most = most
        self._most_bytes = most_bytes
        self._waiting: deque[tuple[int, Message]] = deque()
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def first(self) -> int:
        return self._waiting[0][0]

    def put(self, entry: tuple[int, Message]) -> None:
        if self._waiting and self._waiting[-1][1].attempt != entry[1].attempt:
            # Another attempt follows without a census where it changes nothing that was seen.
            self._collapse()
        self._waiting.append(entry)
        self._bytes += len(entry[1].data)
        same = sum(1 for _, message in self._waiting if message.attempt == entry[1].attempt)
        if same > self._most or (same > 2 and self._bytes > self._most_bytes):
            self._collapse()

    def pop(self) -> Message:
        _, message = self._waiting.popleft()
        self._bytes -= len(message.data)
        return message

    def clear(self) -> None:
        self._waiting.clear()
        self._bytes = 0

    def _collapse(self) -> None:
        attempt = self._waiting[-1][1].attempt
        before = [entry for entry in self._waiting if entry[1].attempt != attempt]
        group = [entry for entry in self._waiting if entry[1].attempt == attempt]
        if len(group) > 1:
            data = self._merge(
                [bytes(message.data) for _, message in group if isinstance(message.data, bytes)]
            )
            group = [(group[0][0], Message(group[0][1].what, data, attempt))]
        self._waiting = deque(before + group)
        self._bytes = sum(len(message.data) for _, message in self._waiting)


def _pulses(frames: Sequence[bytes]) -> bytes:
    return encode(merge_pulses([frame for frame in map(decode, frames) if isinstance(frame, Pulse)]))


def _rows(frames: Sequence[bytes]) -> bytes:
    return encode(merge_rows([frame for frame in map(decode, frames) if isinstance(frame, Rows)]))
