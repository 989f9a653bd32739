"""Reading a history of checkpoints from a hub, beside curl; checking one on this machine; opening one, and packing it.

The hub is a process here (`python -m benchmarks.histories`) that answers after 20 ms and sends 400 Mbit/s in all: 38 checkpoints of 50,304 x 128 in float16.
curl reads the same bytes of the same addresses, as many at a time, and knows their places beforehand.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from benchmarks.city_time import open_page, wait_for
from benchmarks.support.browser import async_chromium
from benchmarks.support.made_up import make_history
from benchmarks.support.processes import hear, running
from benchmarks.support.report import report
from lamplighter.cli.checkpoints.remote.address import StepChoice, parse_address
from lamplighter.cli.checkpoints.remote.fetch import CONNECTIONS, Fetch
from lamplighter.cli.checkpoints.remote.ranged_client import RangedClient
from lamplighter.client.histories.checked_sources import check_sources
from lamplighter.exports.export import export_run
from lamplighter.runfolder.run_folder import RunFolder
from tests.support.application import Application

ROWS, WIDTH = 50_304, 128
READ, CHECKED, DISTINCT, OPENED = 38, 154, 8, 5


LATENCY, BYTES_A_SECOND = 0.02, 400e6 / 8
_CHUNK = 1 << 16
TABLE = "gpt_neox.embed_in.weight"


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder:
        _measure_reading(Path(folder))
        _measure_check(Path(folder))
        run = make_history(Path(folder) / "runs" / "history", READ, ROWS, WIDTH)
        _measure_opening(run)
        _measure_page(run, Path(folder))


def _measure_reading(folder: Path) -> None:
    with running("benchmarks.histories", READ, ROWS, WIDTH) as server:
        place = json.loads(hear(server))
        curl = _read_by_curl(place, folder / "curl")
        ours = _read_by_us(place["endpoint"], folder / "ours")
    size = READ * (place["end"] - place["start"])
    report(
        "histories_reading",
        ours / curl,
        "times curl",
        ours_s=ours,
        curl_s=curl,
        megabytes=size / 1e6,
        at_once=CONNECTIONS,
    )


def _read_by_us(endpoint: str, folder: Path) -> float:
    started = time.perf_counter()
    with RangedClient(connections=CONNECTIONS) as client:
        fetch = Fetch(client, parse_address("hf://org/model@step*"), endpoint, folder, choice=StepChoice())
        fetched = fetch.fetch_all()
    assert len(fetched.folders) == READ
    return time.perf_counter() - started


def _read_by_curl(place: dict[str, str], folder: Path) -> float:
    folder.mkdir()
    lines = ["parallel", f"parallel-max = {CONNECTIONS}", "silent"]
    for at in range(READ):
        lines += [
            f'url = "{place["endpoint"]}/org/model/resolve/step{1000 * at}/model.safetensors"',
            f'output = "{folder / str(at)}"',
            f'range = "{place["start"]}-{int(place["end"]) - 1}"',
            "next" if at < READ - 1 else "",
        ]
    config = folder / "config"
    # A range holds for all that comes before the next "next", and is the same for all.
    config.write_text("\n".join(line for line in lines if line != "next"), encoding="utf-8")
    started = time.perf_counter()
    subprocess.run(["curl", "--config", str(config)], check=True)
    return time.perf_counter() - started


def _measure_check(folder: Path) -> None:
    random = np.random.default_rng(0)
    table = random.normal(size=(ROWS, WIDTH)).astype(np.float32)
    source = folder / "history"
    for at in range(CHECKED):
        checkpoint = source / f"checkpoint-{at}"
        checkpoint.mkdir(parents=True)
        file = checkpoint / "model.safetensors"
        if at < DISTINCT:
            save_file({TABLE: (table + 0.01 * at).astype(np.float16)}, file)
        else:
            # Another name of the same bytes: 2 GB need not be written to be read.
            file.hardlink_to(source / f"checkpoint-{at % DISTINCT}" / "model.safetensors")
    size = sum(path.stat().st_size for path in source.glob("*/model.safetensors"))
    started, processor = time.perf_counter(), time.process_time()
    check_sources(source)
    seconds = time.perf_counter() - started
    report(
        "histories_check",
        size / 1e6 / seconds,
        "MB/s",
        seconds=seconds,
        processor_seconds=time.process_time() - processor,
        megabytes=size / 1e6,
        tables=CHECKED,
    )


def _measure_opening(run: RunFolder) -> None:
    """Measure the time from navigation to the first map, by a server that was asked before."""
    with Application(run.path.parent, "serve", "--no-workers") as application:
        firsts = asyncio.run(_open_repeatedly(f"{application.url}/?run={run.id}"))
    report(
        "histories_opening",
        np.median(firsts) / 1e3,
        "s after navigation, median",
        each=[round(one / 1e3, 2) for one in firsts],
        load=os.getloadavg()[0],
    )


async def _open_repeatedly(url: str) -> list[float]:
    firsts: list[float] = []
    async with async_chromium() as browser:
        for _ in range(OPENED + 1):
            async with open_page(browser, url) as page:
                await wait_for(page, "window.watch?.city")
                firsts.append(await page.evaluate("window.watch.city - window.watch.begun"))
    # The first page of a browser compiles shaders.
    return firsts[1:]


def _measure_page(run: RunFolder, folder: Path) -> None:
    page = export_run(run, "html", out=folder / "history.html")
    report("histories_page", page.stat().st_size / 1e6, "MB in one file", checkpoints=READ, words=ROWS)


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
    """A hub with the latency and the bandwidth of a network, which serves revisions of a model with one table in float16."""

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


async def _serve_hub() -> None:
    hub = _Hub(*map(int, sys.argv[1:4]))
    server = await asyncio.start_server(hub.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    place = {"endpoint": f"http://127.0.0.1:{port}", "start": hub.start, "end": len(hub.file)}
    print(json.dumps(place), flush=True)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve_hub())
