"""What pushing a run costs its loop, how late its steps reach a page, what 50 kills lose, and whether the presenter waits.

The presenter changes something while fragments arrive that are dear to check.

Two models as in `benchmarks.watch` take turns, step by step, both watched and one of them pushed to a real server behind a relay
with a round trip of 20 ms. The loop's own processor time is compared, as there: the pusher is a process of its own.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import apsw
import numpy as np
import torch

import lamplighter
from benchmarks.support.report import report
from benchmarks.support.server import start_presenter
from benchmarks.watch import WIDTH, Shaped, Trained, take_turns
from lamplighter.client.errors import LiveError
from lamplighter.client.pushing.push_client import LaterError, PushClient, PushRefusedError
from lamplighter.runfolder.fragments.fragment import (
    MAX_STEPS,
    Fragment,
    keep_identity,
    make_fragment,
    make_opening,
)
from lamplighter.runfolder.fragments.fragment_source import FragmentSource
from lamplighter.runfolder.run_folder import RunFolder
from lamplighter.web.access.credentials import PusherStore
from lamplighter.wire.pulse_frames import Pulse
from tests.support.application import Application
from tests.support.machine.nats_server import free_port
from tests.support.machine.threaded_proxy import ThreadedProxy
from tests.support.synthetic_runs.growing_run import GrowingRun

CASES = ((4_096, 1, 100), (50_257, 10, 4))
"""Rows, steps per recorded step, and pairs."""
ROUND_TRIP = 0.02
_TOKENS = 64
_RUNS, _NUMBERED = 8, 40_000


def main() -> bool:
    """Measure and print. Returns whether all steps have arrived."""
    torch.set_num_threads(1)
    port = free_port()
    with tempfile.TemporaryDirectory() as folder, contextlib.closing(_Relay(port)) as relay:
        here, public = Path(folder) / "here", f"localhost:{relay.port}"
        with Application(here, "serve", "--no-workers", "--behind", public, port=port) as server:
            _, token = PusherStore(here).issue_token("pushed", 3_600, 10, 10**12)
            arrived = [_compare(Path(folder), server, f"http://{public}", token, *case) for case in CASES]
        with Application(here, "serve", "--no-workers", port=port) as server:
            measure_presenter(Path(folder), server, token)
    _kills()
    return all(arrived)


def _compare(
    folder: Path, server: Application, url: str, token: str, rows: int, every: int, pairs: int
) -> bool:
    recorded, pushed = (Trained(Shaped(rows, WIDTH, _TOKENS)) for _ in range(2))
    name, ages = f"pushed-{rows}", list[float]()
    alone = lamplighter.watch(recorded.model, folder=folder / "alone" / name, embedding="wte", every=every)
    beside = lamplighter.watch(
        pushed.model, folder=folder / "there" / name, embedding="wte", every=every, push=url, token=token
    )
    with alone, beside:
        viewer = threading.Thread(target=_view, args=(f"{url}/?run={name}", server.token, ages), daemon=True)
        without, with_it = take_turns(recorded, pushed, every, pairs, viewer.start)[0]
    viewer.join(30)
    there, arrived = (lamplighter.open(at / name).status.step for at in (folder / "there", server.runs))
    report(
        f"push_{rows}_every_{every}",
        np.median(without / with_it),
        "of the speed of a loop that records",
        pairs=pairs,
        step_ms=1e3 * np.median(without),
        pushed_ms=1e3 * np.median(with_it),
        recorded=there,
        arrived=arrived,
    )
    if every == 1:
        report("push_latency", np.percentile(ages, 95), "s, p95", median=np.median(ages), steps=len(ages))
    return there == arrived


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


def measure_presenter(folder: Path, server: Application, token: str) -> None:
    """Measure and print. Eight runs of one token each send the dearest fragment that is taken, and one of 43 MB that is not."""
    run = GrowingRun(folder / "dear", size=60, dim=4)
    run.grow(MAX_STEPS, rows=4)
    run.end()
    names = [f"pushed-dear-{number}" for number in range(_RUNS)]
    opening, (taken, refused) = make_opening(run.folder, names[0]), _dear_fragments(run.folder, names[0])
    PushClient(server.url.rstrip("/"), token).send_fragment(opening)
    change = ("PATCH", f"/api/runs/{names[0]}", '{"name": "renamed"}')
    presenter = start_presenter(server, (change, ("POST", "/api/launches", "{}")))
    time.sleep(3)
    quiet, answers = presenter.milliseconds, list[str]()

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
    presenter.stop()
    report(
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


def _kills() -> None:
    command = [sys.executable, "-m", "tests.soak.pushed", "--kills", "50"]
    found = json.loads(subprocess.run(command, capture_output=True, text=True, check=False).stdout)
    lost = found.get("lost", 1) + found.get("doubled", 1)
    report("push_kills_lost", lost, "steps lost or doubled", kills=found["kills"], steps=found.get("steps"))


class _Relay(ThreadedProxy):
    """Passes connections on to a port of this machine, each way with half of the round trip."""

    def __init__(self, port: int) -> None:
        self._port = port
        super().__init__()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", self._port)
        await asyncio.gather(_pipe(reader, back), _pipe(there, writer), return_exceptions=True)


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    loop = asyncio.get_running_loop()
    while data := await reader.read(1 << 16):
        loop.call_later(ROUND_TRIP / 2, writer.write, data)
    loop.call_later(ROUND_TRIP / 2, writer.close)
