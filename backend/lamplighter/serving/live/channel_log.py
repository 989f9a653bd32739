"""The newest entries of one channel of a run, in the order of their places, bounded in number and bytes."""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import dataclass, field
from typing import NamedTuple


class Sequence(NamedTuple):
    """A place in a channel."""

    attempt: int
    step: int
    number: int
    """The position among what is published at one step, from 1."""


START = Sequence(0, 0, 0)
"""The place before anything that is published."""

MAX_KEPT = 64
"""Entries kept: of beats, about fifteen seconds."""
MAX_BYTES = 8 << 20
"""Bytes kept, except for the newest entry."""


@dataclass(frozen=True)
class Entry:
    """One publication of a channel."""

    seq: Sequence
    data: bytes
    time: float = field(compare=False)
    """When it arrived here, in seconds of the monotonic clock."""


class ChannelLog:
    """The newest entries of one channel. Thread-safe.

    A reader who falls so far behind that entries are gone is told of the gap, and goes on from the newest state.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: deque[Entry] = deque()
        self._bytes = 0
        self._before = START
        """The place before the oldest kept entry."""

    @property
    def newest(self) -> Sequence:
        """Return the place of the newest entry; `START` if there is none."""
        with self._lock:
            return self._newest()

    def append(self, seq: Sequence, data: bytes) -> bool:
        """Append an entry. Returns False, and changes nothing, unless `seq` is after the newest one."""
        with self._lock:
            if seq <= self._newest():
                return False
            self._kept.append(Entry(seq, data, time.monotonic()))
            self._bytes += len(data)
            while len(self._kept) > MAX_KEPT or (self._bytes > MAX_BYTES and len(self._kept) > 1):
                oldest = self._kept.popleft()
                self._bytes, self._before = self._bytes - len(oldest.data), oldest.seq
            return True

    def start_again(self, seq: Sequence) -> None:
        """Forget the entries and go on after `seq`. A reader at any other place is told of a gap."""
        with self._lock:
            self._kept.clear()
            self._bytes, self._before = 0, seq

    def entries_after(self, seq: Sequence) -> list[Entry] | None:
        """Return the entries after a place, oldest first; empty if it is the newest. None: there is a gap, or the
        place is from another log.
        """
        with self._lock:
            found: list[Entry] = []
            # Rarely more than one, so search from the newest.
            for entry in reversed(self._kept):
                if entry.seq == seq:
                    break
                found.append(entry)
            else:
                if seq != self._before:
                    return None
            return found[::-1]

    def _newest(self) -> Sequence:
        return self._kept[-1].seq if self._kept else self._before
