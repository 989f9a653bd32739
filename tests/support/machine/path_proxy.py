"""A small reverse proxy that serves its target under a path and strips that path, as nginx and Caddy can."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from tests.support.machine.threaded_proxy import ThreadedProxy, pump


class PathProxy(ThreadedProxy):
    """A proxy that strips a path.

    `Host` is passed on, each answer closes its connection, sockets are passed through.
    """

    def __init__(self, prefix: str) -> None:
        """Serve under `prefix`, such as "/lamplighter", on any free port.

        Set `target` before the first request.
        """
        self._prefix = prefix.encode()
        self.target = 0
        """The port of the server behind it, on 127.0.0.1."""
        super().__init__()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass on one request, or one socket."""
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
                await asyncio.gather(pump(reader, inner_writer), pump(inner_reader, writer))
            finally:
                inner_writer.close()
                writer.close()
