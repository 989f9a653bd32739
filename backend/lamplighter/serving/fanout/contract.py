"""The contract of the fan-out: three verbs, for every carrier of the bytes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol


class Sequence(NamedTuple):
    """A place in a channel: the record's own numbers, so that every server means the same by it."""

    attempt: int
    step: int
    number: int
    """The position among what is published at one step, from 1."""


START = Sequence(0, 0, 0)
"""The place before anything that is published."""


def is_state(channel: str) -> bool:
    """Return whether each entry of a channel is complete, so that only the newest is kept."""
    return channel.startswith("state")


@dataclass(frozen=True)
class Entry:
    """What was published at one place of a channel."""

    seq: Sequence
    data: bytes
    time: float = field(compare=False)
    """When it arrived here, in seconds of the monotonic clock."""


class Fanout(Protocol):
    """The channels of runs. Thread-safe; no method waits for a network.

    A channel holds its newest entries, in the order of their places, each once. A reader who falls so far behind that
    entries are gone is told of the gap, and goes on from the newest state.
    """

    @property
    def is_shared(self) -> bool:
        """Return whether other servers read what is published here."""
        ...

    def follow(self, run: str, on_published: Callable[[str], None]) -> Callable[[], None]:
        """Begin to keep what is published to a run, in place of an earlier follower of it here. `on_published` is
        called with the channel after each entry, on any thread. Returns a function that ends it, and forgets
        the run.
        """
        ...

    def publish(self, run: str, channel: str, seq: Sequence, data: bytes) -> bool:
        """Append an entry. Returns False, and changes nothing, unless `seq` is after the newest one."""
        ...

    def since(self, run: str, channel: str, seq: Sequence) -> list[Entry] | None:
        """Return the entries after a place, oldest first; empty if it is the newest. None: there is a gap."""
        ...

    def last(self, run: str, channel: str) -> Entry | None:
        """Return the newest entry; None: there is none."""
        ...
