"""The fan-out within one process: the default, which needs no service."""

from __future__ import annotations

import threading
from collections.abc import Callable

from lamplighter.serving.fanout.channel_log import ChannelLog
from lamplighter.serving.fanout.contract import Entry, Sequence, is_state


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
