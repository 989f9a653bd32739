"""The source of the fan-out: a log of publications with positions.

The three operations could be backed by a broker.

`memory_beats.py` keeps the publications in memory, `folder_beats.py` makes them from the tail of a run
folder. Every implementation must pass the same tests (`tests/unit/serving/classroom/test_beat_sources.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from lamplighter.serving.classroom.beats.publication import JoiningState, Publication


@dataclass(frozen=True)
class Published:
    """A publication in a log."""

    position: int
    """Its position in the log, consecutive from 1."""
    time: float
    """When it was published, in seconds of the monotonic clock."""
    publication: Publication


class BeatSource(Protocol):
    """A log of the publications of one run. Thread-safe."""

    def publish(self, publication: Publication, state: JoiningState) -> int:
        """Append a publication, with the full state for viewers who join after it. Returns its position."""
        ...

    def since(self, position: int) -> list[Published] | None:
        """Return the publications after a position, oldest first; empty if it is the newest.

        None: there is a gap, because they are no longer kept, or the position is from another log. Then
        continue from `last`.
        """
        ...

    def last(self) -> tuple[int, JoiningState]:
        """Return the newest position, 0 before the first publication, and the state for viewers who join
        there.
        """
        ...
