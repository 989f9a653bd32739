"""A small reverse proxy that serves its target under a path and strips that path, as nginx and Caddy can."""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress


class PathProxy:
    """A proxy in a thread.

    `Host` is passed on, each answer closes its connection, sockets are passed through.
    """

    def __init__(self, prefix: str) -> None:
        """Serve under `prefix`, such as "/lamplighter", on any free port.

        Set `target` before the first request.
        """
        self._prefix = prefix.encode()
        self.target = 0
        """The port of the server behind it, on 127.0.0.1."""
        self.port = 0
        self._up = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._run(),))
        self._thread.start()
        assert self._up.wait(10)

    def close(self) -> None:
        """Stop serving."""
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)
        self._loop.close()

    async def _run(self) -> None:
        self._stop = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        server = await asyncio.start_server(self._pass_on, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        self._up.set()
        await self._stop.wait()
        server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        with suppress(OSError, asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            method, path, rest = head.split(b" ", 2)
            if not path.startswith(self._prefix + b"/"):
                writer.write(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
                writer.close()
                return
            headers = rest.partition(b"\r\n")[2]
            if b"upgrade: websocket" not in headers.lower():
                lines = [
                    line for line in headers.split(b"\r\n") if not line.lower().startswith(b"connection:")
                ]
                headers = b"\r\n".join([b"Connection: close", *lines])
            added = b"X-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Proto: https\r\n"
            inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", self.target)
            inner_writer.write(
                b"%b %b HTTP/1.1\r\n%b%b" % (method, path[len(self._prefix) :], added, headers)
            )
            try:
                await asyncio.gather(_pump(reader, inner_writer), _pump(inner_reader, writer))
            finally:
                inner_writer.close()
                writer.close()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    with suppress(OSError, RuntimeError):
        writer.close()
