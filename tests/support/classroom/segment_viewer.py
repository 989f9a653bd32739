"""A viewer of a broadcast: reads its files as `frontend/src/packed/segment-socket.ts` does."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Iterator
from typing import Any

from tests.support.beat_page import BeatPage

_HEAD = struct.Struct("<HI")


class SegmentViewer:
    """A page that follows a broadcast."""

    def __init__(self, vocabulary: int, read: Callable[[str], bytes]) -> None:
        """Start with nothing. `read` returns the file at a path below the live folder."""
        self._vocabulary, self._read = vocabulary, read
        self._name, self._at = "", -1
        self.page = BeatPage(vocabulary)
        self.whole_states = 0
        """How many whole states it needed, the first included."""
        self.ended = False

    def look(self) -> None:
        """Read the manifest, and what is new."""
        manifest: dict[str, Any] = json.loads(self._read("manifest.json"))
        name, self.ended = manifest["name"], manifest["ended"]
        if name != self._name or self._at < manifest["first"] - 1:
            if not manifest["whole"]:
                return
            # A whole state replaces all that the page had.
            self.page = BeatPage(self._vocabulary)
            self.page.receive(self._read(f"{name}/{manifest['whole']:06}-whole.bin"))
            self._name, self._at = name, manifest["whole"]
            self.whole_states += 1
        for number in range(self._at + 1, manifest["sequence"] + 1):
            for _, envelope in split_segment(self._read(f"{name}/{number:06}.bin")):
                self.page.receive(envelope)
            self._at = number


def split_segment(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the messages of a segment, each with its milliseconds after the segment's beginning."""
    at = 0
    while at < len(data):
        after, length = _HEAD.unpack_from(data, at)
        at += _HEAD.size
        yield after, data[at : at + length]
        at += length
    assert at == len(data), "a segment is cut short"
