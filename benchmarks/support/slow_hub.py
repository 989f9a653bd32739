"""A hub on this machine with the latency and the bandwidth of a network, for `benchmarks.histories`.

`python -m benchmarks.support.slow_hub COUNT ROWS WIDTH` prints its address and serves COUNT revisions of a model whose
table, in float16, has ROWS x WIDTH numbers.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time

LATENCY, BYTES_A_SECOND = 0.02, 400e6 / 8
_CHUNK = 1 << 16
TABLE = "gpt_neox.embed_in.weight"


class _Line:
    """A line that all connections share."""

    def __init__(self) -> None:
        self._free_at = 0.0

    async def carry(self, size: int) -> None:
        now = time.monotonic()
        self._free_at = max(self._free_at, now) + size / BYTES_A_SECOND
        if (wait := self._free_at - now) > 0.002:
            await asyncio.sleep(wait)


class _Hub:
    def __init__(self, count: int, rows: int, width: int) -> None:
        self._line = _Line()
        self._names = [f"step{1000 * at}" for at in range(count)]
        size = 2 * rows * width
        facts = {"dtype": "F16", "shape": [rows, width], "data_offsets": [0, size]}
        header = json.dumps({TABLE: facts}).encode()
        self.file = len(header).to_bytes(8, "little") + header + bytes(range(56, 60)) * (size // 4)
        self.start = len(self.file) - size

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
                await asyncio.sleep(LATENCY)
                path = head.split(" ", 2)[1]
                wanted = head.partition("range: bytes=")[2].partition("\r\n")[0]
                await self._answer(writer, path, wanted)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async def _answer(self, writer: asyncio.StreamWriter, path: str, wanted: str) -> None:
        if path.endswith("/refs"):
            branches = [{"name": name, "targetCommit": name} for name in self._names]
            data = json.dumps({"branches": branches, "tags": []}).encode()
        elif path.endswith("/model.safetensors"):
            data = self.file
        else:
            writer.write(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n")
            return
        if not wanted:
            writer.write(f"HTTP/1.1 200 OK\r\ncontent-length: {len(data)}\r\n\r\n".encode() + data)
            return
        first, _, last = wanted.partition("-")
        start, end = int(first), min(int(last) + 1, len(data))
        told = f'content-range: bytes {start}-{end - 1}/{len(data)}\r\ncontent-length: {end - start}\r\netag: "{path}"'
        writer.write(f"HTTP/1.1 206 Partial Content\r\n{told}\r\n\r\n".encode())
        view = memoryview(data)
        for at in range(start, end, _CHUNK):
            piece = view[at : min(end, at + _CHUNK)]
            await self._line.carry(len(piece))
            writer.write(piece)
            await writer.drain()


async def _main() -> None:
    hub = _Hub(*map(int, sys.argv[1:4]))
    server = await asyncio.start_server(hub.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    print(
        json.dumps({"endpoint": f"http://127.0.0.1:{port}", "start": hub.start, "end": len(hub.file)}),
        flush=True,
    )
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_main())
