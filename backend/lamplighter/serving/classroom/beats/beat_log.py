"""The publications of one run in the fan-out, and the state for viewers who join now."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Protocol

from lamplighter.serving.classroom.beats.publication import NOTHING_YET, JoiningState, Publication
from lamplighter.serving.fanout.contract import START, Entry, Fanout, Sequence

_BEATS = {False: "beats", True: "beats-text"}
"""The channel of those who may not see the run's text, and of those who may."""


class State(Protocol):
    """The full state of a run at a position."""

    def made_envelope(self, *, text: bool) -> bytes | None:
        """Return the message if it has been made."""
        ...

    def envelope(self, *, text: bool) -> bytes:
        """Return the message, with words if `text`."""
        ...


class BeatLog:
    """The publications of one run. Thread-safe."""

    def __init__(self, fanout: Fanout, run: str, on_published: Callable[[], None] = lambda: None) -> None:
        """Follow a run. `on_published` is called after every publication, on the publishing thread."""
        self._fanout, self._run = fanout, run
        self._lock = threading.Lock()
        self._own: tuple[Sequence, JoiningState] = (START, NOTHING_YET)
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
        return position

    def since(self, position: Sequence, *, text: bool = False) -> list[Entry] | None:
        """Return what was published after a position, oldest first; empty if it is the newest. An entry may be empty.

        None: there is a gap, because it is no longer kept, or the position is from another log. Then continue from
        `last`.
        """
        return self._fanout.since(self._run, _BEATS[text], position)

    def last(self) -> tuple[Sequence, JoiningState]:
        """Return the newest position, `START` before the first publication, and the full state for viewers who join
        there.
        """
        return self._own

    def close(self) -> None:
        """Publish no more."""
        with self._lock:
            self._closed = True
        self._leave()

    def _next(self, state: JoiningState) -> Sequence:
        """Return the position of the next publication."""
        newest = self._fanout.last(self._run, _BEATS[False])
        attempt, step, number = newest.seq if newest else START
        if (state.attempt, state.step) > (attempt, step):
            return Sequence(state.attempt, state.step, 1)
        return Sequence(attempt, step, number + 1)
