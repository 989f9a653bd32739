"""The publications of one run in the fan-out, and the state for viewers who join now."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Protocol

from lamplighter.serving.fanout.contract import START, Entry, Fanout, Sequence
from lamplighter.serving.live.publication import NOTHING_YET, JoiningState, Publication
from lamplighter.wire.binary import FrameError
from lamplighter.wire.envelope import decode_envelope

_BEATS = {False: "beats", True: "beats-text"}
_STATES = {False: "state", True: "state-text"}
"""The channels of those who may not see the run's text, and of those who may."""
_STATE_SECONDS = 1.0
"""Minimum seconds between two states for the viewers of other servers."""


class State(Protocol):
    """The full state of a run at a position."""

    def made_envelope(self, *, text: bool) -> bytes | None: ...

    def envelope(self, *, text: bool) -> bytes: ...


class _ReceivedState:
    """The state that another server made."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def made_envelope(self, *, text: bool) -> bytes | None:
        del text
        return self._data

    def envelope(self, *, text: bool) -> bytes:
        del text
        return self._data


class BeatLog:
    """The publications of one run. Thread-safe."""

    def __init__(self, fanout: Fanout, run: str, on_published: Callable[[], None] = lambda: None) -> None:
        """Follow a run. `on_published` is called after every publication, on the publishing thread."""
        self._fanout, self._run = fanout, run
        self._lock = threading.Lock()
        self._own: tuple[Sequence, JoiningState] = (START, NOTHING_YET)
        self._state_at = float("-inf")
        """When the next state is due for the other servers."""
        self._closed = False

        def notice(channel: str) -> None:
            if channel == _BEATS[False]:
                on_published()

        self._leave = fanout.follow(run, notice)

    def publish(self, publication: Publication, state: JoiningState) -> Sequence:
        """Append a publication, with the full state for viewers who join after it. Returns its position."""
        # Compressed on this thread, not on the event loop.
        made = {text: publication.envelope(text=text) or b"" for text in (False, True)}
        with self._lock:
            position = self._next(state)
            if not self._closed:
                # The channel that wakes viewers comes last.
                for text in (True, False):
                    self._fanout.publish(self._run, _BEATS[text], position, made[text])
                self._own = (position, state)
                self._share_state(position, state)
        return position

    def since(self, position: Sequence, *, text: bool = False) -> list[Entry] | None:
        """Return what was published after a position, oldest first; empty if it is the newest. An entry may be
        empty. None: there is a gap, or the position is from another log; then continue from `newest_state`.
        """
        return self._fanout.since(self._run, _BEATS[text], position)

    def newest_state(self, *, text: bool = False) -> tuple[Sequence, State]:
        """Return the newest position with a full state, `START` before the first, and that state, for viewers who join."""
        received = self._fanout.last(self._run, _STATES[text])
        if received is None or received.seq <= self._own[0]:
            return self._own
        return received.seq, _ReceivedState(received.data)

    def close(self) -> None:
        with self._lock:
            self._closed = True
        self._leave()

    def _share_state(self, position: Sequence, state: JoiningState) -> None:
        now = time.monotonic()
        if self._fanout.is_shared and now >= self._state_at:
            self._state_at = now + _STATE_SECONDS
            for text, channel in _STATES.items():
                self._fanout.publish(self._run, channel, position, state.envelope(text=text))

    def _next(self, state: JoiningState) -> Sequence:
        newest = self._fanout.last(self._run, _BEATS[False])
        attempt, step, number = newest.seq if newest else START
        if (state.attempt, state.step) > (attempt, step):
            return Sequence(state.attempt, state.step, 1)
        return Sequence(attempt, step, number + 1)


def is_sound_message(channel: str, data: bytes) -> bool:
    """Return whether what another server sent is a message that a page can open."""
    del channel
    try:
        return not data or bool(decode_envelope(data))
    except FrameError:
        return False
