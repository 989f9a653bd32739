"""A viewer's requested pace, of beats or of playback, parsed from the query of its connection."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from lamplighter.runfolder.lineage import LAST_STEP
from lamplighter.serving.live.beat_picker import BEAT_SECONDS

DEFAULT_SPEED = 50.0
"""Default speed, in steps per second."""
MIN_SPEED, MAX_SPEED = 0.001, 1_000_000.0
_LAST_PLAYABLE_STEP = LAST_STEP - 1
"""The last step that has a successor."""


_MAX_INTERVAL = 60.0


class PlaybackRequestError(ValueError):
    """Raised for a request that cannot be fulfilled; the message says which can."""


@dataclass(frozen=True)
class PlaybackRequest:
    """A viewer's request for playback."""

    first: int
    last: int | None
    speed: float
    """Steps per second; infinite for as fast as the viewer reads."""
    reprojected: bool = False
    """True to play the reprojected map instead of the live one."""


def parse_playback_request(query: Mapping[str, str]) -> PlaybackRequest | None:
    """Parse the parameters `from`, `to`, `speed` and `set`; None for live. Raises PlaybackRequestError."""
    if "from" not in query:
        if "to" in query or "speed" in query or "set" in query:
            raise PlaybackRequestError("`to`, `speed` and `set` need `from`: the step to play from")
        return None
    first = _step("from", query["from"])
    last = _step("to", query["to"]) if "to" in query else None
    if last is not None and last < first:
        raise PlaybackRequestError(f"`to` is {last}, before `from`, {first}")
    layouts = query.get("set", "live")
    if layouts not in ("live", "again"):
        raise PlaybackRequestError("`set` must be `live` or `again`: the map as recorded, or as recomputed")
    return PlaybackRequest(first, last, _speed(query.get("speed")), layouts == "again")


def parse_interval(query: Mapping[str, str], channels: Collection[str]) -> float | None:
    """Parse the minimum seconds between two beats in the parameter `interval`; None for a viewer without beats.
    Raises PlaybackRequestError if it is not valid, or cannot be combined with the others.
    """
    if "beats" not in channels:
        if "interval" in query:
            raise PlaybackRequestError("`interval` needs the channel `beats`")
        return None
    if "from" in query or "pulse" in channels:
        raise PlaybackRequestError("`beats` are live, and take the place of `pulse`")
    text = query.get("interval")
    if text is None:
        return BEAT_SECONDS
    if (
        not re.fullmatch(r"[0-9]{1,2}(\.[0-9]{1,9})?", text)
        or not BEAT_SECONDS <= float(text) <= _MAX_INTERVAL
    ):
        raise PlaybackRequestError(f"`interval` must be seconds, {BEAT_SECONDS:.2f} to {_MAX_INTERVAL:g}")
    return float(text)


def _step(name: str, text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,10}", text) or int(text) > _LAST_PLAYABLE_STEP:
        raise PlaybackRequestError(f"`{name}` must be a step, a whole number from 0 on")
    return int(text)


def _speed(text: str | None) -> float:
    if text is None:
        return DEFAULT_SPEED
    if text == "full":
        return math.inf
    if not re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})?", text) or not MIN_SPEED <= float(text) <= MAX_SPEED:
        raise PlaybackRequestError(
            f"`speed` must be steps a second, {MIN_SPEED:g} to {MAX_SPEED:,.0f}, or `full`"
        )
    return float(text)
