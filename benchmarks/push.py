"""What pushing a run costs its loop, how late its steps are on a page of the server, what 50 kills lose, and whether the presenter
waits while fragments are checked that are dear to check.

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
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import apsw
import numpy as np
import torch

import lamplighter
from benchmarks.support.presenter import Presenter
from benchmarks.support.report import report
from benchmarks.watch import WARM, WIDTH, Trained
from lamplighter.client.errors import LiveError
from lamplighter.client.pushing.push_client import LaterError, PushClient, PushRefusedError
from lamplighter.runfolder.fragments.fragment import MAX_STEPS, Fragment, make_fragment
from lamplighter.runfolder.fragments.fragment_source import FragmentSource
from lamplighter.runfolder.fragments.opening import keep_identity, make_opening
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.web.access.pushers import PusherStore
from lamplighter.wire.pulse_frames import Pulse
from tests.support.application import Application
from tests.support.synthetic_runs.growing_run import GrowingRun

CASES = ((4_096, 1, 100), (50_257, 10, 4))
"""Rows, steps per recorded step, and pairs."""
ROUND_TRIP = 0.02
_TOKENS = 64
_RUNS, _NUMBERED = 8, 40_000


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
        with Application(here, "serve", "--no-workers", port=port) as server:
            met.append(measure_presenter(Path(folder), server, token))
    return all([*met, _kills()])


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


def measure_presenter(folder: Path, server: Application, token: str) -> bool:
    """Measure and print. Eight runs of one token each send the dearest fragment that is taken, and one of 43 MB that is not."""
    run = GrowingRun(folder / "dear", size=60, dim=4)
    run.grow(MAX_STEPS, rows=4)
    run.end()
    names = [f"pushed-dear-{number}" for number in range(_RUNS)]
    opening, (taken, refused) = make_opening(run.folder, names[0]), _dear_fragments(run.folder, names[0])
    PushClient(server.url.rstrip("/"), token).send_fragment(opening)
    change = ("PATCH", f"/api/runs/{names[0]}", '{"name": "renamed"}')
    presenter = Presenter(server, (change, ("POST", "/api/launches", "{}")))
    presenter.start()
    time.sleep(3)
    quiet, answers = list(presenter.milliseconds), list[str]()

    def send(name: str) -> None:
        client, kept = PushClient(server.url.rstrip("/"), token), keep_identity(run.folder)
        sent = [make_opening(run.folder, name), *_dear_fragments(run.folder, name)]
        while sent:
            try:
                client.send_fragment(sent[0], kept and kept.key)
                answers.append("taken")
            except LaterError:
                time.sleep(0.2)
                continue
            except PushRefusedError:
                answers.append("refused")
            sent.pop(0)

    begun = time.monotonic()
    with ThreadPoolExecutor(_RUNS) as pool:
        list(pool.map(send, names))
    presenter.stopped.set()
    presenter.join()
    return report(
        "push_presenter",
        max(presenter.milliseconds[len(quiet) :]) / 1e3,
        "s, the slowest of the presenter's changes",
        quiet=max(quiet) / 1e3,
        requests=len(presenter.milliseconds) - len(quiet),
        failed=presenter.failed,
        seconds=time.monotonic() - begun,
        packed=[len(one.data) for one in (taken, refused)],
        unpacked=[one.header.bytes for one in (taken, refused)],
        taken=answers.count("taken"),
        refused=answers.count("refused"),
    )


def _dear_fragments(run: RunFolder, name: str) -> list[Fragment]:
    """Return the first steps of a run with 30 numbers each, and the same with the numbers of 35,000 steps that it lacks."""
    first = FragmentSource(run, name=name).make_next()
    assert first is not None
    header, made = first.header, list[Fragment]()
    for last in (header.last, _NUMBERED):
        database = apsw.Connection(":memory:")
        database.deserialize("main", first.unpack())
        numbers = json.dumps({f"number-{one}": one / 7 for one in range(30)})
        database.executemany(
            "INSERT OR REPLACE INTO scalars VALUES(?,?)",
            ((1 << 32 | step, numbers) for step in range(1, last + 1)),
        )
        span, body = (header.attempt, header.first, header.last), database.serialize("main")
        made.append(make_fragment(name, "steps", body, span, header.after, header.to))
    return made


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
