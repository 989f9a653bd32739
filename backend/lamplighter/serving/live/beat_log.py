"""The publications of one run, and the state for viewers who join now."""

from __future__ import annotations

import threading
from collections.abc import Callable

from lamplighter.serving.live.channel_log import START, ChannelLog, Entry, Sequence
from lamplighter.serving.live.publication import NOTHING_YET, JoiningState, Publication


class BeatLog:
    """The publications of one run. Thread-safe."""

    def __init__(self, on_published: Callable[[], None] = lambda: None) -> None:
        """Start without publications. `on_published` is called after each, on the publishing thread."""
        self._on_published = on_published
        self._channels = {text: ChannelLog() for text in (False, True)}
        """The channel without the run's text, and the one with it."""
        self._lock = threading.Lock()
        self._newest: tuple[Sequence, JoiningState] = (START, NOTHING_YET)
        self._closed = False

    def publish(self, publication: Publication, state: JoiningState) -> Sequence:
        """Append a publication, with the full state for viewers who join after it. Returns its position."""
        # Compressed on this thread, not on the event loop.
        made = {text: publication.envelope(text=text) or b"" for text in (False, True)}
        with self._lock:
            position = self._next(state)
            if self._closed:
                return position
            for text, channel in self._channels.items():
                channel.append(position, made[text])
            self._newest = (position, state)
        self._on_published()
        return position

    def since(self, position: Sequence, *, text: bool = False) -> list[Entry] | None:
        """Return what was published after a position, oldest first; empty if it is the newest. An entry may be
        empty. None: there is a gap, or the position is from another log; then continue from `newest_state`.
        """
        return self._channels[text].entries_after(position)

    def newest_state(self) -> tuple[Sequence, JoiningState]:
        """Return the newest position, `START` before the first, and the full state there, for viewers who join."""
        return self._newest

    def close(self) -> None:
        with self._lock:
            self._closed = True

    def _next(self, state: JoiningState) -> Sequence:
        attempt, step, number = self._newest[0]
        if (state.attempt, state.step) > (attempt, step):
            return Sequence(state.attempt, state.step, 1)
        return Sequence(attempt, step, number + 1)
