"""Viewers of a broadcast in a process of the lowest priority: `python -m benchmarks.support.segment_viewers PORT COUNT SECONDS`.

Each holds a connection, asks for the manifest once a second, and then for the segments that it lacks. Prints a line once all
are connected, and a line of JSON with the counts at the end.
"""

from __future__ import annotations

import heapq
import json
import os
import random
import re
import selectors
import socket
import sys
import time

_LOWEST = 19
_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_NAME, _SEQUENCE, _WHOLE = (
    re.compile(pattern) for pattern in (rb'"name": "(\w+)"', rb'"sequence": (\d+)', rb'"whole": (\d+)')
)


class SegmentSeat:
    """One viewer."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setblocking(False)
        self.answers = self.segments = self.bytes = self.failed = 0
        self._received = b""
        self._wanted: list[str] = []
        self._asked = ""
        self._at = -1

    def look(self) -> None:
        """Ask for the manifest, unless an answer is still awaited."""
        if not self._asked:
            self._ask("/live/manifest.json")

    def take(self) -> None:
        """Read what came, and ask for what is wanted next."""
        data = self.socket.recv(1 << 18)
        assert data, "the server has closed a connection"
        self.bytes += len(data)
        self._received += data
        head, found, body = self._received.partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        if not found or length is None or len(body) < int(length[1]):
            return
        self._received = b""
        self.answers += 1
        self.failed += b" 200 " not in head[:16]
        asked, self._asked = self._asked, ""
        if asked.endswith(".json"):
            self._want(body)
        else:
            self.segments += 1
        if self._wanted:
            self._ask(self._wanted.pop(0))

    def _want(self, manifest: bytes) -> None:
        name, sequence, whole = (pattern.search(manifest) for pattern in (_NAME, _SEQUENCE, _WHOLE))
        assert name
        assert sequence
        assert whole
        folder, newest = f"/live/{name[1].decode()}", int(sequence[1])
        if self._at < 0 and int(whole[1]):
            self._at = int(whole[1])
            self._wanted.append(f"{folder}/{self._at:06}-whole.bin")
        if self._at >= 0:
            self._wanted += [f"{folder}/{number:06}.bin" for number in range(self._at + 1, newest + 1)]
            self._at = newest

    def _ask(self, path: str) -> None:
        self._asked = path
        self.socket.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAccept: */*\r\n\r\n".encode())


def main() -> None:
    """Follow the broadcast for some seconds."""
    port, count, seconds = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    os.setpriority(os.PRIO_PROCESS, 0, _LOWEST)
    seats = [SegmentSeat(port) for _ in range(count)]
    with selectors.DefaultSelector() as selector:
        for seat in seats:
            selector.register(seat.socket, selectors.EVENT_READ, seat)
        begun = time.monotonic()
        due = [(begun + random.random(), index) for index in range(count)]
        heapq.heapify(due)
        print("connected", flush=True)
        while (now := time.monotonic()) < begun + seconds:
            while due[0][0] <= now:
                at, index = heapq.heappop(due)
                seats[index].look()
                heapq.heappush(due, (at + 1.0, index))
            for key, _ in selector.select(max(0.0, due[0][0] - time.monotonic())):
                key.data.take()
    names = ("answers", "segments", "bytes", "failed")
    print(json.dumps({name: sum(getattr(seat, name) for seat in seats) for name in names}), flush=True)


if __name__ == "__main__":
    main()
