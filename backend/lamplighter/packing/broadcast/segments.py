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
import os
import secrets
import shutil
import struct
import time
from collections import deque
from contextlib import suppress
from pathlib import Path

from lamplighter.serving.classroom.beats.beat_log import BeatLog
from lamplighter.serving.classroom.beats.publication import JoiningState
from lamplighter.serving.fanout.contract import START, Entry

FORMAT = 1
MANIFEST = "manifest.json"
WHOLE_EVERY = 10
"""Segments between two whole states."""
_HEAD = struct.Struct("<HI")
KEPT = 60
"""Segments kept before the newest whole state, for viewers and caches that lag."""


class SegmentWriter:
    """Writes the live files of one broadcast into a folder. For one thread only."""

    def __init__(self, folder: Path, run_id: str) -> None:
        """Start a broadcast with a new name, and remove the files of earlier ones.

        Raises:
            OSError: the folder cannot be written.
        """
        self._folder, self._run_id = folder, run_id
        self._name = secrets.token_hex(4)
        folder.mkdir(exist_ok=True)
        for old in folder.iterdir():
            if old.is_dir():
                shutil.rmtree(old, ignore_errors=True)
        (folder / self._name).mkdir()
        self._position = START
        self._sequence, self._first, self._whole = 0, 1, 0
        self._kept: deque[int] = deque()
        self._written = 0
        self._begun = time.monotonic()
        self.bytes = 0
        """Bytes of segments and whole states written so far."""

    def write(self, log: BeatLog, *, ended: bool = False) -> None:
        """Write what was published since the last call, and the manifest.

        Args:
            log: the log to read.
            ended: True if nothing follows.

        Raises:
            OSError: a file cannot be written.
        """
        newest, state = log.last()
        found = log.since(self._position, text=True)
        if found is None:
            # Some publications are lost: viewers go on from the whole state.
            self._sequence += 1
            self._first = self._sequence + 1
            self._write_whole(state)
        elif newest > self._position:
            self._sequence += 1
            # What came after the state belongs to the next segment.
            messages = [self._pack(entry) for entry in found if entry.seq <= newest and entry.data]
            self._write(f"{self._sequence:06}.bin", b"".join(messages))
            self._kept.append(self._sequence)
            if not self._whole or self._sequence - self._whole >= WHOLE_EVERY or ended:
                self._write_whole(state)
        self._position, self._begun = newest, time.monotonic()
        self._written += 1
        self._write_manifest(ended=ended)
        self._remove_old()

    def _pack(self, entry: Entry) -> bytes:
        after = round(1_000 * (entry.time - self._begun))
        return _HEAD.pack(min(max(after, 0), 0xFFFF), len(entry.data)) + entry.data

    def _write_whole(self, state: JoiningState) -> None:
        self._write(f"{self._sequence:06}-whole.bin", state.envelope(text=True))
        self._whole = self._sequence

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
        replace_file(self._folder / MANIFEST, json.dumps(manifest).encode())

    def _write(self, name: str, data: bytes) -> None:
        replace_file(self._folder / self._name / name, data)
        self.bytes += len(data)

    def _remove_old(self) -> None:
        oldest = self._whole - KEPT
        while self._kept and self._kept[0] < oldest:
            number = self._kept.popleft()
            for name in (f"{number:06}.bin", f"{number:06}-whole.bin"):
                (self._folder / self._name / name).unlink(missing_ok=True)
            self._first = max(self._first, number + 1)


def replace_file(path: Path, data: bytes) -> None:
    """Write a file that readers see whole or not at all.

    Raises:
        OSError: it cannot be written.
    """
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        unfinished.write_bytes(data)
        # A site is for everybody, whatever the umask.
        unfinished.chmod(0o644)
        os.replace(unfinished, path)
    except BaseException:
        with suppress(OSError):
            unfinished.unlink()
        raise
