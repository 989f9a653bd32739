"""Clients that wish a server ill, all in one process, until they are stopped: `python -m benchmarks.hostile_clients URL RUN`."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import sys
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

IDLE, PINGERS, SLOW_READERS, RECONNECTING, PLAYERS = 400, 4, 8, 2, 2
Client = Callable[[int], Awaitable[None]]
_MASK = b"\x00\x00\x00\x00"
_PINGS = (b"\x89\xfd" + _MASK + b"x" * 125) * 64


class Attack:
    """The clients of one process."""

    def __init__(self, url: str, run: str) -> None:
        """Choose a server on this machine, and a finished run of it."""
        address = urlsplit(url)
        assert address.hostname == "127.0.0.1", "only ever at this machine"
        assert address.port
        self._port = address.port
        self.socket_path = f"/api/runs/{run}/live"

    async def last(self) -> None:
        """Start all clients and keep them at it."""
        await asyncio.gather(*(self._repeat(kind, n) for kind, count in self.kinds() for n in range(count)))

    def kinds(self) -> list[tuple[Client, int]]:
        """Return the kinds of clients, and how many there are of each."""
        return [
            (self._idle, IDLE),
            (self._ping, PINGERS),
            (self._read_slowly, SLOW_READERS),
            (self._reconnect, RECONNECTING),
            (self._play, PLAYERS),
        ]

    def more_headers(self) -> str:
        """Return further headers of a websocket, each with its line end."""
        return ""

    async def _repeat(self, client: Client, number: int) -> None:
        while True:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError, TimeoutError):
                await client(number)
            await asyncio.sleep(0 if client == self._reconnect else 0.5)

    async def _idle(self, number: int) -> None:
        """Hold a connection: every second one says nothing, the others half a line."""
        reader, writer = await self._connect()
        with contextlib.closing(writer):
            if number % 2:
                writer.write(b"GET /heal")
            await reader.read()

    async def _ping(self, _: int) -> None:
        """Send pings as fast as they are taken, and read none of the pongs."""
        writer = (await self._upgrade("channels=pulse"))[1]
        with contextlib.closing(writer):
            while not writer.is_closing():
                writer.write(_PINGS)
                await writer.drain()

    async def _read_slowly(self, _: int) -> None:
        """Request a large file and read it at 30 KB/s."""
        reader, writer = await self._connect(buffer=8_192)
        with contextlib.closing(writer):
            writer.write(
                f"GET /vendor/plotly.min.js HTTP/1.1\r\nHost: 127.0.0.1:{self._port}\r\n\r\n".encode()
            )
            while await reader.read(3_000):  # noqa: ASYNC110  (waiting is the attack)
                await asyncio.sleep(0.1)

    async def _reconnect(self, _: int) -> None:
        """Join a run and leave at once, twenty times a second."""
        begun = asyncio.get_running_loop().time()
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            reader, writer = await self._upgrade("channels=pulse,layout")
            with contextlib.closing(writer):
                await reader.readexactly(2)
        await asyncio.sleep(max(0.0, begun + 0.05 - asyncio.get_running_loop().time()))

    async def _play(self, _: int) -> None:
        """Play a run from its beginning as fast as it comes, again and again."""
        reader, writer = await self._upgrade("channels=pulse,layout,rows&from=0&speed=full")
        with contextlib.closing(writer):
            while data := await reader.read(1 << 20):
                if b'"end"' in data:
                    return

    async def _connect(self, buffer: int | None = None) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        made = socket.socket()
        made.setblocking(False)
        if buffer is not None:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        try:
            async with asyncio.timeout(5):
                await asyncio.get_running_loop().sock_connect(made, ("127.0.0.1", self._port))
                return await asyncio.open_connection(sock=made, limit=buffer or 1 << 20)
        except BaseException:
            made.close()
            raise

    async def _upgrade(
        self, query: str, buffer: int | None = None
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await self._connect(buffer)
        writer.write(
            f"GET {self.socket_path}?{query} HTTP/1.1\r\nHost: 127.0.0.1:{self._port}\r\n{self.more_headers()}"
            "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
        )
        try:
            async with asyncio.timeout(5):
                await reader.readuntil(b"\r\n\r\n")
        except BaseException:
            writer.close()
            raise
        return reader, writer


def run_attack(attack: Attack) -> None:
    """Run an attack until SIGTERM, or until the process that started this one is gone."""
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))

    async def last() -> None:
        attacking = asyncio.ensure_future(attack.last())
        parent = os.getppid()
        while os.getppid() == parent and not attacking.done():  # noqa: ASYNC110  (a process has no event)
            await asyncio.sleep(1)
        attacking.cancel()
        await attacking

    asyncio.run(last())


if __name__ == "__main__":
    run_attack(Attack(*sys.argv[1:]))
