"""The fan-out within one process, the default, which needs no service: for each channel a log of its newest entries, bounded
in number and bytes.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable

from lamplighter.serving.fanout.contract import START, Entry, Sequence, is_state

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


class FollowedRun:
    """The channels of one run that is followed here."""

    def __init__(self, on_published: Callable[[str], None]) -> None:
        """Start without channels. `on_published` is called with the channel after each entry."""
        self.on_published = on_published
        self._channels: dict[str, ChannelLog] = {}
        self._lock = threading.Lock()

    def channel(self, name: str) -> ChannelLog:
        with self._lock:
            return self._channels.setdefault(name, ChannelLog(1 if is_state(name) else None))


class MemoryFanout:
    """The channels of runs within one process. Thread-safe."""

    is_shared = False

    def __init__(self) -> None:
        self._runs: dict[str, FollowedRun] = {}

    def follow(self, run: str, on_published: Callable[[str], None]) -> Callable[[], None]:
        followed = self._runs[run] = FollowedRun(on_published)

        def leave() -> None:
            if self._runs.get(run) is followed:
                del self._runs[run]

        return leave

    def publish(self, run: str, channel: str, seq: Sequence, data: bytes) -> bool:
        """Append an entry. Returns False unless it is after the newest one and the run is followed."""
        followed = self._runs.get(run)
        if followed is None or followed.channel(channel).append(seq, data) is None:
            return False
        followed.on_published(channel)
        return True

    def since(self, run: str, channel: str, seq: Sequence) -> list[Entry] | None:
        followed = self._runs.get(run)
        return followed.channel(channel).entries_after(seq) if followed else None

    def last(self, run: str, channel: str) -> Entry | None:
        followed = self._runs.get(run)
        return followed.channel(channel).newest_entry() if followed else None
