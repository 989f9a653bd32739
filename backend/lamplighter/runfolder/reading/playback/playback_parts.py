"""The items of a playback, and the cursor from which it resumes."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from lamplighter.runfolder.lineage import Lineage
from lamplighter.runfolder.tables.steps import TimelineEvent
from lamplighter.wire.layout_frames import Method


class PlaybackKind(Enum):
    """A kind of playback item."""

    CENSUS = "census"
    MATRIX = "matrix"
    PULSE = "pulse"
    ROWS = "rows"
    LAYOUT = "layout"
    DISTRICTS = "districts"
    MEASURES = "measures"
    EVENT = "event"


CHANNELS = {
    "pulse": (PlaybackKind.CENSUS, PlaybackKind.PULSE),
    "layout": (PlaybackKind.LAYOUT, PlaybackKind.DISTRICTS),
    "rows": (PlaybackKind.MATRIX, PlaybackKind.ROWS),
}
"""The kinds of items in each viewer channel (`docs/wire.md`)."""


@dataclass(frozen=True)
class PlaybackItem:
    """One item to play."""

    step: int
    """The step with which the item is played."""
    kind: PlaybackKind
    attempt: int = 0
    frame: bytes = b""
    """The encoded frame; empty for measures and events."""
    method: Method = Method.LINEAR
    """The method of a layout."""
    measures: tuple[int, dict[str, float]] | None = None
    """The measured step, and the values by name."""
    event: TimelineEvent | None = None


@dataclass(frozen=True)
class PlaybackCursor:
    """A position in the playback of a run."""

    lineage: Lineage = field(default_factory=Lineage)
    attempt: int = 0
    step: int = -1
    """The last step played; -1 before the first."""
    exact: bool = False
    """True while the rows played so far add up to the exact matrix at this step."""
    layouts: dict[Method, tuple[int, int]] = field(default_factory=dict[Method, tuple[int, int]])
    """Step and id of the newest layout played, by view."""
    districts: tuple[int, int] = (-1, -1)
    """Step and id of the newest districts played."""
    measured: int = -1
    """The last step whose measures were played."""
