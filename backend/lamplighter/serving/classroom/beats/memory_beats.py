"""A log of publications in memory: the newest ones, and the state for viewers who join now."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from lamplighter.serving.classroom.beats.publication import NOTHING_YET, JoiningState, Publication

_MAX_KEPT = 64
"""Publications kept: about fifteen seconds."""
_MAX_BYTES = 8 << 20
"""Bytes of messages kept, except for the newest."""


@dataclass(frozen=True)
class Published:
    """A publication in a log."""

    position: int
    """Its position in the log, consecutive from 1."""
    time: float
    """When it was published, in seconds of the monotonic clock."""
    publication: Publication


class MemoryBeats:
    """A log of the publications of one run, bounded in number and bytes. Thread-safe."""

    def __init__(self, on_published: Callable[[], None] = lambda: None) -> None:
        """Start empty. `on_published` is called after every publication, on the publishing thread."""
        self._on_published = on_published
        self._lock = threading.Lock()
        self._kept: deque[Published] = deque()
        self._bytes = 0
        self._position = 0
        self._state = NOTHING_YET

    def publish(self, publication: Publication, state: JoiningState) -> int:
        """Append a publication, with the full state for viewers who join after it. Returns its position."""
        size = _size(publication)
        with self._lock:
            self._position += 1
            self._state = state
            self._kept.append(Published(self._position, time.monotonic(), publication))
            self._bytes += size
            while len(self._kept) > _MAX_KEPT or (self._bytes > _MAX_BYTES and len(self._kept) > 1):
                self._bytes -= _size(self._kept.popleft().publication)
            position = self._position
        self._on_published()
        return position

    def since(self, position: int) -> list[Published] | None:
        """Return the publications after a position, oldest first; empty if it is the newest.

        None: there is a gap, because they are no longer kept, or the position is from another log. Then continue from
        `last`.
        """
        with self._lock:
            missing = self._position - position
            if not 0 <= missing <= len(self._kept):
                return None
            # Rarely more than one, so search from the newest.
            found = [self._kept[-1 - back] for back in range(missing)]
        return found[::-1]

    def last(self) -> tuple[int, JoiningState]:
        """Return the newest position, 0 before the first publication, and the full state for viewers who join there."""
        with self._lock:
            return self._position, self._state


def _size(publication: Publication) -> int:
    return len(publication.envelope(text=True) or b"")
