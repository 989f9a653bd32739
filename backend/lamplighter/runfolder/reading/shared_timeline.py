"""Timelines of a run, read once and shared by all its players.

Events, layouts and districts are written in order of time, and played in order of steps. A player keeps only its
position: the step, and the id of the newest entry that existed then.
"""

from __future__ import annotations

import threading
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Generic, NamedTuple, Protocol, TypeVar

from lamplighter.runfolder.tables.layouts import DistrictsEntry, LayoutEntry
from lamplighter.runfolder.tables.steps import TimelineEvent

MAX_ENTRIES = 100_000
"""Maximum entries of a timeline that are played: bounds memory for any file."""


class StepEntry(Protocol):
    """An entry of a timeline, with its step."""

    @property
    def id(self) -> int: ...

    @property
    def attempt(self) -> int: ...

    @property
    def step(self) -> int: ...


Entry = TypeVar("Entry", bound=StepEntry)


def pages(read: Callable[[int], list[Entry]], after: int) -> Iterator[Entry]:
    """Yield the entries that `read` returns, page by page; each page starts after the last id of the one before."""
    while page := read(after):
        after = page[-1].id
        yield from page


class PlayedTo(NamedTuple):
    """The position of one player in a timeline."""

    step: int = -1
    """Entries up to this step have been played,"""
    id: int = 0
    """unless their id is above this one: they were written later."""


@dataclass(frozen=True)
class Timeline(Generic[Entry]):
    """The entries that existed at one moment, in order of steps. Immutable."""

    entries: tuple[Entry, ...] = ()
    newest_id: int = 0

    def due(self, position: PlayedTo, step: int) -> list[Entry]:
        """Return the entries up to `step` that a player at `position` has not played yet, in order of steps."""
        if not self.entries:
            return []
        start, end = (bisect_right(self.entries, reached, key=_step) for reached in (position.step, step))
        late = self.entries[: min(start, end)] if self.newest_id > position.id else ()
        return [*(entry for entry in late if entry.id > position.id), *self.entries[start:end]]

    def up_to(self, step: int) -> Sequence[Entry]:
        return self.entries[: bisect_right(self.entries, step, key=_step)]


def _step(entry: StepEntry) -> int:
    return entry.step


class TimelineReader(Generic[Entry]):
    """A reader of one timeline of a run, which keeps its entries for all players. Thread-safe."""

    def __init__(self, most: int = MAX_ENTRIES) -> None:
        """Keep at most the first `most` entries that were written."""
        self._most = most
        self._lock = threading.Lock()
        self._file: int | None = None
        self._timeline: Timeline[Entry] = Timeline()

    def read_new_entries(self, path: Path, read: Callable[[int], Iterator[Entry]]) -> Timeline[Entry]:
        """Return the current timeline: the same object for every player until an entry is added. If another
        file replaces that at `path`, it starts again. `read`: returns the entries with an id above the
        given one, in the order of writing. Raises FileNotFoundError if there is no such file, FormatError
        if it cannot be read.
        """
        with self._lock:
            file = path.stat().st_ino
            known = self._timeline if file == self._file else Timeline[Entry]()
            fresh = list(islice(read(known.newest_id), self._most - len(known.entries)))
            if fresh:
                entries = sorted((*known.entries, *fresh), key=lambda entry: (entry.step, entry.id))
                known = Timeline(tuple(entries), max(known.newest_id, *(entry.id for entry in fresh)))
            self._file, self._timeline = file, known
            return known


@dataclass(frozen=True)
class SharedTimelines:
    """The timelines of one run, shared by its players."""

    events: TimelineReader[TimelineEvent] = field(default_factory=TimelineReader[TimelineEvent])
    layouts: TimelineReader[LayoutEntry] = field(default_factory=TimelineReader[LayoutEntry])
    reprojected: TimelineReader[LayoutEntry] = field(default_factory=TimelineReader[LayoutEntry])
    districts: TimelineReader[DistrictsEntry] = field(default_factory=TimelineReader[DistrictsEntry])
