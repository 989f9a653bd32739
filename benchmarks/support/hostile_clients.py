"""Hostile clients, all in one process, until they are stopped: `python -m benchmarks.support.hostile_clients KIND ARGUMENT...`.

`server URL RUN` attacks a server, `flood URL COOKIE PATH...` is one viewer of a class over as many connections as
possible, and `class URL RUN COOKIE...` are viewers of a class, each with a valid session.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import signal
import socket
import sys
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from urllib.parse import urlsplit

IDLE, PINGERS, SLOW_READERS, RECONNECTING, PLAYERS = 400, 4, 8, 2, 2
Client = Callable[[int], Awaitable[None]]
_MASK = b"\x00\x00\x00\x00"
_PINGS = (b"\x89\xfd" + _MASK + b"x" * 125) * 64
FLOOD_CONNECTIONS = 200
EACH = 10
"""Clients of each of the five kinds in a class."""
_member: ContextVar[str] = ContextVar("member")
_NO_GUESS = b"\x81\x8b\x00\x00\x00\x00" + b"not a guess"


class Attack:
    """The clients of one process."""

    pause = 0.5
    """Seconds before a client begins again."""

    def __init__(self, url: str, run: str) -> None:
        """Choose a server on this machine, and one of its finished runs."""
        address = urlsplit(url)
        assert address.hostname == "127.0.0.1", "attacks are only allowed on this machine"
        assert address.port
        self._port = address.port
        self._run_path = f"/api/runs/{run}"
        self.socket_path = f"{self._run_path}/live"

    async def last(self) -> None:
        """Start all clients and keep them running."""
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
        """Return further headers of a websocket, each with its line ending."""
        return ""

    async def _repeat(self, client: Client, number: int) -> None:
        while True:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError, TimeoutError, ValueError):
                await client(number)
            await asyncio.sleep(0 if client == self._reconnect else self.pause)

    async def _idle(self, number: int) -> None:
        """Hold a connection: every second client sends nothing, the others half a line."""
        reader, writer = await self._connect()
        with contextlib.closing(writer):
            if number % 2:
                writer.write(b"GET /heal")
            await reader.read()

    async def _ping(self, _: int) -> None:
        """Send pings as fast as possible without reading the pongs."""
        writer = (await self._upgrade())[1]
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
            reader, writer = await self._upgrade()
            with contextlib.closing(writer):
                await reader.readexactly(2)
        await asyncio.sleep(max(0.0, begun + 0.05 - asyncio.get_running_loop().time()))

    async def _play(self, _: int) -> None:
        """Pull a run from its beginning as fast as possible, repeatedly."""
        reader, writer = await self._connect()
        after = b""
        with contextlib.closing(writer):
            while True:
                target = b"%s/frames?channels=pulse,layout,rows&from=0%s" % (self._run_path.encode(), after)
                writer.write(b"GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n\r\n" % (target, self._port))
                head = (await reader.readuntil(b"\r\n\r\n")).lower()
                body = await reader.readexactly(
                    int(head.partition(b"content-length:")[2].partition(b"\r\n")[0])
                )
                if b'"more":true' not in body:
                    return
                after = b"&after=" + body.partition(b'"place":"')[2].partition(b'"')[0]

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

    async def _upgrade(self, buffer: int | None = None) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await self._connect(buffer)
        writer.write(
            f"GET {self.socket_path} HTTP/1.1\r\nHost: 127.0.0.1:{self._port}\r\n{self.more_headers()}"
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


class Flood(Attack):
    """The connections of one process, all with the same session."""

    pause = 0.0

    def __init__(self, url: str, cookie: str, *paths: str) -> None:
        """Choose a class on this machine, a session, and the paths to request; `{step}` in a path changes each time."""
        super().__init__(url, "")
        self._authority = url.removeprefix("http://")
        self._cookie = cookie
        self._paths = paths
        self._steps = itertools.count()

    def kinds(self) -> list[tuple[Client, int]]:
        """Return the kinds of clients, and how many there are of each."""
        return [(self._flood, FLOOD_CONNECTIONS)]

    async def _flood(self, number: int) -> None:
        reader, writer = await self._connect()
        with contextlib.closing(writer):
            while True:
                await self._ask(reader, writer, self._paths[number % len(self._paths)])

    async def _ask(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, path: str) -> None:
        target = path.replace("{step}", str(next(self._steps) % 500))
        writer.write(
            f"GET {target} HTTP/1.1\r\nHost: {self._authority}\r\nCookie: {self._cookie}\r\n\r\n".encode()
        )
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0])
        await reader.readexactly(length)


class ClassAttack(Attack):
    """Fifty clients of one process."""

    def __init__(self, url: str, run: str, *cookies: str) -> None:
        """Choose a class on this machine, one of its runs, and a session for each client."""
        super().__init__(url, run)
        self.socket_path = f"/api/runs/{run}/beats"
        self._origin = url
        self._cookies = cookies

    def kinds(self) -> list[tuple[Client, int]]:
        """Return the kinds of clients, and how many there are of each."""
        kinds = (self._stall, self._ping, self._flood, self._reconnect, self._read_slowly)
        return [(self._as_member(kind, number), EACH) for number, kind in enumerate(kinds)]

    def more_headers(self) -> str:
        """Return the headers of this task's member."""
        return f"Origin: {self._origin}\r\nCookie: {_member.get()}\r\n"

    def _as_member(self, client: Client, kind: int) -> Client:
        async def act(number: int) -> None:
            _member.set(self._cookies[(kind * EACH + number) % len(self._cookies)])
            await client(number)

        return act

    async def _stall(self, _: int) -> None:
        """Watch without reading."""
        writer = (await self._upgrade(buffer=4_096))[1]
        with contextlib.closing(writer):
            await asyncio.sleep(60)

    async def _flood(self, _: int) -> None:
        """Send invalid predictions as fast as possible."""
        writer = (await self._upgrade())[1]
        with contextlib.closing(writer):
            while not writer.is_closing():
                writer.write(_NO_GUESS * 50)
                await writer.drain()


def run_attack(attack: Attack) -> None:
    """Run an attack until SIGTERM, or until the parent process has ended."""
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))

    async def last() -> None:
        attacking = asyncio.ensure_future(attack.last())
        parent = os.getppid()
        while os.getppid() == parent and not attacking.done():  # noqa: ASYNC110  (a process has no event)
            await asyncio.sleep(1)
        attacking.cancel()
        await attacking

    asyncio.run(last())


KINDS: dict[str, Callable[..., Attack]] = {"server": Attack, "flood": Flood, "class": ClassAttack}

if __name__ == "__main__":
    if sys.argv[1] == "class":
        os.setpriority(os.PRIO_PROCESS, 0, 19)
    run_attack(KINDS[sys.argv[1]](*sys.argv[2:]))
