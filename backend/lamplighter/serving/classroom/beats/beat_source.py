"""The source of the fan-out: a log of publications with positions. Three verbs, so that a broker could be behind it.

`memory_beats.py` keeps them in memory, `folder_beats.py` makes them of the tail of a run folder. Both pass the same tests
(`tests/unit/serving/classroom/test_beat_sources.py`), and so must any other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from lamplighter.serving.classroom.beats.publication import JoiningState, Publication


@dataclass(frozen=True)
class Published:
    """A publication in a log."""

    position: int
    """Its place in the log: one more than that of the publication before, from 1."""
    time: float
    """Seconds of the monotonic clock at which it was published."""
    publication: Publication


class BeatSource(Protocol):
    """A log of the publications of one run. Any thread may call it."""

    def publish(self, publication: Publication, state: JoiningState) -> int:
        """Append a publication, with all that somebody needs who joins after it. Returns its position."""
        ...

    def since(self, position: int) -> list[Published] | None:
        """Return the publications after a position, the oldest first; empty if it is the newest one.

        None: there is a gap, because they are not kept any more, or the position is of another log. Then `last` leads on.
        """
        ...

    def last(self) -> tuple[int, JoiningState]:
        """Return the newest position, 0 before the first publication, and all that somebody needs who joins there."""
        ...
