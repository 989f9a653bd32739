"""The change feed of a run's map: the newest layout of each view, and the newest districts.

The run follower reads it when the file has changed; the feed finds what is new in the current lineage.
"""

from __future__ import annotations

from collections.abc import Iterator

from lamplighter.runfolder.lineage import Lineage
from lamplighter.runfolder.reading.current_map import districts_on_lineage, layouts_on_lineage
from lamplighter.runfolder.reading.playback import PlaybackCursor
from lamplighter.runfolder.tables.layouts import DistrictsEntry, LayoutEntry, LayoutsReader
from lamplighter.serving.live.message import MessageKind, ViewerMessage
from lamplighter.wire.layout_frames import Method


class MapFeed:
    """The map feed of one run. For the run follower's thread only."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Reset the cursors, so that all current layouts and districts are sent again."""
        self._layout_id = self._districts_id = 0
        self._newest: dict[Method, LayoutEntry] = {}
        self._districts: DistrictsEntry | None = None

    @property
    def has_sent(self) -> bool:
        return bool(self._newest) or self._districts is not None

    def read_new(self, reader: LayoutsReader, lineage: Lineage) -> Iterator[ViewerMessage]:
        """Yield the new messages, advancing the cursor past each."""
        seen, fresh = self._layout_id, dict(self._newest)
        for entry in layouts_on_lineage(reader, lineage, self._layout_id):
            seen = max(seen, entry.id)
            known = fresh.get(entry.method.view)
            if known is None or (entry.step, entry.id) > (known.step, known.id):
                fresh[entry.method.view] = entry
        for method, entry in fresh.items():
            if entry != self._newest.get(method):
                message = _layout_message(reader, entry)
                self._newest[method] = entry
                yield message
        self._layout_id = seen
        newest, seen = self._districts, self._districts_id
        for found in districts_on_lineage(reader, lineage, seen):
            seen = max(seen, found.id)
            if newest is None or (found.step, found.id) > (newest.step, newest.id):
                newest = found
        if newest is not None and newest != self._districts:
            message = _districts_message(reader, newest)
            self._districts = newest
            yield message
        self._districts_id = seen

    def newest_messages(self, reader: LayoutsReader) -> list[ViewerMessage]:
        messages = [_layout_message(reader, self._newest[method]) for method in sorted(self._newest)]
        return messages + ([_districts_message(reader, self._districts)] if self._districts else [])

    def missed_messages(self, reader: LayoutsReader, cursor: PlaybackCursor) -> list[ViewerMessage]:
        messages = [
            _layout_message(reader, e)
            for e in self._newest.values()
            if (e.step, e.id) > cursor.layouts.get(e.method.view, (-1, -1))
        ]
        districts = self._districts
        if districts is not None and (districts.step, districts.id) > cursor.districts:
            messages.append(_districts_message(reader, districts))
        return messages


def _layout_message(reader: LayoutsReader, entry: LayoutEntry) -> ViewerMessage:
    kind = MessageKind.UMAP if entry.method.view is Method.UMAP else MessageKind.LINEAR
    return ViewerMessage(kind, reader.layout_record(entry.id), entry.attempt)


def _districts_message(reader: LayoutsReader, entry: DistrictsEntry) -> ViewerMessage:
    return ViewerMessage(MessageKind.DISTRICTS, reader.districts_record(entry.id), entry.attempt)
