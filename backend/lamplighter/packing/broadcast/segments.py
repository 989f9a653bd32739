"""The live files of a broadcast: what happens in a second, whole states to join at, and a manifest.

A segment is immutable and its name is never used again, so every cache may keep it. Only the manifest changes. It is
the idea of HTTP Live Streaming (RFC 8216), with the envelopes of a class (`docs/wire.md`) instead of video.

| file | what it is |
|---|---|
| `manifest.json` | the newest sequence number, the first one that is kept, the newest whole state |
| `<name>/<number>.bin` | what was published since the segment before: of each message its milliseconds after that (2 bytes), its length \
(4 bytes, both little-endian), and its envelope |
| `<name>/<number>-whole.bin` | the whole state after segment `number` |

`<name>` is new for every start of a broadcast, because a cache may still hold the files of the last one.
"""

from __future__ import annotations

import json
import re
import secrets
import struct
import time
from collections import deque

from lamplighter.packing.broadcast.site import Site
from lamplighter.serving.classroom.beats.beat_log import BeatLog, State
from lamplighter.serving.fanout.contract import START, Entry

FORMAT = 1
MANIFEST = "manifest.json"
WHOLE_EVERY = 10
"""Segments between two whole states."""
_HEAD = struct.Struct("<HI")
_NAME = re.compile(r"[0-9a-f]{8}")
KEPT = 60
"""Segments kept before the newest whole state, for viewers and caches that lag."""


class SegmentWriter:
    """Writes the live files of one broadcast into a folder. For one thread only."""

    def __init__(self, site: Site, folder: str, run_id: str) -> None:
        """Start a broadcast with a new name, and remove the files of earlier ones.

        `folder`: that of the live files, relative to the site. It raises OSError or StoreError.
        """
        self._site, self._folder, self._run_id = site, folder, run_id
        self._name = secrets.token_hex(4)
        self._position = START
        self._sequence, self._first, self._whole = 0, 1, 0
        self._kept: deque[tuple[int, str]] = deque()
        """The files written, each with the number of its segment."""
        self._written = 0
        self._begun = time.monotonic()
        self._remove_last_broadcast()

    def write_second(self, log: BeatLog, *, ended: bool = False) -> None:
        """Write what was published since the last call, and the manifest; `ended`: nothing follows.

        It raises OSError or StoreError.
        """
        newest, state = log.newest_state(text=True)
        found = log.since(self._position, text=True)
        number = self._sequence + 1
        if found is None:
            # Some publications are lost: viewers go on from the whole state.
            self._write_whole(number, state)
            self._sequence, self._first = number, number + 1
        elif newest > self._position:
            # What came after the state belongs to the next segment.
            messages = [self._pack(entry) for entry in found if entry.seq <= newest and entry.data]
            self._write(number, f"{number:06}.bin", b"".join(messages))
            self._sequence = number
        # Now, so that a failure below does not repeat these messages in the next segment.
        self._position, self._begun = newest, time.monotonic()
        since_whole = self._sequence - self._whole
        if since_whole >= WHOLE_EVERY or (since_whole and (ended or not self._whole)):
            self._write_whole(self._sequence, state)
        self._written += 1
        self._write_manifest(ended=ended)
        self._remove_old()

    def _remove_last_broadcast(self) -> None:
        """Remove the segments that the manifest names, and nothing else: the site may hold other files."""
        found = self._site.read_small_file(f"{self._folder}/{MANIFEST}")
        try:
            name = json.loads(found or b"")["name"]
        except (ValueError, TypeError, LookupError):
            return
        if isinstance(name, str) and _NAME.fullmatch(name):
            self._site.remove_below(f"{self._folder}/{name}")

    def _pack(self, entry: Entry) -> bytes:
        after = round(1_000 * (entry.time - self._begun))
        return _HEAD.pack(min(max(after, 0), 0xFFFF), len(entry.data)) + entry.data

    def _write_whole(self, number: int, state: State) -> None:
        self._write(number, f"{number:06}-whole.bin", state.envelope(text=True))
        self._whole = number

    def _write_manifest(self, *, ended: bool) -> None:
        manifest = {
            "format": FORMAT,
            "run": self._run_id,
            "name": self._name,
            # Grows every second, so that a viewer can tell a quiet run from a broadcast that broke off.
            "written": self._written,
            "sequence": self._sequence,
            "first": self._first,
            "whole": self._whole,
            "ended": ended,
        }
        self._site.put_file(
            f"{self._folder}/{MANIFEST}", json.dumps(manifest).encode(), "application/json", lasting=False
        )

    def _write(self, number: int, name: str, data: bytes) -> None:
        path = f"{self._folder}/{self._name}/{name}"
        self._kept.append((number, path))
        self._site.put_file(path, data, "application/octet-stream", lasting=True)

    def _remove_old(self) -> None:
        while self._kept and self._kept[0][0] < self._whole - KEPT:
            number, path = self._kept[0]
            self._site.remove_files([path])
            self._kept.popleft()
            self._first = max(self._first, number + 1)
