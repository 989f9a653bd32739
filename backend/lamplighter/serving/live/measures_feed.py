"""The measures feed of a run: what the analyst measured, by step.

The run follower reads it when the file has changed; the feed finds what is new in the current lineage.
"""

from __future__ import annotations

from collections.abc import Iterator

from lamplighter.runfolder.lineage import Lineage
from lamplighter.runfolder.reading.playback import PlaybackCursor
from lamplighter.runfolder.tables.measures import MeasuresReader
from lamplighter.serving.live.message import MessageKind, ViewerMessage
from lamplighter.serving.schemas.base import to_json_text
from lamplighter.serving.schemas.messages import MeasuresMessage


class MeasuresFeed:
    """The measures feed of one run. For the run follower's thread only."""

    def __init__(self) -> None:
        self._step = -1

    def go_back(self, step: int) -> None:
        self._step = min(self._step, step)

    def read_measures(self, reader: MeasuresReader, lineage: Lineage) -> Iterator[ViewerMessage]:
        """Yield the new messages, advancing the cursor past each."""
        if self._step < 0:
            # Measures from before the first read are fetched by REST.
            self._step = max(0, reader.last_step(lineage))
            return
        for step, values in reader.by_step(self._step + 1, lineage=lineage).items():
            self._step = step
            yield _measures_message(step, values)

    def missed_messages(
        self, reader: MeasuresReader, cursor: PlaybackCursor, lineage: Lineage
    ) -> list[ViewerMessage]:
        found = reader.by_step(cursor.measured + 1, self._step, lineage=lineage)
        return [_measures_message(step, values) for step, values in found.items()]


def _measures_message(step: int, values: dict[str, float]) -> ViewerMessage:
    return ViewerMessage(MessageKind.MEASURES, to_json_text(MeasuresMessage(step=step, values=dict(values))))
