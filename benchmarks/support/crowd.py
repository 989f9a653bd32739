"""Viewers as bare sockets, as cheap for this machine as a phone, in processes of the lowest priority.

`python -m benchmarks.support.crowd` is such a process. It follows its parent's orders line by line: where to connect, when to
start counting, when to report and end.
"""

from __future__ import annotations

import contextlib
import functools
import heapq
import json
import os
import random
import re
import selectors
import socket
import struct
import sys
import time
from collections.abc import Generator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from benchmarks.support.processes import hear, running, say
from lamplighter.wire.beat_frames import Beat
from lamplighter.wire.envelope import decode_envelope
from lamplighter.wire.frames import decode
from lamplighter.wire.row_frames import Census

_LOWEST = 19
_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_NAME, _SEQUENCE, _WHOLE = (
    re.compile(pattern) for pattern in (rb'"name": "(\w+)"', rb'"sequence": (\d+)', rb'"whole": (\d+)')
)
_TIMESTAMPS = getattr(socket, "SO_TIMESTAMPNS", 35)
"""The Linux socket option that reports when the kernel received data, even if a process reads it late."""
_TEXT, _BINARY, _CLOSE, _PING = 1, 2, 8, 9


@functools.lru_cache(200)
def read_message(message: bytes) -> tuple[list[tuple[int, int, float]], bool]:
    """Return first step, step and time of each beat of an envelope, and whether it starts from a new state.

    All viewers get the same bytes, so each message is decoded once in a process.
    """
    frames = [decode(part) for part in decode_envelope(message) if isinstance(part, bytes)]
    beats = [(one.first_step, one.step, one.time) for one in frames if isinstance(one, Beat)]
    return beats, any(isinstance(one, Census) for one in frames)


@dataclass
class Tally:
    """Counts over viewers."""

    messages: int = 0
    """Messages of a socket, or answers of a server of files."""
    beats: int = 0
    """Beats of a socket, or segments of a broadcast."""
    bytes: int = 0
    missed: int = 0
    """Beats that did not follow the previous one."""
    skips: int = 0
    """Number of times that a viewer was sent the newest state instead."""
    closed: int = 0
    failed: int = 0
    """Answers that were no success."""
    delays: dict[int, int] = field(default_factory=dict[int, int])
    """The number of beats by milliseconds from the end of their step."""

    def add(self, other: Tally) -> None:
        """Add the counts of other viewers."""
        for name, value in asdict(other).items():
            if name != "delays":
                setattr(self, name, getattr(self, name) + value)
        for delay, count in other.delays.items():
            self.delays[delay] = self.delays.get(delay, 0) + count

    def percentile(self, share: float) -> float:
        """Return the delay in ms that a share of beats did not exceed."""
        wanted, seen = share * sum(self.delays.values()), 0
        for delay in sorted(self.delays):
            seen += self.delays[delay]
            if seen >= wanted:
                return float(delay)
        return float("nan")


class Seat:
    """One viewer of a class."""

    def __init__(self, port: int, path: str, cookie: str) -> None:
        """Connect, and ask for a websocket."""
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        if os.name == "posix":
            self.socket.setsockopt(socket.SOL_SOCKET, _TIMESTAMPS, 1)
        self.socket.sendall(
            f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nOrigin: http://127.0.0.1:{port}\r\n"
            f"Cookie: {cookie}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
        )
        self._bytes = bytearray()
        while b"\r\n\r\n" not in self._bytes:
            data = self.socket.recv(4_096)
            if not data:
                raise ConnectionError("the socket was refused")
            self._bytes += data
        head, _, rest = bytes(self._bytes).partition(b"\r\n\r\n")
        if b" 101 " not in head.split(b"\r\n")[0]:
            raise ConnectionError(head.split(b"\r\n")[0].decode())
        self._bytes = bytearray(rest)
        self.socket.setblocking(False)
        self._step: int | None = None
        self.joined = False
        """True once it was sent a state."""

    def read(self, tally: Tally) -> bool:
        """Read the received bytes. Returns False once the server has closed."""
        try:
            data, notes, _, _ = self.socket.recvmsg(1 << 18, 256)
        except BlockingIOError:
            return True
        except OSError:
            data, notes = b"", []
        if not data:
            tally.closed += 1
            return False
        arrived = time.time()
        for level, kind, note in notes:
            if (level, kind) == (socket.SOL_SOCKET, _TIMESTAMPS):
                seconds, nanoseconds = struct.unpack("qq", note[:16])
                arrived = seconds + nanoseconds / 1e9
        tally.bytes += len(data)
        self._bytes += data
        while (message := self._next_message()) is not None:
            self._take(*message, arrived, tally)
        return True

    def _next_message(self) -> tuple[int, bytes] | None:
        data = self._bytes
        if len(data) < 2:
            return None
        head, length = 2, data[1] & 127
        if length > 125:
            head = 4 if length == 126 else 10
            if len(data) < head:
                return None
            length = int.from_bytes(data[2:head], "big")
        if len(data) < head + length:
            return None
        message = data[0] & 15, bytes(data[head : head + length])
        del data[: head + length]
        return message

    def _take(self, kind: int, payload: bytes, arrived: float, tally: Tally) -> None:
        if kind == _PING:
            # Masked with zeros: the server's four bytes.
            self.socket.send(bytes((0x8A, 0x80 | len(payload), 0, 0, 0, 0)) + payload)
            return
        if kind not in (_TEXT, _BINARY):
            return
        tally.messages += 1
        if kind != _BINARY:
            return
        beats, has_census = read_message(payload)
        if has_census:
            tally.skips += self.joined
            self.joined = True
        for first, step, ended in beats:
            if not has_census:
                tally.missed += first != (self._step or 0) + 1
                tally.beats += 1
                delay = max(0, round(1e3 * (arrived - ended)))
                tally.delays[delay] = tally.delays.get(delay, 0) + 1
            self._step = step


class SegmentSeat:
    """One viewer of a broadcast, who asks for the manifest once a second, and then for the segments that it lacks."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setblocking(False)
        self.joined = True
        self._received = b""
        self._wanted: list[str] = []
        self._asked = ""
        self._at = -1

    def look(self) -> None:
        """Ask for the manifest, unless an answer is still awaited."""
        if not self._asked:
            self._ask("/live/manifest.json")

    def read(self, tally: Tally) -> bool:
        """Read what came, and ask for what is wanted next."""
        data = self.socket.recv(1 << 18)
        assert data, "the server has closed a connection"
        tally.bytes += len(data)
        self._received += data
        head, found, body = self._received.partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        if not found or length is None or len(body) < int(length[1]):
            return True
        self._received = b""
        tally.messages += 1
        tally.failed += b" 200 " not in head[:16]
        asked, self._asked = self._asked, ""
        if asked.endswith(".json"):
            self._want(body)
        else:
            tally.beats += 1
        if self._wanted:
            self._ask(self._wanted.pop(0))
        return True

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


class Crowd:
    """Processes full of viewers."""

    def __init__(self, orders: Sequence[dict[str, Any]]) -> None:
        """Start a process for each order (the arguments of `_connect`), and wait until all are connected."""
        self._stack = contextlib.ExitStack()
        self._processes = [self._stack.enter_context(running("benchmarks.support.crowd")) for _ in orders]
        for process, order in zip(self._processes, orders, strict=True):
            say(process, json.dumps(order))
        self.connected = sum(int(hear(process)) for process in self._processes)

    def count(self) -> None:
        """Start counting; those who follow a broadcast begin to ask."""
        for process in self._processes:
            say(process, "count")
            hear(process)

    def end(self) -> tuple[Tally, float]:
        """Return the counts of all, and their processor seconds since the start of counting; end the processes."""
        for process in self._processes:
            say(process, "end")
        whole, seconds = Tally(), 0.0
        for process in self._processes:
            answer = json.loads(hear(process))
            seconds += answer.pop("seconds")
            delays = {int(delay): count for delay, count in answer.pop("delays").items()}
            whole.add(Tally(**answer, delays=delays))
        self.kill()
        return whole, seconds

    def kill(self) -> None:
        """End the processes."""
        self._stack.close()


@contextlib.contextmanager
def following(url: str, run: str, cookies: Sequence[str], processes: int) -> Generator[Crowd]:
    """Let a viewer follow a run for each cookie, until the end of the block."""
    port = int(url.rpartition(":")[2])
    shares = [cookies[number::processes] for number in range(min(processes, len(cookies)))]
    crowd = Crowd([{"port": port, "run": run, "cookies": share} for share in shares])
    try:
        yield crowd
    finally:
        crowd.kill()


def _connect(
    port: int, run: str = "", cookies: Sequence[str] = (), pages: int = 0, files: int = 0
) -> Sequence[Seat | SegmentSeat]:
    """Connect a viewer for each cookie, or a number of the presenter's pages, or of those who ask for the files of a
    broadcast.
    """
    path = f"/api/runs/{run}"
    seats = [Seat(port, f"{path}/beats", cookie) for cookie in cookies]
    seats += [Seat(port, f"{path}/live", "") for _ in range(pages)]
    return seats or [SegmentSeat(port) for _ in range(files)]


def main() -> None:
    """Follow the parent's orders."""
    os.setpriority(os.PRIO_PROCESS, 0, _LOWEST)
    seats = _connect(**json.loads(sys.stdin.readline()))
    asking = [seat for seat in seats if isinstance(seat, SegmentSeat)]
    tally = Tally()
    due: list[tuple[float, int]] = []
    with selectors.DefaultSelector() as selector:
        for seat in seats:
            selector.register(seat.socket, selectors.EVENT_READ, seat)
        os.set_blocking(sys.stdin.fileno(), False)
        selector.register(sys.stdin, selectors.EVENT_READ, None)
        told = False
        begun = 0.0
        while True:
            while due and due[0][0] <= time.monotonic():
                at, number = due[0]
                asking[number].look()
                heapq.heapreplace(due, (at + 1.0, number))
            order = ""
            for key, _ in selector.select(max(0.0, due[0][0] - time.monotonic()) if due else 1.0):
                if key.data is None:
                    order = sys.stdin.readline()
                    if not order:
                        return
                elif not key.data.read(tally):
                    selector.unregister(key.fileobj)
            if not told and all(seat.joined for seat in seats):
                told = True
                print(len(seats), flush=True)
            if order.strip() == "count":
                tally, begun = Tally(), time.process_time()
                due = sorted((time.monotonic() + random.random(), number) for number in range(len(asking)))
                print("counting", flush=True)
            elif order.strip() == "end":
                print(json.dumps(asdict(tally) | {"seconds": time.process_time() - begun}), flush=True)


if __name__ == "__main__":
    main()
