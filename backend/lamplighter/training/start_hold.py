"""The hold of a run before its first step, until its map can show the first matrix. A server that starts a run requests
it (`runfolder.tables.requests.ask_to_hold`); a run trained without a server never waits.

The trainer ends it: once the map has a layout, on a request, or at a time limit, even if server and projector have
died. The hold does not change the record of the steps.
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
    """A started hold, with its time limit."""

    until: float
    """Unix seconds, for readers and for the next trainer if this one ends."""
    deadline: float
    """Seconds on the monotonic clock of this process."""

    @staticmethod
    def begin(seconds: Any) -> StartHold | None:
        """Begin a hold of at most `seconds`; None if it is 0 or not a number."""
        if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not seconds > 0:
            return None
        bounded = min(float(seconds), MAX_HOLD_SECONDS)
        return StartHold(time.time() + bounded, time.monotonic() + bounded)

    @staticmethod
    def continue_from(facts: dict[str, Any]) -> StartHold | None:
        """Continue the hold in the facts of a run for its remaining time; None if there is none.

        A clock that was set back prolongs it by at most `MAX_HOLD_SECONDS`.
        """
        until = facts.get("hold_until")
        if not isinstance(until, int | float) or not math.isfinite(until):
            return None
        remaining = min(until - time.time(), MAX_HOLD_SECONDS)
        return StartHold(until, time.monotonic() + remaining)

    def is_over(self, layouts: Path) -> bool:
        """Return whether the time is up, or the map in the file `layouts` has its first layout."""
        return time.monotonic() >= self.deadline or _has_map(layouts)


def _has_map(layouts: Path) -> bool:
    with suppress(*READ_ERRORS), LayoutsReader(layouts) as reader:
        return reader.has_map()
    return False
