"""One viewer of a class as a bare socket, with the contents of its messages; as cheap for this machine as a phone."""

from __future__ import annotations

import os
import socket
import struct
import time
from dataclasses import dataclass, field

from lamplighter.wire.beat_frames import Beat
from lamplighter.wire.envelope import decode_envelope
from lamplighter.wire.frames import decode
from lamplighter.wire.row_frames import Census

_TIMESTAMPS = getattr(socket, "SO_TIMESTAMPNS", 35)
"""The Linux socket option that reports when the kernel received data, even if a process reads it late."""
_TEXT, _BINARY, _CLOSE, _PING = 1, 2, 8, 9


@dataclass(frozen=True)
class Contents:
    """The beats of a message, and whether it starts from a new state."""

    beats: tuple[tuple[int, int, float], ...]
    """First step, step and time of each beat."""
    has_census: bool


class Reading:
    """A cache of the contents of messages. All viewers get the same bytes, so each message is decoded once in a
    process."""

    def __init__(self) -> None:
        self._known: dict[bytes, Contents] = {}

    def contents_of(self, message: bytes) -> Contents:
        """Return the contents of an envelope."""
        found = self._known.get(message)
        if found is None:
            frames = [decode(part) for part in decode_envelope(message) if isinstance(part, bytes)]
            beats = tuple((one.first_step, one.step, one.time) for one in frames if isinstance(one, Beat))
            found = Contents(beats, any(isinstance(one, Census) for one in frames))
            if len(self._known) > 200:
                self._known.clear()
            self._known[message] = found
        return found


@dataclass
class Tally:
    """Counts over the viewers of one process."""

    messages: int = 0
    beats: int = 0
    bytes: int = 0
    missed: int = 0
    """Beats that did not follow the previous one."""
    skips: int = 0
    """Number of times that a viewer was sent the newest state instead."""
    closed: int = 0
    delays: dict[int, int] = field(default_factory=dict[int, int])
    """The number of beats by milliseconds from the end of their step."""


class Seat:
    """One viewer."""

    def __init__(self, port: int, path: str, cookie: str, headers: str = "") -> None:
        """Connect, and ask for a websocket."""
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        if os.name == "posix":
            self.socket.setsockopt(socket.SOL_SOCKET, _TIMESTAMPS, 1)
        self.socket.sendall(
            f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nOrigin: http://127.0.0.1:{port}\r\n"
            f"Cookie: {cookie}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            f"{headers}Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
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

    def read(self, reading: Reading, tally: Tally) -> bool:
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
            self._take(*message, arrived, reading, tally)
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

    def _take(self, kind: int, payload: bytes, arrived: float, reading: Reading, tally: Tally) -> None:
        if kind == _PING:
            # Masked with zeros: the server's four bytes.
            self.socket.send(bytes((0x8A, 0x80 | len(payload), 0, 0, 0, 0)) + payload)
            return
        if kind not in (_TEXT, _BINARY):
            return
        tally.messages += 1
        if kind != _BINARY:
            return
        contents = reading.contents_of(payload)
        if contents.has_census:
            tally.skips += self.joined
            self.joined = True
        for first, step, ended in contents.beats:
            if not contents.has_census:
                tally.missed += first != (self._step or 0) + 1
                tally.beats += 1
                delay = max(0, round(1e3 * (arrived - ended)))
                tally.delays[delay] = tally.delays.get(delay, 0) + 1
            self._step = step


class PlainSeat(Seat):
    """A viewer of the plain server, which counts messages without decompressing them."""

    def __init__(self, port: int) -> None:
        """Connect like a browser that supports compression."""
        super().__init__(port, "/ws", "", "Sec-WebSocket-Extensions: permessage-deflate\r\n")
        self.joined = True

    def _take(self, kind: int, payload: bytes, arrived: float, reading: Reading, tally: Tally) -> None:
        if kind in (_TEXT, _BINARY):
            tally.messages += 1
            tally.beats += 1
