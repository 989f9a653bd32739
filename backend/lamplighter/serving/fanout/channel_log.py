"""The newest entries of one channel, bounded in number and bytes."""

from __future__ import annotations

import threading
import time
from collections import deque

from lamplighter.serving.fanout.contract import START, Entry, Sequence

MAX_KEPT = 64
"""Entries kept: of beats, about fifteen seconds."""
MAX_BYTES = 8 << 20
"""Bytes kept, except for the newest entry."""


class ChannelLog:
    """The newest entries of one channel. Thread-safe."""

    def __init__(self, max_kept: int | None = None) -> None:
        self._max_kept = max_kept
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

    def append(self, seq: Sequence, data: bytes, before: Sequence | None = None) -> Sequence | None:
        """Append an entry at its place. Returns the place of the entry before it, or None if it is not after the
        newest one.

        `before`: the place of the entry published before it. If that is not the newest here, entries are
        missing, and those before the gap are forgotten. None: the newest here.
        """
        with self._lock:
            newest = self._newest()
            if seq <= newest:
                return None
            if before is not None and before != newest:
                self._kept.clear()
                self._bytes, self._before = 0, before
            self._kept.append(Entry(seq, data, time.monotonic()))
            self._bytes += len(data)
            while len(self._kept) > (self._max_kept or MAX_KEPT) or (
                self._bytes > MAX_BYTES and len(self._kept) > 1
            ):
                oldest = self._kept.popleft()
                self._bytes, self._before = self._bytes - len(oldest.data), oldest.seq
            return newest

    def entries_after(self, seq: Sequence) -> list[Entry] | None:
        """Return the entries after a place, oldest first; None: there is a gap, or the place is from another log."""
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

    def newest_entry(self) -> Entry | None:
        with self._lock:
            return self._kept[-1] if self._kept else None

    def _newest(self) -> Sequence:
        return self._kept[-1].seq if self._kept else self._before
