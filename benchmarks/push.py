"""What pushing a run costs its loop, how late its steps are on a page of the server, and what 50 kills lose.

Two models as in `benchmarks.watch` take turns, step by step, both watched and one of them pushed to a real server behind a relay
with a round trip of 20 ms. The loop's own processor time is compared, as there: the pusher is a process of its own.
"""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch

import lamplighter
from benchmarks.support.report import report
from benchmarks.watch import WARM, WIDTH, Trained
from lamplighter.client.errors import LiveError
from lamplighter.web.access.pushers import PusherStore
from lamplighter.wire.pulse_frames import Pulse
from tests.support.application import Application

CASES = ((4_096, 1, 100), (50_257, 10, 4))
"""Rows, steps per recorded step, and pairs."""
ROUND_TRIP = 0.02
_TOKENS = 64


def main() -> bool:
    """Measure and print. Returns whether the goals are met."""
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder, socket.create_server(("127.0.0.1", 0)) as listening:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        here, public = Path(folder) / "here", f"localhost:{listening.getsockname()[1]}"
        serving = Application(here, "serve", "--no-workers", "--behind", public, port=port)
        with serving as server, _relay(listening, port):
            _, token = PusherStore(here).issue_token("pushed", 3_600, 10, 10**12)
            met = [_compare(Path(folder), server, f"http://{public}", token, *case) for case in CASES]
    met.append(_kills())
    return all(met)


def _compare(
    folder: Path, server: Application, url: str, token: str, rows: int, every: int, pairs: int
) -> bool:
    recorded, pushed = Trained(rows, WIDTH, _TOKENS), Trained(rows, WIDTH, _TOKENS)
    seconds: list[tuple[float, float]] = []
    name, ages = f"pushed-{rows}", list[float]()
    alone = lamplighter.watch(recorded.model, folder=folder / "alone" / name, embedding="wte", every=every)
    beside = lamplighter.watch(
        pushed.model, folder=folder / "there" / name, embedding="wte", every=every, push=url, token=token
    )
    with alone, beside:
        for trained in (recorded, pushed):
            trained.step(WARM * every)
        viewer = threading.Thread(target=_view, args=(f"{url}/?run={name}", server.token, ages), daemon=True)
        viewer.start()
        for number in range(pairs):
            first, second = (recorded, pushed) if number % 2 else (pushed, recorded)
            took = {id(one): one.step(every) for one in (first, second)}
            seconds.append((took[id(recorded)], took[id(pushed)]))
    viewer.join(30)
    without, with_it = np.array(seconds).T
    there, arrived = (lamplighter.open(at / name).status.step for at in (folder / "there", server.runs))
    met = report(
        f"push_{rows}_every_{every}",
        float(np.median(without / with_it)),
        "of the speed of a loop that records",
        pairs=pairs,
        step_ms=1e3 * float(np.median(without)),
        pushed_ms=1e3 * float(np.median(with_it)),
        recorded=there,
        arrived=arrived,
    )
    if every > 1:
        return met and there == arrived
    late = float(np.percentile(ages, 95))
    return report("push_latency", late, "s, p95", median=float(np.median(ages)), steps=len(ages)) and met


def _view(url: str, token: str, ages: list[float]) -> None:
    """Note the ages of the steps of a run as they reach a viewer of the server."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        try:
            for frame in lamplighter.follow(url, channels=["pulse"], token=token):
                if isinstance(frame, Pulse):
                    ages.append(time.time() - frame.time)
            return
        except LiveError:
            time.sleep(0.2)  # Its opening has not arrived yet.


def _kills() -> bool:
    command = [sys.executable, "-m", "tests.soak.pushed", "--kills", "50"]
    found = json.loads(subprocess.run(command, capture_output=True, text=True, check=False).stdout)
    lost = found.get("lost", 1) + found.get("doubled", 1)
    return report(
        "push_kills_lost", lost, "steps lost or doubled", kills=found["kills"], steps=found.get("steps")
    )


@contextmanager
def _relay(listening: socket.socket, port: int) -> Generator[None]:
    """Pass connections on to a port of this machine, each way with half of the round trip."""
    loop = asyncio.new_event_loop()

    async def pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(1 << 16):
            loop.call_later(ROUND_TRIP / 2, writer.write, data)
        loop.call_later(ROUND_TRIP / 2, writer.close)

    async def connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(pipe(reader, back), pipe(there, writer), return_exceptions=True)

    loop.run_until_complete(asyncio.start_server(connect, sock=listening))
    threading.Thread(target=loop.run_forever, daemon=True).start()
    try:
        yield
    finally:
        loop.call_soon_threadsafe(loop.stop)


if __name__ == "__main__":
    sys.exit(0 if main() else 1)
