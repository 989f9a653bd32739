"""The change feed of a run's map: the newest layout of each view, and the newest districts.

The run follower reads it when the file has changed; the feed finds what is new in the current lineage.
"""

from __future__ import annotations

from collections.abc import Iterator

from lamplighter.runfolder.lineage import Line, districts_that_count, layouts_that_count
from lamplighter.runfolder.reading.playback import Place
from lamplighter.runfolder.tables.districts import DistrictsEntry
from lamplighter.runfolder.tables.layouts import LayoutEntry, LayoutsReader
from lamplighter.serving.live.send_queue import Message, What
from lamplighter.wire.frames import Method


class ToldMap:
    """The map feed of one run. For the run follower's thread only."""

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """Reset the cursors, so that everything that counts is new."""
        self._layout_id = self._districts_id = 0
        self._newest: dict[Method, LayoutEntry] = {}
        self._districts: DistrictsEntry | None = None

    @property
    def begun(self) -> bool:
        """Return whether anything has been sent."""
        return bool(self._newest) or self._districts is not None

    def look(self, reader: LayoutsReader, line: Line) -> Iterator[Message]:
        """Yield the new messages, advancing the cursor past each."""
        seen, fresh = self._layout_id, dict(self._newest)
        for entry in layouts_that_count(reader, line, self._layout_id):
            seen = max(seen, entry.id)
            known = fresh.get(entry.method.view)
            if known is None or (entry.step, entry.id) > (known.step, known.id):
                fresh[entry.method.view] = entry
        for method, entry in fresh.items():
            if entry != self._newest.get(method):
                message = _layout(reader, entry)
                self._newest[method] = entry
                yield message
        self._layout_id = seen
        newest, seen = self._districts, self._districts_id
        for found in districts_that_count(reader, line, seen):
            seen = max(seen, found.id)
            if newest is None or (found.step, found.id) > (newest.step, newest.id):
                newest = found
        if newest is not None and newest != self._districts:
            message = _found(reader, newest)
            self._districts = newest
            yield message
        self._districts_id = seen

    def newest(self, reader: LayoutsReader) -> list[Message]:
        """Return the messages for a viewer that joins now."""
        messages = [_layout(reader, self._newest[method]) for method in sorted(self._newest)]
        return messages + ([_found(reader, self._districts)] if self._districts else [])

    def since(self, reader: LayoutsReader, place: Place) -> list[Message]:
        """Return what a viewer lacks that was played up to `place`."""
        messages = [
            _layout(reader, e)
            for e in self._newest.values()
            if (e.step, e.id) > place.layouts.get(e.method.view, (-1, -1))
        ]
        found = self._districts
        if found is not None and (found.step, found.id) > place.districts:
            messages.append(_found(reader, found))
        return messages


def _layout(reader: LayoutsReader, entry: LayoutEntry) -> Message:
    what = What.UMAP if entry.method.view is Method.UMAP else What.LINEAR
    return Message(what, reader.record(entry.id), entry.attempt)


def _found(reader: LayoutsReader, entry: DistrictsEntry) -> Message:
    return Message(What.DISTRICTS, reader.districts_record(entry.id), entry.attempt)
