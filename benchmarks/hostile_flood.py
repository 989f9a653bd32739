"""One viewer of a class who asks over as many connections as it gets: `python -m benchmarks.hostile_flood URL COOKIE PATH...`."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import sys

from benchmarks.hostile_clients import Attack, run_attack

CONNECTIONS = 200


class Flood(Attack):
    """The connections of one process, all with the same session."""

    def __init__(self, url: str, cookie: str, *paths: str) -> None:
        """Choose a class on this machine, a session, and what to ask; `{step}` in a path is another one each time."""
        super().__init__(url, "")
        self._authority = url.removeprefix("http://")
        self._cookie = cookie
        self._paths = paths
        self._steps = itertools.count()

    async def last(self) -> None:
        """Open the connections, and open each again when it is closed."""
        await asyncio.gather(*(self._flood(self._paths[n % len(self._paths)]) for n in range(CONNECTIONS)))

    async def _flood(self, path: str) -> None:
        while True:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError, TimeoutError, ValueError):
                reader, writer = await self._connect()
                with contextlib.closing(writer):
                    while True:
                        await self._ask(reader, writer, path)
            await asyncio.sleep(0)

    async def _ask(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, path: str) -> None:
        target = path.replace("{step}", str(next(self._steps) % 500))
        writer.write(
            f"GET {target} HTTP/1.1\r\nHost: {self._authority}\r\nCookie: {self._cookie}\r\n\r\n".encode()
        )
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0])
        await reader.readexactly(length)


if __name__ == "__main__":
    run_attack(Flood(*sys.argv[1:]))
