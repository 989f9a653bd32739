"""Messages to viewers: their kinds, and which of them replace older ones."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class MessageKind(Enum):
    """The kinds of messages, by queueing policy."""

    PULSE = "pulse"
    ROWS = "rows"
    MATRIX = "matrix"
    """The whole matrix, which includes all queued rows."""
    CENSUS = "census"
    """A new start, which includes or supersedes all queued pulses."""
    LINEAR = "linear"
    UMAP = "umap"
    DISTRICTS = "districts"
    STATUS = "status"
    MEASURES = "measures"
    """Text, queued like any other text; so are the next two kinds, which contain words of the run's text."""
    LINES = "lines"
    EXAMINATION = "examination"
    TEXT = "text"


LATEST_ONLY = (
    MessageKind.CENSUS,
    MessageKind.MATRIX,
    MessageKind.LINEAR,
    MessageKind.UMAP,
    MessageKind.DISTRICTS,
    MessageKind.STATUS,
)
"""Kinds of which only the newest message stays queued."""


OF_THE_PRESENT = (MessageKind.STATUS, MessageKind.LINES, MessageKind.EXAMINATION, MessageKind.TEXT)
"""Kinds that a viewer gets even while it replays the past."""


@dataclass(frozen=True)
class ViewerMessage:
    """A message for viewers."""

    kind: MessageKind
    data: bytes | str
    attempt: int = 0
    """The attempt of a frame; only frames of the same attempt merge."""
