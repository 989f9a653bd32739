"""The hold of a run before its first step: it waits until its map can show the very first matrix.

A server that begins a run asks for it (`runfolder.tables.requests.ask_to_hold`); a run that is trained without one never
waits. The trainer itself lifts it: once the map has a layout, when a request says so, or when its time is up, whatever
has become of server and projector. The record of the steps is the same with and without it.
"""

from __future__ import annotations

import math
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lamplighter.runfolder.errors import READ_ERRORS
from lamplighter.runfolder.tables.layouts import LayoutsReader
from lamplighter.runfolder.tables.requests import MAX_HOLD_SECONDS


@dataclass(frozen=True)
class StartHold:
    """A hold that began, and when it ends at the latest."""

    until: float
    """Unix seconds: what its readers see, and the next trainer if this one ends."""
    deadline: float
    """Seconds of the monotonic clock of this process."""

    @staticmethod
    def begin(seconds: Any) -> StartHold | None:
        """Begin a hold of so many seconds; None for none, or for a value that is no number."""
        if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not seconds > 0:
            return None
        bounded = min(float(seconds), MAX_HOLD_SECONDS)
        return StartHold(time.time() + bounded, time.monotonic() + bounded)

    @staticmethod
    def continue_from(facts: dict[str, Any]) -> StartHold | None:
        """Go on with the hold in the facts of a run, for what remains of it; None if there is none.

        A clock that was put back prolongs it by `MAX_HOLD_SECONDS` at most.
        """
        until = facts.get("hold_until")
        if not isinstance(until, int | float) or not math.isfinite(until):
            return None
        remaining = min(until - time.time(), MAX_HOLD_SECONDS)
        return StartHold(until, time.monotonic() + remaining)

    def is_over(self, layouts: Path) -> bool:
        """Return whether its time is up or the map, in the file `layouts`, has its first layout."""
        return time.monotonic() >= self.deadline or _has_map(layouts)


def _has_map(layouts: Path) -> bool:
    with suppress(*READ_ERRORS), LayoutsReader(layouts) as reader:
        return reader.has_map()
    return False
